// A histogram: programs of a grid that count into the same bins at once, on the device of these tests.
#include "dsl/tilewright.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <cstring>

namespace tilewright::kernels::testing {
namespace {

struct Histogram {
  Tune<int> block{"block", {1024, 256}};

  Grid grid(In keys) const { return {ceil_div(keys.size(0), block)}; }

  // counts[k] += how often k is among the keys; keys that are no bin are not counted. last becomes the greatest of them all.
  void body(In keys, InOut counts, InOut last) const {
    Index start = program_id(0) * block;
    Tile bins = load_or(-1, keys, {start}, {block});
    atomic_add(counts, {bins}, 1);
    atomic_max(last, {0}, reduce_max(bins));
  }
};
TW_KERNEL(Histogram, "histogram", "keys", "counts", "last")

// Row r of the result is row tickets[r] of x, where tickets are drawn from a counter: some order of the rows.
struct Shuffled {
  Grid grid(In x) const { return {x.size(0)}; }

  void body(In x, InOut turn, Out y) const {
    Tile ticket = atomic_add(turn, {0}, 1);
    store(y, {ticket, 0}, load(x, {program_id(0), 0}, {64}));
  }
};
TW_KERNEL(Shuffled, "shuffled", "x", "turn", "y")

HostTensor integers(std::vector<std::int64_t> shape, const std::vector<std::int32_t>& values) {
  HostTensor tensor(DType::I32, std::move(shape));
  std::memcpy(tensor.data(), values.data(), values.size() * sizeof values[0]);
  return tensor;
}

std::vector<std::int32_t> numbers(const HostTensor& tensor) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.data(), values.size() * sizeof values[0]);
  return values;
}

TEST(Histogram, CountsWhatManyProgramsMeet) {
  constexpr int kKeys = 50001, kBins = 37;
  std::vector<std::int32_t> keys(kKeys), expected(kBins, 5);
  for (int i = 0; i < kKeys; ++i) keys[i] = (i * 7919 + i / 3) % 41 - 1;
  for (std::int32_t key : keys)
    if (key >= 0 && key < kBins) ++expected[key];
  for (int block : {256, 1024}) {
    const DeviceTensor in = session().upload(integers({kKeys}, keys)), counts = session().upload(integers({kBins}, std::vector<std::int32_t>(kBins, 5))),
                       last = session().upload(integers({1}, {-7}));
    session().launch(kernel_of<Histogram>(), std::vector<Argument>{in.view(), counts.view(), last.view()}, {{"block", block}});
    EXPECT_EQ(numbers(session().download(counts)), expected);
    EXPECT_EQ(numbers(session().download(last)), std::vector<std::int32_t>{39});
  }
}

TEST(Histogram, EveryProgramDrawsAnotherTicket) {
  constexpr int kRows = 300, kColumns = 64;
  std::vector<std::int32_t> x(kRows * kColumns);
  for (int i = 0; i < kRows * kColumns; ++i) x[i] = i / kColumns;
  const DeviceTensor in = session().upload(integers({kRows, kColumns}, x)), turn = session().upload(integers({1}, {0})), out = session().upload(integers({kRows, kColumns}, std::vector<std::int32_t>(x.size(), -1)));
  session().launch(kernel_of<Shuffled>(), std::vector<Argument>{in.view(), turn.view(), out.view()});
  const std::vector<std::int32_t> y = numbers(session().download(out));
  std::vector<int> seen(kRows);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 1; column < kColumns; ++column) EXPECT_EQ(y[row * kColumns + column], y[row * kColumns]);
    ASSERT_GE(y[row * kColumns], 0);
    ++seen[y[row * kColumns]];
  }
  EXPECT_EQ(seen, std::vector<int>(kRows, 1));
  EXPECT_EQ(numbers(session().download(turn)), std::vector<std::int32_t>{kRows});
}

}  // namespace
}  // namespace tilewright::kernels::testing
