// The references of attention and of sparse attention themselves: hand-computed cases, brute force by another route, and identities of the formulas.
#include "kernels_src/attention/reference.h"
#include "kernels_src/nsa/reference.h"
#include "runtime/support/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace tilewright::kernels::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> random_values(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& x : values) x = normal(engine);
  return values;
}

DoubleRows random_rows(std::int64_t rows, std::int64_t width, unsigned seed) { return {random_values(static_cast<std::size_t>(rows * width), seed), width}; }

std::vector<std::int64_t> first_numbers(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(Attend, OneKeyGivesItsValue) {
  const std::vector<double> query = {1, 2};
  const DoubleRows k({3, 4}, 2), v({5, 6, 7}, 3);
  const AttentionRow row = attend(query, {0}, k, v, 0.5);
  EXPECT_THAT(row.output, ElementsAre(5, 6, 7));
  EXPECT_DOUBLE_EQ(row.lse, 5.5);
  EXPECT_DOUBLE_EQ(row.largest_logit, 5.5);
}

TEST(Attend, TwoKeysByHand) {
  const std::vector<double> query = {1};
  const DoubleRows k({0, std::log(3.0)}, 1), v({4, 8}, 1);
  const AttentionRow row = attend(query, {0, 1}, k, v, 1);
  EXPECT_NEAR(row.output[0], 0.25 * 4 + 0.75 * 8, 1e-15);
  EXPECT_NEAR(row.lse, std::log(4.0), 1e-15);
}

TEST(Attend, AKeyThatStandsTwiceCountsTwice) {
  const std::vector<double> query = {1};
  const DoubleRows k({0, 0}, 1), v({3, 9}, 1);
  EXPECT_NEAR(attend(query, {0, 0, 1}, k, v, 1).output[0], 5, 1e-15);
}

TEST(Attend, NoKeys) {
  const std::vector<double> query = {1};
  const DoubleRows k({-kInfinity}, 1), v({3}, 1);
  for (const std::vector<std::int64_t>& keys : {std::vector<std::int64_t>{}, std::vector<std::int64_t>{0}}) {
    const AttentionRow row = attend(query, keys, k, v, 1);
    EXPECT_THAT(row.output, ElementsAre(0));
    EXPECT_EQ(row.lse, -kInfinity);
  }
}

TEST(Attend, LargeLogitsDoNotOverflow) {
  const std::vector<double> query = {1000};
  const DoubleRows k({1, 2}, 1), v({3, 9}, 1);
  const AttentionRow row = attend(query, {0, 1}, k, v, 1);
  EXPECT_DOUBLE_EQ(row.output[0], 9);
  EXPECT_DOUBLE_EQ(row.lse, 2000);
}

TEST(VisibleKeys, CausalAndWindow) {
  EXPECT_THAT(visible_keys(2, 5, true, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(visible_keys(2, 5, true, 2), ElementsAre(1, 2));
  EXPECT_THAT(visible_keys(2, 5, true, 1), ElementsAre(2));
  EXPECT_THAT(visible_keys(2, 5, false, 0), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(visible_keys(-1, 5, true, 0), IsEmpty());
}

TEST(VisibleKeys, AWindowOfTheWholeSequenceIsDense) {
  for (std::int64_t t = 0; t < 20; ++t) EXPECT_EQ(visible_keys(t, 20, true, 20), visible_keys(t, 20, true, 0));
}

TEST(Geometry, CountsByEnumeration) {
  for (const auto& [l, d] : {std::pair<int, int>{32, 16}, {64, 64}, {48, 16}, {4, 4}, {6, 2}}) {
    NsaGeometry g;
    g.compress_length = l;
    g.compress_stride = d;
    for (std::int64_t length = 0; length < 300; ++length) {
      std::int64_t complete = 0, partial = 0;
      for (std::int64_t c = 0; c * d < length; ++c) {
        complete += c * d + l <= length;
        partial += c == 0 || (c - 1) * d + l < length;  // some token lies after the end of the window before
      }
      g.partial_window = false;
      EXPECT_EQ(g.windows(length), complete) << l << " " << d << " " << length;
      if (length > 0) { EXPECT_EQ(g.visible_windows(length - 1), complete); }
      g.partial_window = true;
      EXPECT_EQ(g.windows(length), partial) << l << " " << d << " " << length;
    }
  }
  EXPECT_EQ(fla_geometry(64).windows(65), 2);
  EXPECT_EQ(xl_geometry().windows(31), 0);
  EXPECT_EQ(xl_geometry().windows(48), 2);
}

TEST(Geometry, ErrorsNameTheNumbers) {
  NsaGeometry g = xl_geometry();
  g.compress_stride = 24;
  try {
    g.validate();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 3121);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("compress_stride 24 does not divide compress_length 32"));
  }
}

// Two heads, l = 2, d = 1, dim = 1, four tokens. Head 0: 1 2 3 4, head 1: 10 20 30 40.
class CompressByHand : public ::testing::Test {
 protected:
  CompressByHand() {
    geometry.compress_length = 2;
    geometry.compress_stride = 1;
  }
  double window(std::int64_t h, std::int64_t c) const { return compress_window(x, {0, 4, 0, 4}, 2, h, c, geometry, parameters)[0]; }

  NsaGeometry geometry;
  PoolingParameters parameters;
  DoubleRows x{{1, 10, 2, 20, 3, 30, 4, 40}, 1};
};

TEST_F(CompressByHand, Mean) {
  EXPECT_DOUBLE_EQ(window(0, 0), 1.5);
  EXPECT_DOUBLE_EQ(window(1, 2), 35);
  EXPECT_DOUBLE_EQ(window(0, 3), 4);  // one token: divided by one
}

TEST_F(CompressByHand, Weighted) {
  parameters.kind = Pooling::Weighted;
  parameters.weights = DoubleRows({1, 10, 2, 0.5}, 2);
  EXPECT_DOUBLE_EQ(window(0, 1), 2 + 30);
  EXPECT_DOUBLE_EQ(window(1, 0), 20 + 10);
}

TEST_F(CompressByHand, Linear) {
  parameters.kind = Pooling::Linear;
  parameters.weights = DoubleRows({1, 10, 2, 0.5}, 1);
  EXPECT_DOUBLE_EQ(window(0, 1), 2 + 30);
}

TEST_F(CompressByHand, PositionsAreAddedToTheTokens) {
  parameters.positions = DoubleRows({100, 300, 0, 0}, 1);
  EXPECT_DOUBLE_EQ(window(0, 0), 1.5 + 200);
  EXPECT_DOUBLE_EQ(window(1, 0), 15);
  parameters.kind = Pooling::Weighted;
  parameters.weights = DoubleRows({1, 10, 2, 0.5}, 2);
  EXPECT_DOUBLE_EQ(window(0, 1), 102 + 3030);
}

TEST(Compress, LinearWithScaledIdentityIsMean) {
  constexpr std::int64_t kDim = 3, kLength = 4, kHeads = 2, kTokens = 12;
  NsaGeometry g;
  g.compress_length = kLength;
  g.compress_stride = 2;
  const DoubleRows x = random_rows(kTokens * kHeads, kDim, 1);
  PoolingParameters linear{Pooling::Linear, {}, {}};
  std::vector<double> identity(kHeads * kLength * kDim * kDim, 0.0);
  for (std::int64_t row = 0; row < kHeads * kLength; ++row) {
    for (std::int64_t i = 0; i < kDim; ++i) identity[(row * kDim + i) * kDim + i] = 1.0 / kLength;
  }
  linear.weights = DoubleRows(identity, kDim);
  for (std::int64_t c = 0; c < 5; ++c) {
    const auto a = compress_window(x, {0, kTokens, 0, kTokens}, kHeads, 1, c, g, {});
    const auto b = compress_window(x, {0, kTokens, 0, kTokens}, kHeads, 1, c, g, linear);
    for (std::int64_t i = 0; i < kDim; ++i) EXPECT_NEAR(a[i], b[i], 1e-14);
  }
}

TEST(Compress, ASequenceBehindAnotherStartsAtItsOwnTokens) {
  NsaGeometry g;
  g.compress_length = g.compress_stride = 2;
  const DoubleRows x({1, 2, 3, 4, 5, 6}, 1);
  EXPECT_DOUBLE_EQ(compress_window(x, {0, 0, 3, 3}, 1, 0, 0, g, {})[0], 4.5);
  EXPECT_DOUBLE_EQ(compress_window(x, {0, 0, 3, 3}, 1, 0, 1, g, {})[0], 6);
}

// The scores against equation (9) of the paper as printed, with its one-based block and window indices, and against a count of tokens.
TEST(BlockScores, AreEquationNine) {
  const std::vector<std::vector<std::int64_t>> geometries = {{32, 16, 64}, {64, 64, 64}, {32, 16, 32}, {16, 16, 64}, {64, 16, 64},
                                                             {48, 16, 32}, {8, 4, 12},   {4, 4, 16},   {96, 16, 32}};
  for (const auto& sizes : geometries) {
    NsaGeometry g;
    g.compress_length = sizes[0];
    g.compress_stride = sizes[1];
    g.block_size = sizes[2];
    const std::int64_t l = sizes[0], d = sizes[1], block = sizes[2];
    const std::int64_t position = 5 * block + block / 2, visible = g.visible_windows(position);
    const DoubleRows keys = random_rows(visible, 3, 7);
    const std::vector<std::vector<double>> queries = {random_values(3, 8), random_values(3, 9)};
    std::vector<double> lse;
    std::vector<double> p(static_cast<std::size_t>(visible), 0.0);
    for (const std::vector<double>& query : queries) {
      const AttentionRow row = attend(query, first_numbers(visible), keys, keys, 0.7);
      lse.push_back(row.lse);
      for (std::int64_t c = 0; c < visible; ++c) {
        double s = 0;
        for (int i = 0; i < 3; ++i) s += 0.7 * query[i] * keys.row(c)[i];
        p[c] += std::exp(s) / std::exp(row.lse);
      }
    }
    const std::vector<double> scores = block_scores(queries, lse, keys, first_numbers(visible), 0.7, position, g);
    ASSERT_EQ(scores.size(), 6u);
    for (std::int64_t j = 1; j <= 6; ++j) {
      double nine = 0;
      for (std::int64_t m = 0; m < block / d; ++m) {
        for (std::int64_t r = 0; r < l / d; ++r) {
          const std::int64_t window = block / d * j - m - r;
          if (window >= 1 && window <= visible) nine += p[window - 1];
        }
      }
      EXPECT_NEAR(scores[j - 1], nine, 1e-13) << l << " " << d << " " << block << " block " << j;
      double tokens = 0;
      for (std::int64_t c = 0; c < visible; ++c) {
        for (std::int64_t token = c * d; token < c * d + l; ++token) tokens += token / block == j - 1 ? p[c] : 0;
      }
      EXPECT_NEAR(scores[j - 1], tokens / static_cast<double>(d), 1e-13);
    }
  }
}

TEST(BlockScores, OfWindowsThatAreBlocksAreTheProbabilities) {
  NsaGeometry g = fla_geometry(4);
  const DoubleRows keys = random_rows(3, 2, 3);
  const std::vector<double> query = random_values(2, 4);
  const AttentionRow row = attend(query, {0, 1, 2}, keys, keys, 1);
  const std::vector<double> scores = block_scores({query}, {row.lse}, keys, {0, 1, 2}, 1, 13, g);
  ASSERT_EQ(scores.size(), 4u);
  EXPECT_NEAR(scores[0] + scores[1] + scores[2], 1, 1e-14);
  EXPECT_EQ(scores[3], 0);
}

TEST(SelectBlocks, ForcedThenScoreThenLowerIndex) {
  NsaGeometry g;
  g.block_size = 4;
  g.slots = 5;
  EXPECT_THAT(select_blocks({0, 1, 3, 3, 2, 3, 0, 0}, 7 * 4, g), ElementsAre(0, 2, 3, 6, 7));
  g.slots = 4;
  EXPECT_THAT(select_blocks({0, 1, 3, 3, 2, 3, 0, 0}, 7 * 4, g), ElementsAre(0, 2, 6, 7));
  g.slots = 16;
  EXPECT_THAT(select_blocks({0, 1, 2}, 8, g), ElementsAre(0, 1, 2));
  g.slots = 2;  // forced blocks compete by index
  EXPECT_THAT(select_blocks({0, 1, 3, 3, 2}, 4 * 4, g), ElementsAre(0, 3));
  g.init_blocks = g.local_blocks = 0;
  EXPECT_THAT(select_blocks({0, 1, 3, 3, 2}, 4 * 4, g), ElementsAre(2, 3));
  EXPECT_THAT(select_blocks({NAN, 1, NAN, NAN, NAN}, 4 * 4, g), ElementsAre(1));
}

TEST(SelectBlocks, FirstTwoBlocksHaveCoincidingForcedSets) {
  NsaGeometry g;
  g.block_size = 4;
  g.slots = 3;
  EXPECT_THAT(select_blocks({NAN}, 3, g), ElementsAre(0));
  EXPECT_THAT(select_blocks({0, NAN}, 4, g), ElementsAre(0, 1));
}

TEST(KeysOfBlocks, AllBlocksAreDenseCausal) {
  for (std::int64_t t = 0; t < 30; ++t) {
    EXPECT_EQ(keys_of_blocks({0, 1, 2, 3, 4, 5, 6, 7}, t, 30, 4), visible_keys(t, 30, true, 0));
  }
  EXPECT_THAT(keys_of_blocks({-1, 2, -1}, 100, 10, 4), ElementsAre(8, 9));
  EXPECT_THAT(keys_of_blocks({-1, -1}, 5, 10, 4), IsEmpty());
}

TEST(ChooseRows, CoverEveryQueryOnceWhenFew) {
  const Sequences sequences = Sequences::from_cu_seqlens({0, 0, 1, 5}, {0, 0, 1, 5}, 5, 5);
  const std::vector<RowId> rows = choose_rows(sequences, 3, 100);
  ASSERT_EQ(rows.size(), 15u);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(query_row(sequences, rows[i], 3), static_cast<std::int64_t>(i));
}

TEST(ChooseRows, HoldTheEndsWhenMany) {
  const Sequences sequences = Sequences::dense(2, 1000, 1000);
  const std::vector<RowId> rows = choose_rows(sequences, 4, 50);
  EXPECT_GE(rows.size(), 50u);
  EXPECT_LE(rows.size(), 60u);
  bool first = false, last = false;
  for (const RowId& row : rows) {
    first |= row.sequence == 1 && row.token == 0;
    last |= row.sequence == 0 && row.token == 999;
  }
  EXPECT_TRUE(first && last);
}

TEST(Sequences, BadStartsAreRefused) {
  const auto code = [](std::vector<std::int64_t> q, std::vector<std::int64_t> k) {
    try {
      Sequences::from_cu_seqlens(q, k, 10, 10);
      return 0;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code({0, 10}, {0, 10}), 0);
  EXPECT_EQ(code({}, {0, 10}), 3120);
  EXPECT_EQ(code({1, 10}, {0, 10}), 3120);
  EXPECT_EQ(code({0, 9}, {0, 10}), 3120);
  EXPECT_EQ(code({0, 6, 5, 10}, {0, 5, 6, 10}), 3120);
  EXPECT_EQ(code({0, 5, 10}, {0, 10}), 3120);
}

}  // namespace
}  // namespace tilewright::kernels::reference
