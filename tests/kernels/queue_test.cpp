// Programs that take tasks from a queue in memory, on the device of these tests; where the device has no explicit level, a program is a task.
#include "tests/dsl/kernels/schedules.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {
namespace {

TEST(Queue, EveryTaskIsDone) {
  constexpr std::int64_t kTasks = 500, kRows = 64, kColumns = 64, kTeams = 4;
  HostTensor x(DType::BF16, {kTasks * kRows, kColumns}), empty(DType::I32, {1}), nothing(DType::F32, {kTasks, kTeams, kColumns});
  for (std::int64_t i = 0; i < x.elements(); ++i) x.set(i, static_cast<double>((i * 37 + i / 11) % 9 - 4));
  empty.set(0, 0);
  for (std::int64_t i = 0; i < nothing.elements(); ++i) nothing.set(i, -1e9);
  const DeviceTensor in = session().upload(x), queue = session().upload(empty), out = session().upload(nothing);
  session().launch(kernel_of<test_kernels::QueuedSums>(), std::vector<Argument>{in.view(), queue.view(), out.view()}, {{"programs", 100}, {"schedule", 1}});
  const HostTensor y = session().download(out);
  for (std::int64_t task = 0; task < kTasks; ++task) {
    for (std::int64_t team = 0; team < kTeams; ++team) {
      for (std::int64_t column = 0; column < kColumns; ++column) {
        double expected = 0;
        for (std::int64_t row = 0; row < kRows / kTeams; ++row) expected += x.at((task * kRows + team * (kRows / kTeams) + row) * kColumns + column);
        ASSERT_EQ(y.at((task * kTeams + team) * kColumns + column), expected) << "task " << task << ", team " << team << ", column " << column;
      }
    }
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
