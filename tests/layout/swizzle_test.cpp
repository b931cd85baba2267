// Arrangements in shared memory: the standard swizzles against their formula on addresses, predicted wavefronts against counting lane by lane, and the chooser.
#include "compiler/layout/swizzle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "compiler/layout/build.h"
#include "compiler/layout/shape.h"
#include "compiler/layout/shared_access.h"
#include "runtime/support/error.h"
#include "tests/layout/fragments.h"
#include "tests/layout/random_layouts.h"

namespace tilewright::layout {
namespace {

// Wavefronts by the definition: for each phase, the largest number of different words in a bank.
std::int64_t count_wavefronts(const std::vector<std::int64_t>& addresses, int bytes) {
  std::int64_t total = 0;
  const std::size_t phase = 128 / std::max(bytes, 4);
  for (std::size_t first = 0; first < addresses.size(); first += phase) {
    std::map<std::int64_t, std::set<std::int64_t>> words;
    for (std::size_t lane = first; lane < std::min(addresses.size(), first + phase); ++lane) {
      for (int b = 0; b < bytes; ++b) words[(addresses[lane] + b) / 4 % 32].insert((addresses[lane] + b) / 4);
    }
    std::size_t most = 0;
    for (const auto& [bank, distinct] : words) most = std::max(most, distinct.size());
    total += static_cast<std::int64_t>(most);
  }
  return total;
}

TEST(Banks, KnownPatterns) {
  auto lanes = [](auto address) {
    std::vector<std::int64_t> list;
    for (int lane = 0; lane < 32; ++lane) list.push_back(address(lane));
    return list;
  };
  const BankModel banks;
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 4 * l; }), 4).wavefronts, 1);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 128 * l; }), 4).wavefronts, 32);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 132 * l; }), 4).wavefronts, 1);
  EXPECT_EQ(access_cost(banks, lanes([](int) { return 256; }), 4).wavefronts, 1);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 2 * l; }), 2).wavefronts, 1);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 16 * l; }), 16).wavefronts, 4);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 128 * l; }), 16).wavefronts, 32);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return 128 * l; }), 16).conflicts(), 28);
  EXPECT_EQ(access_cost(banks, lanes([](int l) { return l < 3 ? 128 * l : -1; }), 4).wavefronts, 3);
  EXPECT_EQ(access_cost({.banks = 64}, lanes([](int l) { return 128 * l; }), 4).wavefronts, 16);
}

TEST(Banks, RandomPatternsAgainstTheDefinition) {
  for_seeds(300, [](Random& random) {
    const int bytes = 1 << random.between(0, 4);
    std::vector<std::int64_t> addresses(random.pick(std::vector<int>{8, 32, 64}));
    for (std::int64_t& a : addresses) a = static_cast<std::int64_t>(random.between(0, random.pick(std::vector<int>{20, 200, 4000}))) * bytes;
    ASSERT_EQ(access_cost({}, addresses, bytes).wavefronts, count_wavefronts(addresses, bytes));
  });
}

TEST(SharedLayout, StandardSwizzlesAreXorsOfAddressBits) {
  for (int row : {16, 32, 64, 128}) {
    for (int bytes : {1, 2, 4, 8}) {
      const int columns = row / bytes;
      const SharedLayout layout = SharedLayout::swizzled({24, 3 * columns}, {1, 0}, bytes, standard_swizzle(row));
      for (std::int64_t r = 0; r < 24; ++r) {
        for (std::int64_t c = 0; c < 3 * columns; ++c) {
          const std::int64_t plain = c / columns * 24 * row + r * row + c % columns * bytes;
          const std::int64_t swizzled = plain ^ ((plain >> 7 & (row / 16 - 1)) << 4);
          ASSERT_EQ(layout.offset({r, c}) * bytes, swizzled) << "rows of " << row << ", " << bytes << " bytes, at " << r << ", " << c;
        }
      }
    }
  }
}

SharedLayout random_shared(Random& random, const std::vector<std::int64_t>& extents, int bytes) {
  std::vector<int> order(extents.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  random.shuffle(order);
  if (extents.size() < 2 || random.chance(30)) return SharedLayout::strided(extents, order, random.between(0, 3));
  return SharedLayout::swizzled(extents, order, bytes, {std::max(bytes, 4 << random.between(0, 2)), random.between(0, 4), random.between(0, 3)});
}

TEST(SharedLayout, EveryElementHasItsPlace) {
  for_seeds(150, [](Random& random) {
    const std::vector<std::int64_t> extents = random_extents(random, 4096);
    const SharedLayout shared = random_shared(random, extents, 1 << random.between(0, 3));
    SCOPED_TRACE(shared.to_string());
    std::set<std::int64_t> offsets;
    const Layout all(extents, LinearMap(), [&] {
      std::vector<Repeat> repeats;
      for (std::size_t i = 0; i < extents.size(); ++i) repeats.push_back({static_cast<int>(i), 1, static_cast<int>(extents[i]), Place::kRegister});
      return repeats;
    }());
    for_slots(all, [&](const Slot& slot) { offsets.insert(shared.offset(all.coordinates(slot))); });
    ASSERT_EQ(static_cast<std::int64_t>(offsets.size()), all.elements());
    ASSERT_GE(*offsets.begin(), 0);
    ASSERT_LT(*offsets.rbegin(), shared.size());
  });
}

TEST(SharedLayout, OffsetExpressionsEqualTheOffsets) {
  int found = 0, merged = 0;
  for_seeds(300, [&](Random& random) {
    const std::vector<std::int64_t> extents = random_extents(random, 1024);
    const Layout layout = random_layout(random, extents, random_machine(random));
    const SharedLayout shared = random_shared(random, extents, 1 << random.between(0, 3));
    SCOPED_TRACE(layout.to_string() + shared.to_string());
    const auto offset = offset_expression(layout, shared);
    if (!offset) return;
    ++found, merged += offset->words.size() == 1;
    for_slots(layout, [&](const Slot& slot) { ASSERT_EQ(offset->at(slot), shared.offset(layout.coordinates(slot))); });
  });
  EXPECT_GT(found, 250);
  EXPECT_GT(merged, 50);
}

TEST(Swizzle, CostsAgainstCountingLaneByLane) {
  for_seeds(150, [](Random& random) {
    const int bytes = 1 << random.between(0, 3);
    const std::vector<std::int64_t> extents = random_extents(random, 1024);
    const Layout layout = random_layout(random, extents, random_machine(random));
    const SharedLayout shared = random_shared(random, extents, bytes);
    SCOPED_TRACE(layout.to_string() + shared.to_string());
    const auto measured = measure(shared, bytes, {TileAccess::registers(layout)}, {});
    if (!measured) return;
    const std::vector<RegisterGroup> groups = memory_vectors(layout, *offset_expression(layout, shared), 16 / bytes, true);
    std::int64_t wavefronts = 0;
    std::set<std::int64_t> moved;
    for (const RegisterGroup& group : groups) {
      ASSERT_EQ(static_cast<int>(group.size()), measured->vectors[0]);
      for (int warp = 0; warp < layout.warps(); ++warp) {
        std::vector<std::int64_t> addresses;
        for (int lane = 0; lane < layout.lanes(); ++lane) {
          addresses.push_back(shared.offset(layout.coordinates({group[0], lane, warp, 0})) * bytes);
          ASSERT_EQ(addresses.back() % (static_cast<std::int64_t>(group.size()) * bytes), 0);
          for (std::size_t i = 0; i < group.size(); ++i) {
            const Slot slot{group[i], lane, warp, 0};
            ASSERT_EQ(shared.offset(layout.coordinates(slot)) * bytes, addresses.back() + static_cast<std::int64_t>(i) * bytes);
            if (layout.holds(slot)) moved.insert(row_major(extents, layout.coordinates(slot)));
          }
        }
        wavefronts += count_wavefronts(addresses, static_cast<int>(group.size()) * bytes);
      }
    }
    ASSERT_EQ(static_cast<std::int64_t>(moved.size()), layout.elements());
    ASSERT_EQ(measured->costs[0].wavefronts, wavefronts);
  });
}

// Every matrix of 8 rows of 16 bytes, lane by lane.
void expect_matrices_without_conflicts(const SharedLayout& layout, int bytes, int row_axis) {
  const int column_axis = 1 - row_axis, columns = 16 / bytes;
  for (std::int64_t r = 0; r < layout.extents()[row_axis]; r += 8) {
    for (std::int64_t c = 0; c < layout.extents()[column_axis]; c += columns) {
      std::vector<std::int64_t> addresses;
      for (std::int64_t i = r; i < std::min<std::int64_t>(r + 8, layout.extents()[row_axis]); ++i) {
        std::vector<std::int64_t> at(2);
        at[row_axis] = i, at[column_axis] = c;
        addresses.push_back(layout.offset(at) * bytes);
      }
      ASSERT_EQ(count_wavefronts(addresses, 16), 1);
    }
  }
}

TEST(Swizzle, BulkCopiesReadAsMatrices) {
  struct Case {
    std::int64_t rows, columns;
    int bytes, row_bytes;  // the swizzle expected; 0 for none, as for rows of an odd number of 16-byte chunks
  };
  for (const Case& c : std::vector<Case>{{128, 64, 2, 128},
                                         {64, 128, 2, 128},
                                         {128, 32, 2, 64},
                                         {60, 96, 2, 64},
                                         {80, 80, 2, 32},
                                         {192, 192, 2, 128},
                                         {100, 32, 4, 128},
                                         {64, 16, 2, 32},
                                         {64, 60, 4, 0},
                                         {64, 64, 1, 64},
                                         {96, 8, 2, 0},
                                         {128, 24, 2, 0}}) {
    SCOPED_TRACE(std::to_string(c.rows) + "x" + std::to_string(c.columns) + " of " + std::to_string(c.bytes));
    const auto found = choose_arrangement({c.rows, c.columns}, {1, 0}, c.bytes, {TileAccess::bulk(), TileAccess::matrices(0)});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->swizzle ? found->swizzle->row_bytes() : 0, c.row_bytes);
    EXPECT_EQ(found->costs[1].conflicts(), 0);
    expect_matrices_without_conflicts(found->layout, c.bytes, 0);
  }
  // The other axis fastest: the operand that an instruction reads transposed.
  const auto columns = choose_arrangement({64, 128}, {0, 1}, 2, {TileAccess::bulk(), TileAccess::matrices(1)});
  ASSERT_TRUE(columns.has_value());
  EXPECT_EQ(columns->swizzle->row_bytes(), 128);
  expect_matrices_without_conflicts(columns->layout, 2, 1);
}

TEST(Swizzle, WrittenByThreadsReadAsMatrices) {
  for (std::int64_t columns : {32, 64, 80, 96, 192}) {
    const Layout rows = blocked({64, columns}, {.order = {1, 0}, .vector = 8, .lanes = 32, .warps = 4});
    const auto found = choose_arrangement({64, columns}, {1, 0}, 2, {TileAccess::registers(rows), TileAccess::matrices(0)});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->costs[0].conflicts() + found->costs[1].conflicts(), 0) << columns;
    EXPECT_EQ(found->vectors[0], 8);
    expect_matrices_without_conflicts(found->layout, 2, 0);
  }
}

TEST(Swizzle, RowsWrittenColumnsRead) {
  // A transposition of 4-byte elements: each lane reads down a column of its own.
  const Layout rows = blocked({32, 32}, {.order = {1, 0}, .vector = 1, .lanes = 32, .warps = 4}), columns = transposed(rows, {1, 0});
  const auto found = choose_arrangement({32, 32}, {1, 0}, 4, {TileAccess::registers(rows), TileAccess::registers(columns)});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->costs[0].conflicts() + found->costs[1].conflicts(), 0);
  // Plain rows would have 32 ways of conflict.
  EXPECT_EQ(measure(SharedLayout::strided({32, 32}, {1, 0}), 4, {TileAccess::registers(columns)}, {})->costs[0].wavefronts, 32 * 32);
}

TEST(Swizzle, PaddingWhereNoSwizzleFits) {
  const Layout rows = blocked({64, 100}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 1}),
               columns = blocked({64, 100}, {.order = {0, 1}, .vector = 1, .lanes = 32, .warps = 1});
  const auto found = choose_arrangement({64, 100}, {1, 0}, 4, {TileAccess::registers(columns), TileAccess::registers(rows)});
  ASSERT_TRUE(found.has_value());
  const auto plain = measure(SharedLayout::strided({64, 100}, {1, 0}), 4, {TileAccess::registers(columns), TileAccess::registers(rows)}, {});
  EXPECT_LT(found->cost(), plain->cost());
}

TEST(Swizzle, ImpossibleAccesses) {
  EXPECT_FALSE(choose_arrangement({64, 100}, {1, 0}, 2, {TileAccess::bulk()}).has_value());
  EXPECT_FALSE(choose_arrangement({64, 60}, {1, 0}, 2, {TileAccess::matrices(0)}).has_value());
  EXPECT_FALSE(choose_arrangement({64, 64}, {0, 1}, 2, {TileAccess::matrices(0)}).has_value());
  EXPECT_THROW(standard_swizzle(48), Error);
}

TEST(Swizzle, AccumulatorsAreStoredAndCopiedOut) {
  for (std::int64_t columns : {64, 96, 128, 192}) {
    const Layout product = fragment({64, columns}, group_accumulator_64x8(), {1, 1}, {1, 0});
    const auto found = choose_arrangement({64, columns}, {1, 0}, 2, {TileAccess::registers(product), TileAccess::bulk()});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->costs[0].conflicts(), 0) << columns;
    EXPECT_EQ(found->vectors[0], 2);
  }
}

}  // namespace
}  // namespace tilewright::layout
