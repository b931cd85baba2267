// The device of these tests: the first NVIDIA GPU. Where there is none the program says so and does nothing.
#include "compiler/compiler.h"
#include "runtime/support/error.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace tilewright::kernels::testing {

namespace {

std::unique_ptr<Session> open_session() {
  SessionOptions options;
  options.poison = true;
  return make_session("cuda:0", make_compiler(), options);
}

}  // namespace

Session& session() {
  static const std::unique_ptr<Session> instance = open_session();
  return *instance;
}

}  // namespace tilewright::kernels::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!GTEST_FLAG_GET(list_tests)) {
    try {
      tilewright::kernels::testing::session();
    } catch (const tilewright::Error& error) {
      if (error.code() != 3301) throw;
      std::printf("[  SKIPPED ] every test: %s\n", error.what());
      return 0;
    }
  }
  return RUN_ALL_TESTS();
}
