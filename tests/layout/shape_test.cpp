// Changes of shape: every slot still holds the same element, under its new coordinates.
#include "compiler/layout/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/layout/build.h"
#include "runtime/support/error.h"
#include "tests/layout/fragments.h"
#include "tests/layout/random_layouts.h"

namespace tilewright::layout {
namespace {

using testing::ElementsAre;

// Whether both hold, in every slot, the element of the same number in row-major order.
void expect_same_elements(const Layout& before, const Layout& after) {
  for_slots(before, [&](const Slot& slot) {
    ASSERT_EQ(before.holds(slot), after.holds(slot));
    if (before.holds(slot)) {
      ASSERT_EQ(row_major(before.extents(), before.coordinates(slot)), row_major(after.extents(), after.coordinates(slot)));
    }
  });
}

TEST(Shape, TransposeExpandBroadcast) {
  for_seeds(150, [](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    std::vector<int> order(layout.rank());
    for (int i = 0; i < layout.rank(); ++i) order[i] = i;
    random.shuffle(order);
    const int axis = random.between(0, layout.rank()), extent = random.between(1, 5);
    const Layout turned = transposed(layout, order), wider = expanded(layout, axis), wide = broadcasted(wider, axis, extent);
    ASSERT_EQ(wide.extents()[axis], extent);
    ASSERT_EQ(wide.registers(), extent * layout.registers());
    for_slots(wide, [&](const Slot& slot) {
      const Slot original{slot.reg % layout.registers(), slot.lane, slot.warp, slot.block};
      std::vector<std::int64_t> where = layout.coordinates(original), there = turned.coordinates(original);
      for (int i = 0; i < layout.rank(); ++i) ASSERT_EQ(there[i], where[order[i]]);
      where.insert(where.begin() + axis, 0);
      ASSERT_EQ(wider.coordinates(original), where);
      where[axis] = slot.reg / layout.registers();
      ASSERT_EQ(wide.coordinates(slot), where);
    });
  });
}

TEST(Shape, SlicesForgetOneAxis) {
  for_seeds(200, [](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const int axis = random.between(0, layout.rank() - 1);
    const Sliced slice = sliced(layout, axis);
    ASSERT_EQ(static_cast<int>(slice.register_of.size()), layout.registers());
    std::vector<bool> hit(slice.layout.registers());
    for_slots(layout, [&](const Slot& slot) {
      const int target = slice.register_of[slot.reg];
      if (target < 0) return;
      hit[target] = true;
      std::vector<std::int64_t> where = layout.coordinates(slot);
      where.erase(where.begin() + axis);
      ASSERT_EQ(slice.layout.coordinates({target, slot.lane, slot.warp, slot.block}), where);
    });
    for (bool h : hit) ASSERT_TRUE(h);
  });
}

TEST(Shape, RowSumsOfAnAccumulator) {
  const Sliced slice = sliced(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), 1);
  EXPECT_EQ(slice.layout.registers(), 2);
  EXPECT_THAT(slice.layout.atom().free_masks(), ElementsAre(0, 3, 0, 0));
  EXPECT_THAT(std::vector<int>(slice.register_of.begin(), slice.register_of.begin() + 8), ElementsAre(0, 0, 1, 1, 0, 0, 1, 1));
}

TEST(Shape, SplitsAndJoinsKeepElements) {
  int done = 0, refused = 0;
  for_seeds(500, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const int axis = random.between(0, layout.rank() - 1);
    std::vector<std::int64_t> divisors;
    for (std::int64_t d = 1; d <= layout.extents()[axis]; ++d) {
      if (layout.extents()[axis] % d == 0) divisors.push_back(d);
    }
    const std::int64_t inner = random.pick(divisors);
    SCOPED_TRACE("axis " + std::to_string(axis) + " by " + std::to_string(inner));
    if (const auto two = split(layout, axis, inner)) {
      ++done;
      ASSERT_EQ(two->extents()[axis + 1], inner);
      expect_same_elements(layout, *two);
      const auto again = joined(*two, axis);
      if (again) expect_same_elements(layout, *again);
    } else {
      ++refused;
    }
    if (layout.rank() > 1) {
      if (const auto one = joined(layout, 0)) expect_same_elements(layout, *one);
    }
  });
  EXPECT_GT(done, 200);
  EXPECT_GT(refused, 10);
}

TEST(Shape, ReshapeOfOddExtents) {
  const Layout flat = blocked({60}, {.order = {0}, .vector = 4, .lanes = 1});
  const auto rows = reshaped(flat, {3, 20});
  ASSERT_TRUE(rows.has_value());
  expect_same_elements(flat, *rows);
  EXPECT_EQ(rows->canonical().repeats().size(), 2u);
  const auto back = reshaped(*rows, {60});
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(same_placement(*back, flat));
  EXPECT_FALSE(reshaped(flat, {30, 2, 1})->to_string().empty());
  // 16 lanes stand across the boundaries of 20.
  EXPECT_FALSE(reshaped(blocked({60}, {.order = {0}, .vector = 4, .lanes = 16}), {3, 20}).has_value());
  EXPECT_THROW(reshaped(flat, {61}), Error);
}

TEST(Shape, ReshapeThroughUnitAxes) {
  const Layout tile = blocked({64, 96}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 4});
  for (const std::vector<std::int64_t>& extents : std::vector<std::vector<std::int64_t>>{
           {1, 64, 96}, {64, 1, 96}, {64, 96, 1, 1}, {8, 8, 96}, {64, 3, 32}, {2, 32, 3, 8, 4}, {1, 16, 4, 1, 96, 1}}) {
    const auto there = reshaped(tile, extents);
    ASSERT_TRUE(there.has_value());
    ASSERT_EQ(there->extents(), extents);
    expect_same_elements(tile, *there);
    const auto back = reshaped(*there, {64, 96});
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(same_placement(*back, tile));
  }
  const Layout scalar = Layout({1, 1}, LinearMap(), {});
  EXPECT_EQ(reshaped(scalar, {})->rank(), 0);
  EXPECT_EQ(reshaped(*reshaped(scalar, {}), {1, 1, 1})->rank(), 3);
}

TEST(Shape, MisuseIsReported) {
  const Layout tile = blocked({64, 96}, {.order = {1, 0}, .vector = 4, .lanes = 32, .warps = 4});
  EXPECT_THROW(transposed(tile, {0, 0}), Error);
  EXPECT_THROW(expanded(tile, 3), Error);
  EXPECT_THROW(broadcasted(tile, 0, 2), Error);
  EXPECT_THROW(sliced(tile, 2), Error);
  EXPECT_THROW(split(tile, 1, 5), Error);
}

}  // namespace
}  // namespace tilewright::layout
