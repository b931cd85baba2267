// The device of these tests: the CPU.
#include "compiler/compiler.h"
#include "tests/kernels/operator_test.h"

namespace tilewright::kernels::testing {

Session& session() {
  static const std::unique_ptr<Session> instance = [] {
    SessionOptions options;
    options.poison = true;
    return make_session("cpu", make_compiler(), options);
  }();
  return *instance;
}

}  // namespace tilewright::kernels::testing
