// Conversion plans, carried out on simulated threads: every element arrives, costs are as predicted, and known pairs of layouts are converted in the known best way.
#include "compiler/layout/conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "compiler/layout/build.h"
#include "compiler/layout/conversion_parts.h"
#include "compiler/layout/queries.h"
#include "compiler/layout/shape.h"
#include "compiler/layout/simulate.h"
#include "runtime/support/error.h"
#include "tests/layout/fragments.h"
#include "tests/layout/random_layouts.h"

namespace tilewright::layout {
namespace {

using Kind = ConversionPlan::Kind;

constexpr std::uint64_t kPoison = 0xdeadull << 32, kNothing = 0xbadull << 32;

// Runs the plan on elements that are their own numbers.
void expect_arrival(const ConversionPlan& plan, const Layout& source, const Layout& target, const ConversionOptions& options) {
  RegisterFile input(source, kNothing);
  for_slots(source, [&](const Slot& slot) {
    if (source.holds(slot)) input.at(slot) = row_major(source.extents(), source.coordinates(slot));
  });
  const Simulation result = simulate(plan, source, target, options, input, kPoison);
  for_slots(target, [&](const Slot& slot) {
    if (!target.holds(slot) || testing::Test::HasFailure()) return;
    EXPECT_EQ(result.registers.at(slot), row_major(target.extents(), target.coordinates(slot)))
        << "block " << slot.block << " warp " << slot.warp << " lane " << slot.lane << " register " << slot.reg;
  });
  if (plan.kind != Kind::kShared) return;
  const SharedPlan& shared = *plan.shared;
  const int blocks = source.blocks();
  if (!shared.guard_writes) {
    EXPECT_EQ(result.write_cost.wavefronts, blocks * shared.write_cost.wavefronts);
  }
  EXPECT_EQ(result.read_cost.wavefronts, blocks * shared.read_cost.wavefronts);
  EXPECT_LE(result.write_cost.wavefronts, blocks * shared.write_cost.wavefronts);
}

ConversionOptions random_options(Random& random) {
  ConversionOptions options;
  options.element_bytes = 1 << random.between(0, 3);
  options.max_vector_bytes = std::max(options.element_bytes, 1 << random.between(2, 4));
  options.allow_shuffles = random.chance(70);
  if (random.chance(20)) options.costs.barrier = 1000;
  return options;
}

TEST(Conversion, RandomPairsArrive) {
  std::map<Kind, int> kinds;
  int row_major = 0;
  for_seeds(1500, [&](Random& random) {
    const Machine machine = random_machine(random);
    const std::vector<std::int64_t> extents = random_extents(random, 1024);
    const Layout source = random_layout(random, extents, machine), target = random_layout(random, extents, machine);
    SCOPED_TRACE("from " + source.to_string() + "to " + target.to_string());
    const ConversionOptions options = random_options(random);
    const ConversionPlan plan = plan_conversion(source, target, options);
    SCOPED_TRACE(plan.to_string());
    expect_arrival(plan, source, target, options);
    ++kinds[plan.kind];
    row_major += plan.kind == Kind::kShared && !align(source, target, Outside::kDrop);
  });
  std::cout << "none " << kinds[Kind::kNone] << ", registers " << kinds[Kind::kRegisters] << ", shuffles " << kinds[Kind::kShuffle] << ", shared "
            << kinds[Kind::kShared] << " (" << row_major << " in row-major order)\n";
  EXPECT_GT(kinds[Kind::kRegisters], 5);
  EXPECT_GT(kinds[Kind::kShuffle], 100);
  EXPECT_GT(kinds[Kind::kShared], 100);
  EXPECT_GT(row_major, 5);
}

// Every planner that can do it does it right, not only the one chosen.
TEST(Conversion, EveryWayArrives) {
  int shuffled = 0, swizzled = 0;
  for_seeds(600, [&](Random& random) {
    const Machine machine = random_machine(random);
    const std::vector<std::int64_t> extents = random_extents(random, 512);
    const Layout source = random_layout(random, extents, machine), target = random_layout(random, extents, machine);
    SCOPED_TRACE("from " + source.to_string() + "to " + target.to_string());
    const ConversionOptions options = random_options(random);
    ConversionPlan plan;
    plan.copies = register_copies(target);
    if (const auto alignment = align(source, target, Outside::kKeep)) {
      if (auto shuffle = plan_shuffle(source, target, *alignment, options)) {
        ++shuffled;
        plan.kind = Kind::kShuffle, plan.shuffle = std::move(shuffle);
        expect_arrival(plan, source, target, options);
      }
    }
    if (const auto alignment = align(source, target, Outside::kDrop)) {
      ++swizzled;
      plan.kind = Kind::kShared, plan.shared = plan_swizzled(source, target, *alignment, options);
      SCOPED_TRACE(plan.to_string());
      ASSERT_TRUE(plan.shared.has_value());
      ASSERT_EQ(plan.shared->write_cost.conflicts(), 0);
      ASSERT_EQ(plan.shared->read_cost.conflicts(), 0);
      expect_arrival(plan, source, target, options);
    }
    plan.kind = Kind::kShared, plan.shared = plan_row_major(source, target, options);
    expect_arrival(plan, source, target, options);
  });
  EXPECT_GT(shuffled, 150);
  EXPECT_GT(swizzled, 300);
}

TEST(Conversion, ToItselfIsNothing) {
  for_seeds(100, [](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    ASSERT_EQ(plan_conversion(layout, layout, {}).kind, Kind::kNone);
    ASSERT_EQ(plan_conversion(layout, layout.canonical(), {}).kind, Kind::kNone);
  });
}

TEST(Conversion, RegistersInAnotherOrderAreRenamed) {
  const Layout rows = fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), columns = fragment({128, 96}, accumulator_16x8(), {4, 1}, {0, 1});
  EXPECT_EQ(plan_conversion(fragment({128, 96}, accumulator_16x8(), {4, 1}, {1, 0}), columns, {.element_bytes = 4}).kind, Kind::kRegisters);
  // The product of one instruction is the operand of the next.
  EXPECT_EQ(plan_conversion(rows, fragment({64, 96}, operand_a_16x16(), {4, 1}, {1, 0}), {.element_bytes = 2}).kind, Kind::kNone);
  EXPECT_EQ(plan_conversion(fragment({64, 96}, group_accumulator_64x8(), {1, 1}, {1, 0}), fragment({64, 96}, operand_a_16x16(), {4, 1}, {1, 0}),
                            {.element_bytes = 2})
                .kind,
            Kind::kNone);
  EXPECT_EQ(plan_conversion(fragment({32, 48}, operand_b_16x8(), {1, 4}, {0, 1}), fragment({32, 48}, operand_b_16x8(), {1, 4}, {1, 0}),
                            {.element_bytes = 2})
                .kind,
            Kind::kRegisters);
}

TEST(Conversion, RowMaximaGoBackToTheirRows) {
  // From the layout of a row sum to that of another product of the same rows: renaming at most.
  const Layout sums = sliced(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), 1).layout,
               wider = sliced(fragment({64, 128}, group_accumulator_64x8(), {1, 1}, {1, 0}), 1).layout;
  EXPECT_EQ(plan_conversion(sums, wider, {}).kind, Kind::kNone);
}

TEST(Conversion, TransposingFourByFourTakesThreeShuffles) {
  // Registers and two bits of the lane change places.
  const Layout a({4, 4}, LinearMap({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}, {2, 0}}}}, {{"dim0", 2}, {"dim1", 2}}), {});
  const ConversionPlan plan = plan_conversion(a, transposed(a, {1, 0}), {});
  ASSERT_EQ(plan.kind, Kind::kShuffle);
  EXPECT_EQ(plan.shuffle->shuffles, 3);
  ASSERT_EQ(plan.shuffle->rounds.size(), 4u);
  for (std::size_t e = 0; e < 4; ++e) {
    EXPECT_EQ(plan.shuffle->rounds[e].lane_constant, e);
    EXPECT_EQ(plan.shuffle->rounds[e].send,
              (std::vector<int>{static_cast<int>(e), static_cast<int>(1 ^ e), static_cast<int>(2 ^ e), static_cast<int>(3 ^ e)}));
  }
  expect_arrival(plan, a, transposed(a, {1, 0}), {});
}

TEST(Conversion, ExchangedLanesTakeOneShuffleARegister) {
  const Layout a({8, 4}, LinearMap({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}, {2, 0}, {4, 0}}}}, {{"dim0", 3}, {"dim1", 2}}), {});
  const Layout b({8, 4}, LinearMap({{"register", {{0, 1}, {0, 2}}}, {"lane", {{4, 0}, {1, 0}, {2, 0}}}}, {{"dim0", 3}, {"dim1", 2}}), {});
  const ConversionPlan words = plan_conversion(a, b, {.element_bytes = 4}), halves = plan_conversion(a, b, {.element_bytes = 2}),
                       bytes = plan_conversion(a, b, {.element_bytes = 1});
  EXPECT_EQ(words.shuffle->shuffles, 4);
  EXPECT_EQ(words.shuffle->selects, 0);
  EXPECT_EQ(halves.shuffle->shuffles, 2);
  EXPECT_EQ(halves.shuffle->packet, 2);
  EXPECT_EQ(bytes.shuffle->shuffles, 1);
  EXPECT_EQ(bytes.shuffle->packet, 4);
}

TEST(Conversion, CopiesSpareShuffles) {
  // Every lane has the whole row, and keeps a part of it.
  const Layout everywhere({8}, LinearMap({{"register", {{1}, {2}, {4}}}, {"lane", {{0}, {0}, {0}}}}, {{"dim0", 3}}), {});
  const Layout spread({8}, LinearMap({{"lane", {{1}, {2}, {4}}}}, {{"dim0", 3}}), {});
  const ConversionPlan select = plan_conversion(everywhere, spread, {});
  ASSERT_EQ(select.kind, Kind::kShuffle);
  EXPECT_EQ(select.shuffle->shuffles, 0);
  expect_arrival(select, everywhere, spread, {});
  const ConversionPlan gather = plan_conversion(spread, everywhere, {});
  ASSERT_EQ(gather.kind, Kind::kShuffle);
  EXPECT_EQ(gather.shuffle->shuffles, 8);
  EXPECT_EQ(gather.shuffle->selects, 0);
  expect_arrival(gather, spread, everywhere, {});
}

TEST(Conversion, WaveAccumulatorBecomesAnOperand) {
  const Layout product = transposed(fragment({32, 96}, wave_accumulator_32x32(), {1, 1}, {1, 0}), {1, 0}),
               operand = fragment({96, 32}, wave_operand_32x8(), {1, 1}, {1, 0});
  const ConversionPlan plan = plan_conversion(product, operand, {.element_bytes = 2});
  EXPECT_LE(plan.cost, 24) << plan.to_string();
  expect_arrival(plan, product, operand, {.element_bytes = 2});
}

TEST(Conversion, AccumulatorsAreStoredInRows) {
  for (int columns : {60, 80, 96, 100, 128, 192}) {
    for (int bytes : {2, 4}) {
      SCOPED_TRACE(std::to_string(columns) + " columns of " + std::to_string(bytes) + " bytes");
      const Layout product = fragment({64, columns}, accumulator_16x8(), {4, 1}, {1, 0});
      const Layout rows = blocked({64, columns}, {.order = {1, 0}, .vector = 16 / bytes, .lanes = 32, .warps = 4});
      const ConversionOptions options{.element_bytes = bytes, .allow_shuffles = false};
      const ConversionPlan plan = plan_conversion(product, rows, options);
      ASSERT_EQ(plan.kind, Kind::kShared);
      expect_arrival(plan, product, rows, options);
      EXPECT_EQ(plan.shared->write_cost.conflicts(), 0) << plan.to_string();
      EXPECT_EQ(plan.shared->read_cost.conflicts(), 0) << plan.to_string();
      if (columns % 8 == 0) {
        EXPECT_EQ(plan.shared->elements, 64 * columns);
        EXPECT_FALSE(plan.shared->guard_writes);
      }
    }
  }
}

TEST(Conversion, LittleScratchMeansSeveralPasses) {
  const Layout product = fragment({128, 192}, accumulator_16x8(), {4, 1}, {1, 0}),
               rows = blocked({128, 192}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 4});
  ConversionOptions options{.element_bytes = 4};
  options.allow_shuffles = false;
  for (std::int64_t bytes : {200000, 60000, 40000, 20000}) {
    options.max_scratch_bytes = bytes;
    const ConversionPlan plan = plan_conversion(product, rows, options);
    ASSERT_EQ(plan.kind, Kind::kShared);
    EXPECT_LE(plan.shared->elements * 4, bytes) << plan.to_string();
    EXPECT_EQ(plan.shared->passes.size() == 1, bytes == 200000);
    EXPECT_EQ(plan.shared->write_cost.conflicts() + plan.shared->read_cost.conflicts(), 0);
    expect_arrival(plan, product, rows, options);
  }
  options.max_scratch_bytes = 256;
  EXPECT_THROW(plan_conversion(product, rows, options), Error);
}

TEST(Conversion, ReshapesAcrossLanes) {
  // 48 rows are 16 positions of 3 heads: no layout of the one is a layout of the other.
  const Layout heads = blocked({16, 3, 64}, {.order = {2, 0, 1}, .vector = 4, .lanes = 32, .warps = 1}),
               rows = fragment({48, 64}, operand_a_16x16(), {1, 1}, {1, 0});
  const ConversionOptions options{.element_bytes = 2};
  ASSERT_FALSE(reshaped(heads, {48, 64}).has_value());
  const ConversionPlan plan = plan_conversion(heads, rows, options);
  EXPECT_EQ(plan.kind, Kind::kShared);
  expect_arrival(plan, heads, rows, options);
}

TEST(Conversion, BlocksOfAClusterKeepToThemselves) {
  const LinearMap left({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}, {2, 0}}}, {"block", {{4, 0}}}}, {{"dim0", 3}, {"dim1", 2}});
  const LinearMap turned({{"register", {{1, 0}, {2, 0}}}, {"lane", {{0, 1}, {0, 2}}}, {"block", {{4, 0}}}}, {{"dim0", 3}, {"dim1", 2}});
  const LinearMap across({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}, {4, 0}}}, {"block", {{2, 0}}}}, {{"dim0", 3}, {"dim1", 2}});
  const Layout a({8, 4}, left, {}), b({8, 4}, turned, {}), c({8, 4}, across, {});
  for (const bool shuffles : {true, false}) {
    const ConversionOptions options{.element_bytes = 4, .allow_shuffles = shuffles};
    const ConversionPlan plan = plan_conversion(a, b, options);
    EXPECT_EQ(plan.kind, shuffles ? Kind::kShuffle : Kind::kShared);
    expect_arrival(plan, a, b, options);
    if (!shuffles) {
      EXPECT_EQ(plan.shared->elements, 16);
    }
  }
  try {
    plan_conversion(a, c, {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 2501);
  }
  // Where all blocks have everything, each may take its part.
  const Layout everywhere(
      {8, 4}, LinearMap({{"register", {{0, 1}, {0, 2}, {4, 0}}}, {"lane", {{1, 0}, {2, 0}}}, {"block", {{0, 0}}}}, {{"dim0", 3}, {"dim1", 2}}), {});
  for (const bool shuffles : {true, false}) {
    const ConversionOptions options{.element_bytes = 4, .allow_shuffles = shuffles};
    expect_arrival(plan_conversion(everywhere, c, options), everywhere, c, options);
  }
}

TEST(Conversion, MisuseIsReported) {
  const Layout tile = blocked({64, 96}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 4});
  EXPECT_THROW(plan_conversion(tile, blocked({64, 64}, {.order = {1, 0}, .lanes = 32, .warps = 4}), {}), Error);
  EXPECT_THROW(plan_conversion(tile, blocked({64, 96}, {.order = {1, 0}, .lanes = 64, .warps = 4}), {}), Error);
  EXPECT_THROW(plan_conversion(tile, blocked({64, 96}, {.order = {1, 0}, .lanes = 32, .warps = 2}), {}), Error);
  EXPECT_THROW(plan_conversion(tile, tile, {.element_bytes = 3}), Error);
}

TEST(Conversion, ChoicesUseFewBits) {
  EXPECT_EQ(choose_by_bits({5, 5, 5, 5}).bits.size(), 0u);
  const ThreadChoice choice = choose_by_bits({1, 1, 2, -1, 1, -1, 2, 2});
  EXPECT_THAT(choice.bits, testing::ElementsAre(1));
  EXPECT_THAT(choice.values, testing::ElementsAre(1, 2));
  for_seeds(200, [](Random& random) {
    std::vector<int> table(random.between(1, 40));
    for (int& value : table) value = random.between(-1, 2);
    const ThreadChoice found = choose_by_bits(table);
    ASSERT_EQ(found.values.size(), bit(static_cast<int>(found.bits.size())));
    for (std::size_t thread = 0; thread < table.size(); ++thread) {
      std::size_t index = 0;
      for (std::size_t k = 0; k < found.bits.size(); ++k) index |= (thread >> found.bits[k] & 1) << k;
      if (table[thread] >= 0) {
        ASSERT_EQ(found.values[index], table[thread]);
      }
    }
  });
}

}  // namespace
}  // namespace tilewright::layout
