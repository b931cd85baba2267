// Layouts: the header's tutorial, constructors on known tiles, canonical forms; every element of a random layout is held somewhere.
#include "compiler/layout/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "compiler/layout/build.h"
#include "runtime/support/error.h"
#include "tests/layout/fragments.h"
#include "tests/layout/random_layouts.h"

namespace tilewright::layout {
namespace {

using testing::ElementsAre;

LinearMap tutorial_atom() { return LinearMap({{"register", {{0, 1}}}, {"lane", {{0, 2}, {1, 0}, {2, 0}}}}, {{"dim0", 2}, {"dim1", 2}}); }
Layout tutorial() { return Layout({4, 12}, tutorial_atom(), {{1, 4, 3, Place::kRegister}}); }

TEST(Layout, Tutorial) {
  const Layout layout = tutorial();
  EXPECT_EQ(layout.registers(), 6);
  EXPECT_EQ(layout.lanes(), 8);
  EXPECT_THAT(tutorial_atom().apply({1, 5}), ElementsAre(2, 3));
  EXPECT_THAT(layout.coordinates({.reg = 3, .lane = 5}), ElementsAre(2, 7));
  EXPECT_EQ(draw(layout),
            "      0    1    2    3    4    5    6    7    8    9   10   11\n"
            "0   0:0  0:1  1:0  1:1  0:2  0:3  1:2  1:3  0:4  0:5  1:4  1:5\n"
            "1   2:0  2:1  3:0  3:1  2:2  2:3  3:2  3:3  2:4  2:5  3:4  3:5\n"
            "2   4:0  4:1  5:0  5:1  4:2  4:3  5:2  5:3  4:4  4:5  5:4  5:5\n"
            "3   6:0  6:1  7:0  7:1  6:2  6:3  7:2  7:3  6:4  6:5  7:4  7:5\n");
  EXPECT_EQ(Tiler(tutorial_atom(), 2).cover({4, 12}, {1, 0}), layout);
  const Layout narrower({4, 10}, tutorial_atom(), layout.repeats());
  EXPECT_FALSE(narrower.holds({.reg = 4, .lane = 1}));
  EXPECT_TRUE(narrower.holds({.reg = 4, .lane = 2}));
}

TEST(Layout, PrintsItsParts) {
  EXPECT_EQ(tutorial().to_string(),
            "4x12 in atoms of 4x4\n"
            "repeat 3 by register along dim1, stride 4\n"
            "register  1 -> (dim0 0, dim1 1)\n"
            "lane      1 -> (dim0 0, dim1 2)\n"
            "          2 -> (dim0 1, dim1 0)\n"
            "          4 -> (dim0 2, dim1 0)\n"
            "sizes     register 2, lane 8, warp 1, block 1 -> dim0 4, dim1 4\n");
}

TEST(Layout, NonsenseIsRefused) {
  const LinearMap atom = tutorial_atom();
  EXPECT_THROW(Layout({4, 12}, atom, {}), Error);                                                        // not covered
  EXPECT_THROW(Layout({4, 12}, atom, {{1, 5, 3, Place::kRegister}}), Error);                             // a gap
  EXPECT_THROW(Layout({4, 12}, atom, {{1, 4, 3, Place::kLane}}), Error);                                 // lanes are powers of two
  EXPECT_THROW(Layout({4, 4}, LinearMap({{"lane", {{0, 2}}}}, {{"dim0", 2}, {"dim1", 2}}), {}), Error);  // elements nobody holds
  EXPECT_THROW(tutorial().coordinates({.reg = 6}), Error);
  EXPECT_THROW(tutorial().coordinates({.lane = 8}), Error);
  EXPECT_THROW(draw(Layout({1, 1, 1}, LinearMap(), {})), Error);
}

TEST(Layout, BlockedFollowsTheMemoryOrder) {
  // 64 columns of 2 bytes: a row is 8 lanes of 8 elements.
  const Layout layout = blocked({128, 64}, {.order = {1, 0}, .vector = 8, .lanes = 32, .warps = 4});
  EXPECT_EQ(layout.registers(), 64);
  EXPECT_THAT(layout.coordinates({.reg = 7, .lane = 1}), ElementsAre(0, 15));
  EXPECT_THAT(layout.coordinates({.lane = 8}), ElementsAre(1, 0));
  EXPECT_THAT(layout.coordinates({.warp = 1}), ElementsAre(4, 0));
  EXPECT_THAT(layout.coordinates({.reg = 8}), ElementsAre(16, 0));
}

TEST(Layout, BlockedKeepsOddExtentsUnpadded) {
  for (const auto& [columns, registers] : std::vector<std::pair<std::int64_t, int>>{{96, 96}, {192, 192}, {80, 80}, {100, 112}, {60, 64}}) {
    const Layout layout = blocked({128, columns}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 4});
    EXPECT_EQ(layout.registers(), registers) << columns << "\n" << layout.to_string();
  }
  EXPECT_EQ(blocked({3, 20}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 1}).registers(), 4);
}

TEST(Layout, BlockedHoldsCopiesWhereTheTileIsSmall) {
  const Layout layout = blocked({32}, {.order = {0}, .vector = 4, .lanes = 32, .warps = 4});
  EXPECT_EQ(layout.registers(), 4);
  EXPECT_THAT(layout.atom().free_masks(), ElementsAre(0, 24, 3, 0));
}

TEST(Layout, FragmentsTileTheExtents) {
  const Layout square = fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0});
  EXPECT_EQ(square.registers(), 48);
  EXPECT_THAT(square.coordinates({.reg = 6, .lane = 4, .warp = 2}), ElementsAre(41, 8));
  const Layout group = fragment({64, 192}, group_accumulator_64x8(), {1, 1}, {1, 0});
  EXPECT_EQ(group.registers(), 96);
  const Layout three_groups = fragment({192, 80}, group_accumulator_64x8(), {3, 1}, {1, 0});
  EXPECT_EQ(three_groups.warps(), 12);
  EXPECT_THAT(three_groups.coordinates({.reg = 4, .warp = 9}), ElementsAre(64 * 2 + 16, 8));
  const Layout spare = fragment({32, 16}, accumulator_16x8(), {4, 1}, {1, 0});
  EXPECT_EQ(spare.warps(), 4);
  EXPECT_THAT(spare.coordinates({.warp = 3}), ElementsAre(16, 0));
  EXPECT_EQ(fragment({96, 64}, wave_accumulator_32x32(), {1, 2}, {0, 1}).registers(), 48);
}

TEST(Layout, EveryElementOfARandomLayoutIsHeld) {
  for_seeds(300, [](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 4096), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    std::set<std::int64_t> held;
    for_slots(layout, [&](const Slot& slot) {
      if (layout.holds(slot)) held.insert(row_major(layout.extents(), layout.coordinates(slot)));
    });
    ASSERT_EQ(static_cast<std::int64_t>(held.size()), layout.elements());
  });
}

TEST(Layout, TheCanonicalFormPlacesElementsAlike) {
  int shorter = 0;
  for_seeds(200, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 2048), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const Layout canonical = layout.canonical();
    for_slots(layout, [&](const Slot& slot) { ASSERT_EQ(canonical.coordinates(slot), layout.coordinates(slot)); });
    ASSERT_EQ(canonical.canonical(), canonical);
    ASSERT_TRUE(same_placement(layout, canonical));
    shorter += canonical.repeats().size() < layout.repeats().size();
  });
  EXPECT_GT(shorter, 20);
}

TEST(Layout, SamePlacementSeesDifferences) {
  EXPECT_FALSE(same_placement(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), fragment({64, 96}, accumulator_16x8(), {2, 2}, {1, 0})));
  EXPECT_FALSE(same_placement(tutorial(), Layout({4, 10}, tutorial_atom(), tutorial().repeats())));
  // An accumulator of 16 x 16 is held as the next product's operand is.
  EXPECT_TRUE(same_placement(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), fragment({64, 96}, operand_a_16x16(), {4, 1}, {1, 0})));
}

}  // namespace
}  // namespace tilewright::layout
