// Every operation on every dtype and shape through the GPU level, on simulated machines against the reference.
//
//   simt_op_grid_test --gtest_filter='simt32.add_f32'
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"
#include "tests/op_grid/grid.h"

#include <gtest/gtest.h>

namespace tilewright::simt {
namespace {

class GridTest : public ::testing::Test {
 public:
  GridTest(const op_grid::Entry& entry, fuzz::Target& target) : entry_(entry), target_(target) {}
  void TestBody() override {
    const fuzz::Outcome outcome = fuzz::check(entry_.test, target_);
    EXPECT_FALSE(outcome.failed()) << outcome.text;
  }

 private:
  const op_grid::Entry& entry_;
  fuzz::Target& target_;
};

void register_tests() {
  for (const Configuration& configuration : configurations()) {
    static std::vector<std::unique_ptr<fuzz::Target>> targets;
    targets.push_back(simulated_target(configuration));
    fuzz::Target& target = *targets.back();
    for (const op_grid::Entry& entry : op_grid::all_entries())
      ::testing::RegisterTest(configuration.name.c_str(), entry.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [&]() -> ::testing::Test* { return new GridTest(entry, target); });
  }
}

}  // namespace
}  // namespace tilewright::simt

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tilewright::simt::register_tests();
  return RUN_ALL_TESTS();
}
