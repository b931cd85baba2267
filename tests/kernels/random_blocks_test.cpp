// Random selections: valid whatever is asked for, and as much like their neighbours as the setting says.
#include "kernels_src/nsa/random_blocks.h"

#include "kernels_src/common/rows.h"
#include "runtime/random.h"
#include "runtime/support/error.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace tilewright::kernels::testing {
namespace {

const Settings kSizes = {{"seq", "6000"}, {"heads", "2"}, {"kv_heads", "2"}, {"dim", "8"}};

using Blocks = std::vector<std::int64_t>;

// The blocks of every row of [tokens, heads], without -1.
std::vector<Blocks> rows_of(const Settings& changes) {
  const Operator& op = operator_named("nsa_selected_forward");
  const OperatorSettings settings = settings_of(op, kSizes + changes);
  const TensorMap inputs = op.random_inputs(settings, 1);
  op.validate(settings, inputs);
  const HostTensor& indices = inputs.at("indices");
  const std::int64_t slots = indices.shape()[3];
  std::vector<Blocks> rows;
  for (std::int64_t row = 0; row < indices.elements() / slots; ++row) {
    Blocks blocks;
    for (std::int64_t i = 0; i < slots; ++i) blocks.push_back(static_cast<std::int64_t>(indices.at(row * slots + i)));
    const auto end = std::find(blocks.begin(), blocks.end(), -1);
    EXPECT_TRUE(std::all_of(end, blocks.end(), [](std::int64_t block) { return block == -1; })) << "row " << row;
    blocks.erase(end, blocks.end());
    rows.push_back(blocks);
  }
  return rows;
}

bool has(const Blocks& blocks, std::int64_t block) { return std::binary_search(blocks.begin(), blocks.end(), block); }

void expect_valid(const std::vector<Blocks>& rows, std::int64_t slots) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::int64_t own = static_cast<std::int64_t>(row) / 2 / 64;
    ASSERT_EQ(rows[row].size(), static_cast<std::size_t>(std::min(slots, own + 1))) << "row " << row;
    ASSERT_TRUE(std::is_sorted(rows[row].begin(), rows[row].end(), std::less_equal<>())) << "ascending and distinct, row " << row;
    ASSERT_EQ(rows[row].back(), own) << "row " << row;
    ASSERT_GE(rows[row].front(), 0) << "row " << row;
  }
}

TEST(RandomBlocks, AreIndependentUnlessToldOtherwise) {
  const std::vector<Blocks> rows = rows_of({});
  expect_valid(rows, 16);
  const Philox generator(1, "indices");
  for (std::size_t row = 0; row < rows.size(); row += 7) {
    const std::int64_t own = static_cast<std::int64_t>(row) / 2 / 64;
    Blocks expected = {own};
    for (std::uint64_t draw = 0; static_cast<std::int64_t>(expected.size()) < std::min<std::int64_t>(16, own + 1); ++draw) {
      const std::int64_t block = generator.block((static_cast<std::uint64_t>(row) << 20) + draw)[0] % static_cast<std::uint64_t>(own + 1);
      if (std::find(expected.begin(), expected.end(), block) == expected.end()) expected.push_back(block);
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(rows[row], expected) << "row " << row;
  }
}

// The share of a token's blocks that the token before it does not have, far from the beginning, where all draws are new ones.
double redrawn(const std::vector<Blocks>& rows) {
  double fresh = 0, all = 0;
  for (std::size_t row = 8000; row < rows.size(); ++row) {
    if (row / 2 % 64 == 0) continue;  // a block of its own for the first time
    for (std::int64_t block : rows[row]) fresh += !has(rows[row - 2], block);
    all += static_cast<double>(rows[row].size());
  }
  return fresh / all;
}

TEST(RandomBlocks, AreAsMuchLikeTheTokenBeforeAsAsked) {
  for (const char* redraw : {"0", "0.1", "0.5"}) {
    const std::vector<Blocks> rows = rows_of({{"redraw", redraw}});
    expect_valid(rows, 16);
    const double drawn = 15.0 / 16 * std::stod(redraw);  // all but its own
    EXPECT_NEAR(redrawn(rows), drawn * 0.92, 0.05 * drawn) << redraw << ": a few are drawn that were there before";
  }
}

TEST(RandomBlocks, HaveTheForcedOnesWhereThoseAreGiven) {
  for (const char* redraw : {"1", "0.1"}) {
    const std::vector<Blocks> rows = rows_of({{"redraw", redraw}, {"init_blocks", "2"}, {"local_blocks", "3"}});
    expect_valid(rows, 16);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::int64_t own = static_cast<std::int64_t>(row) / 2 / 64;
      for (std::int64_t block : {std::int64_t{0}, std::int64_t{1}, own - 1, own - 2}) ASSERT_TRUE(block < 0 || block > own || has(rows[row], block)) << "row " << row << ", block " << block;
    }
  }
  expect_valid(rows_of({{"slots", "2"}, {"init_blocks", "2"}, {"local_blocks", "3"}, {"redraw", "0.1"}}), 2);
}

TEST(RandomBlocks, BeginAnewInEverySequence) {
  const std::vector<Blocks> rows = rows_of({{"redraw", "0"}, {"seq", "3000"}, {"batch", "2"}});
  ASSERT_EQ(rows.size(), 12000u);
  for (std::size_t row = 6000; row < 6128; ++row) ASSERT_EQ(rows[row], Blocks{0}) << "row " << row;
  EXPECT_NE(rows[5999], rows[11999]);
}

TEST(RandomBlocks, TheShareIsOneOfAll) {
  for (const char* redraw : {"-0.1", "1.5", "nan"}) {
    const Operator& op = operator_named("nsa_selected_forward");
    try {
      op.random_inputs(settings_of(op, kSizes + Settings{{"redraw", redraw}}), 1);
      ADD_FAILURE() << redraw;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), 3002) << error.what();
    }
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
