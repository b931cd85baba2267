// Every operation on every dtype and shape: the reference against plain C++, and the target against the reference.
//
//   op_grid_test --gtest_filter='Reference.*'      op_grid_test --gtest_filter='Host.add_f32'      op_grid_test --gtest_filter='Cuda.*'
#include "compiler/compiler.h"
#include "dsl/program/roles.h"
#include "dsl/program/verify.h"
#include "runtime/session.h"
#include "runtime/support/error.h"
#include "tests/fuzz/device_target.h"
#include "tests/fuzz/run.h"
#include "tests/op_grid/check.h"
#include "tests/op_grid/grid.h"

#include <gtest/gtest.h>

#include <set>

namespace tilewright::op_grid {
namespace {

class ReferenceTest : public ::testing::Test {
 public:
  explicit ReferenceTest(const Entry& entry) : entry_(entry) {}
  void TestBody() override {
    ASSERT_NO_THROW(program::verify(entry_.test.program));
    EXPECT_EQ(check_reference(entry_), "");
  }

 private:
  const Entry& entry_;
};

class HostTest : public ::testing::Test {
 public:
  explicit HostTest(const Entry& entry) : entry_(entry) {}
  void TestBody() override {
    static const std::unique_ptr<Compiler> compiler = make_compiler();
    static const std::unique_ptr<fuzz::Target> target = fuzz::compiled_target(*compiler, "host");
    const fuzz::Outcome outcome = fuzz::check(entry_.test, *target);
    EXPECT_FALSE(outcome.failed()) << outcome.text;
  }

 private:
  const Entry& entry_;
};

// The same on the first GPU; skipped where there is none.
class CudaTest : public ::testing::Test {
 public:
  explicit CudaTest(const Entry& entry) : entry_(entry) {}
  void TestBody() override {
    static const std::unique_ptr<fuzz::Target> target = open();
    if (target == nullptr) GTEST_SKIP() << missing_;
    const fuzz::Outcome outcome = fuzz::check(entry_.test, *target);
    EXPECT_FALSE(outcome.failed()) << outcome.text;
  }

 private:
  static std::unique_ptr<fuzz::Target> open() {
    try {
      const std::shared_ptr<Compiler> compiler = make_compiler();
      return fuzz::device_target(compiler, open_device("cuda:0"));
    } catch (const Error& error) {
      if (error.code() != 3301) throw;
      missing_ = error.what();
      return nullptr;
    }
  }

  static inline std::string missing_;
  const Entry& entry_;
};

void register_tests() {
  for (const Entry& entry : all_entries()) {
    ::testing::RegisterTest("Reference", entry.name.c_str(), nullptr, nullptr, __FILE__, __LINE__, [&]() -> ::testing::Test* { return new ReferenceTest(entry); });
    ::testing::RegisterTest("Host", entry.name.c_str(), nullptr, nullptr, __FILE__, __LINE__, [&]() -> ::testing::Test* { return new HostTest(entry); });
    ::testing::RegisterTest("Cuda", entry.name.c_str(), nullptr, nullptr, __FILE__, __LINE__, [&]() -> ::testing::Test* { return new CudaTest(entry); });
  }
}

TEST(Grid, HasEveryOperationAndNoNameTwice) {
  std::set<std::string> names;
  std::set<Opcode> opcodes;
  for (const Entry& entry : all_entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    for (const program::Op& op : entry.test.program.ops) opcodes.insert(op.opcode);
  }
  for (int i = 0; i <= static_cast<int>(Opcode::Assert); ++i) {
    const Opcode opcode = static_cast<Opcode>(i);
    // Their results are no tiles; tests/reference and the driver's tests have them.
    if (opcode == Opcode::Print || opcode == Opcode::Assert || opcode == Opcode::NumPrograms) continue;
    if (opcode == Opcode::Extern || program::is_of_schedules(opcode)) continue;  // run on some targets only, whose tests have them
    EXPECT_TRUE(opcodes.count(opcode)) << program::mnemonic_of(opcode);
  }
}

}  // namespace
}  // namespace tilewright::op_grid

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tilewright::op_grid::register_tests();
  return RUN_ALL_TESTS();
}
