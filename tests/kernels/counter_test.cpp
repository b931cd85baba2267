// Programs that arrive at a counter: the last one combines what all of them stored, on the device of these tests.
#include "dsl/tilewright.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <cstring>

namespace tilewright::kernels::testing {
namespace {

constexpr int kRowsOfPart = 16, kColumns = 64;

// y[r] = the sum of x[r] along its rows, which programs share out.
struct SumOfParts {
  Tune<int> warps{"warps", {4, 1}};

  Grid grid(In x) const { return {x.size(0), x.size(1) / kRowsOfPart}; }

  void body(In x, InOut parts, InOut arrived, Out y) const {
    const Index row = program_id(0), part = program_id(1), count = parts.size(1);
    store(parts, {row, part, 0}, sum(load(x, {row, part * kRowsOfPart, 0}, {kRowsOfPart, kColumns}), 0));
    const Tile before = atomic_add(arrived, {row}, 1, Order::AcquireRelease);
    when(before == cast(count, i32) - 1, [&] {
      Var total = zeros(i32, {kColumns});
      for (Index p : range(0, count)) total += load(parts, {row, p, 0}, {kColumns});
      store(y, {row, 0}, total);
      store(arrived, {row}, 0);
    });
  }
};
TW_KERNEL(SumOfParts, "sum_of_parts", "x", "parts", "arrived", "y")

HostTensor filled(std::vector<std::int64_t> shape, std::int32_t (*value)(std::int64_t, int), int launch) {
  HostTensor tensor(DType::I32, std::move(shape));
  auto* elements = static_cast<std::int32_t*>(tensor.data());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) elements[i] = value(i, launch);
  return tensor;
}

TEST(Counter, TheLastProgramSeesWhatAllHaveStored) {
  constexpr std::int64_t kRows = 7, kParts = 40, kLaunches = 6;
  const DeviceTensor parts = session().upload(filled({kRows, kParts, kColumns}, [](std::int64_t, int) { return -1; }, 0));
  const DeviceTensor arrived = session().upload(filled({kRows}, [](std::int64_t, int) { return 0; }, 0));
  for (int launch = 0; launch < kLaunches; ++launch) {
    // Other numbers each time, so that what is left from the launch before is wrong.
    const auto value = [](std::int64_t i, int times) { return static_cast<std::int32_t>((i * 7919 + i / 5) % 1013 * (times + 1) - 300); };
    const HostTensor x = filled({kRows, kParts * kRowsOfPart, kColumns}, value, launch);
    const DeviceTensor in = session().upload(x), out = session().upload(filled({kRows, kColumns}, [](std::int64_t, int) { return -1; }, 0));
    session().launch(kernel_of<SumOfParts>(), std::vector<Argument>{in.view(), parts.view(), arrived.view(), out.view()}, {{"warps", launch % 2 ? 1 : 4}});
    const HostTensor y = session().download(out), left = session().download(arrived);
    const auto *from = static_cast<const std::int32_t*>(x.data()), *sums = static_cast<const std::int32_t*>(y.data());
    for (std::int64_t row = 0; row < kRows; ++row) {
      EXPECT_EQ(static_cast<const std::int32_t*>(left.data())[row], 0);
      for (std::int64_t column = 0; column < kColumns; ++column) {
        std::int32_t expected = 0;
        for (std::int64_t i = 0; i < kParts * kRowsOfPart; ++i) expected += from[(row * kParts * kRowsOfPart + i) * kColumns + column];
        ASSERT_EQ(sums[row * kColumns + column], expected) << "launch " << launch << ", row " << row << ", column " << column;
      }
    }
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
