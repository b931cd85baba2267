// Queries and index expressions against brute force over all slots.
#include "compiler/layout/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "compiler/layout/build.h"
#include "compiler/layout/index_expression.h"
#include "compiler/layout/shape.h"
#include "runtime/support/error.h"
#include "tests/layout/fragments.h"
#include "tests/layout/random_layouts.h"

namespace tilewright::layout {
namespace {

using testing::ElementsAre;

// Whether in every thread the registers of each group are neighbours along the axis, beginning at a multiple of the width.
bool neighbours(const Layout& layout, int axis, const std::vector<std::vector<int>>& groups, int width) {
  bool good = true;
  for_threads(layout, [&](Slot slot) {
    for (const std::vector<int>& group : groups) {
      slot.reg = group[0];
      std::vector<std::int64_t> expected = layout.coordinates(slot);
      good = good && expected[axis] % width == 0;
      for (int reg : group) {
        slot.reg = reg;
        good = good && layout.coordinates(slot) == expected;
        ++expected[axis];
      }
    }
  });
  return good;
}

// Contiguity by definition: the elements of each thread fall into aligned runs of `width`, the same registers in each thread.
bool has_runs(const Layout& layout, int axis, int width) {
  std::map<std::vector<std::int64_t>, std::vector<int>> positions;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    std::vector<std::int64_t> where = layout.coordinates({.reg = reg});
    const std::int64_t position = where[axis] % width;
    where[axis] -= position;
    std::vector<int>& counts = positions[where];
    counts.resize(width);
    ++counts[position];
  }
  for (const auto& [where, counts] : positions) {
    if (std::set<int>(counts.begin(), counts.end()).size() != 1) return false;
  }
  // In other threads the same registers, at the same position of a run.
  bool same = true;
  for_slots(layout, [&](const Slot& slot) {
    const auto here = layout.coordinates(slot), first = layout.coordinates({.reg = slot.reg});
    same = same && here[axis] % width == first[axis] % width;
  });
  return same;
}

TEST(Queries, ContiguityAgainstBruteForce) {
  int wide = 0;
  for_seeds(300, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    for (int axis = 0; axis < layout.rank(); ++axis) {
      const int width = contiguity(layout, axis);
      ASSERT_TRUE(neighbours(layout, axis, vector_registers(layout, axis, width), width));
      ASSERT_FALSE(has_runs(layout, axis, 2 * width) && 2 * width <= layout.registers()) << "axis " << axis << " found " << width;
      ASSERT_THROW(vector_registers(layout, axis, 2 * width), Error);
      wide += width > 1;
      const int whole = vector_width(layout, axis, 8);
      ASSERT_EQ(layout.extents()[axis] % whole, 0);
      ASSERT_LE(whole, std::min(width, 8));
    }
  });
  EXPECT_GT(wide, 50);
}

TEST(Queries, ContiguityOfKnownLayouts) {
  EXPECT_EQ(contiguity(blocked({128, 96}, {.order = {1, 0}, .vector = 8, .lanes = 32, .warps = 4}), 1), 8);
  EXPECT_EQ(contiguity(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), 1), 2);
  EXPECT_EQ(contiguity(fragment({64, 96}, accumulator_16x8(), {4, 1}, {1, 0}), 0), 1);
  EXPECT_EQ(contiguity(fragment({96, 64}, wave_accumulator_32x32(), {1, 2}, {0, 1}), 0), 4);
  // Runs across repetitions: columns 0 .. 7 are registers 0 1 2 3 and 12 13 14 15.
  const Layout across({3, 8}, LinearMap({{"register", {{0, 1}, {0, 2}}}}, {{"dim0", 0}, {"dim1", 2}}),
                      {{0, 1, 3, Place::kRegister}, {1, 4, 2, Place::kRegister}});
  EXPECT_EQ(contiguity(across, 1), 8);
  EXPECT_THAT(vector_registers(across, 1, 8)[0], ElementsAre(0, 1, 2, 3, 12, 13, 14, 15));
  EXPECT_EQ(vector_width(blocked({60}, {.order = {0}, .vector = 4, .lanes = 16}), 0, 8), 4);
}

TEST(Queries, BoundsAgainstBruteForce) {
  int sometimes = 0, never = 0;
  for_seeds(300, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const std::vector<Bounds> all = bounds(layout);
    for (int reg = 0; reg < layout.registers(); ++reg) {
      const Bounds& found = all[reg];
      int threads = 0, holding = 0;
      std::set<int> outside, inside;
      for_threads(layout, [&](Slot slot) {
        slot.reg = reg;
        ++threads, holding += layout.holds(slot);
        const auto where = layout.coordinates(slot);
        for (int axis = 0; axis < layout.rank(); ++axis) (where[axis] < layout.extents()[axis] ? inside : outside).insert(axis);
      });
      if (found.validity == Validity::kAlways) {
        ASSERT_EQ(holding, threads);
      }
      if (found.validity == Validity::kNever) {
        ASSERT_EQ(holding, 0);
      }
      if (found.validity != Validity::kNever) {
        ASSERT_THAT(found.axes, testing::ElementsAreArray(outside));
        ASSERT_EQ(static_cast<int>(inside.size()), layout.rank());
      }
      sometimes += found.validity == Validity::kSometimes, never += found.validity == Validity::kNever;
    }
  });
  EXPECT_GT(sometimes, 20);
  EXPECT_GT(never, 20);
}

TEST(Queries, EachElementHasOneOwner) {
  int conditional = 0;
  for_seeds(300, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const Owners found = owners(layout);
    std::multiset<std::int64_t> owned;
    for_threads(layout, [&](Slot slot) {
      if (!found.owns(slot)) return;
      for (int reg : found.registers) {
        slot.reg = reg;
        if (layout.holds(slot)) owned.insert(row_major(layout.extents(), layout.coordinates(slot)));
      }
    });
    std::multiset<std::int64_t> once;
    for (std::int64_t i = 0; i < layout.elements(); ++i) once.insert(i);
    ASSERT_EQ(owned, once);
    conditional += !found.every_thread();
  });
  EXPECT_GT(conditional, 50);
}

TEST(IndexExpression, EqualsTheCoordinates) {
  int adds = 0, xors = 0;
  for_seeds(200, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    for (int axis = 0; axis < layout.rank(); ++axis) {
      const IndexExpression e = coordinate_expression(layout, axis);
      std::map<int, std::set<std::int64_t>> values;
      for_slots(layout, [&](const Slot& slot) {
        const std::int64_t value = layout.coordinates(slot)[axis];
        ASSERT_EQ(e.at(slot), value);
        if (e.register_adds()) {
          ASSERT_EQ(e.of_thread(slot) + e.register_offset(slot.reg), value);
        }
        values[slot.reg].insert(value);
        // The fields are the thread's part.
        std::uint32_t fields = 0;
        for (const BitField& f : e.words[0].fields()) {
          const int number = f.place == Place::kLane ? slot.lane : f.place == Place::kWarp ? slot.warp : slot.block;
          fields ^= static_cast<std::uint32_t>((number >> f.from & low_bits(f.count)) << f.to);
        }
        ASSERT_EQ(fields, e.words[0].of_thread(slot));
      });
      const std::vector<IndexExpression::Range> ranges = e.ranges();
      for (const auto& [reg, all] : values) {
        ASSERT_EQ(ranges[reg].least, *all.begin());
        ASSERT_EQ(ranges[reg].greatest, *all.rbegin());
      }
      ++(e.register_adds() ? adds : xors);
    }
  });
  EXPECT_GT(adds, 50);
  EXPECT_GT(xors, 20);
}

TEST(IndexExpression, ReadsAsCodeWould) {
  const Layout layout = fragment({64, 24}, accumulator_16x8(), {4, 1}, {1, 0});
  EXPECT_EQ(coordinate_expression(layout, 0).to_string(), "(lane >> 2 & 7) ^ ((warp & 3) << 4); registers + 0, 0, 8, 8, 0, 0, 8, 8, 0, 0, 8, 8");
  EXPECT_EQ(coordinate_expression(layout, 1).to_string(), "((lane & 3) << 1); registers + 0, 1, 0, 1, 8, 9, 8, 9, 16, 17, 16, 17");
  const Layout chunked = Tiler(accumulator_16x8(), 2).along(1, 3, Place::kRegister).along(1, 2, Place::kWarp).cover({16, 48}, {1, 0});
  EXPECT_EQ(coordinate_expression(chunked, 1).to_string(), "((lane & 3) << 1) + 24 * (warp % 2); registers + 0, 1, 0, 1, 8, 9, 8, 9, 16, 17, 16, 17");
}

// The warps of each element, by coordinates.
std::map<std::vector<std::int64_t>, std::set<int>> warps_by_element(const Layout& layout) {
  std::map<std::vector<std::int64_t>, std::set<int>> warps;
  for_slots(layout, [&](const Slot& slot) {
    if (layout.holds(slot)) warps[layout.coordinates(slot)].insert(slot.warp);
  });
  return warps;
}

TEST(Queries, SameWarpsHoldTheSameElements) {
  int found = 0;
  for_seeds(400, [&](Random& random) {
    const Machine machine = random_machine(random);
    const std::vector<std::int64_t> extents = random_extents(random, 512);
    const Layout a = random_layout(random, extents, machine), b = random.chance(30) ? a : random_layout(random, extents, machine);
    if (!same_warps(a, b)) return;
    SCOPED_TRACE(a.to_string() + b.to_string());
    ++found;
    const auto warps = warps_by_element(a);
    EXPECT_EQ(warps, warps_by_element(b));
    for (const auto& [element, holders] : warps) EXPECT_EQ(holders.size(), 1u);
  });
  EXPECT_GT(found, 20);

  // An accumulator and an operand whose rows lie in the same warps; other rows; columns over warps, which hold the same operand then.
  const Layout rows = fragment({128, 64}, accumulator_16x8(), {4, 1}, {1, 0});
  EXPECT_TRUE(same_warps(rows, fragment({128, 64}, operand_a_16x16(), {4, 1}, {1, 0})));
  EXPECT_FALSE(same_warps(rows, fragment({128, 64}, operand_a_16x16(), {2, 2}, {1, 0})));
  EXPECT_FALSE(same_warps(rows, fragment({64, 64}, accumulator_16x8(), {4, 1}, {1, 0})));
}

// Adds up along an axis the way axis_threads() and sliced() say, and compares with the sum.
TEST(Queries, AxisThreadsMeetOverTheWholeAxis) {
  int reduced = 0;
  for_seeds(400, [&](Random& random) {
    const Layout layout = random_layout(random, random_extents(random, 1024), random_machine(random));
    SCOPED_TRACE(layout.to_string());
    const int axis = random.between(0, layout.rank() - 1);
    const AxisThreads threads = axis_threads(layout, axis);
    const Sliced slice = sliced(layout, axis);
    if (!threads.separable) return;
    ++reduced;
    // sums[warp][lane][register of the slice]: a multiset of the elements added, as their coordinates along the axis.
    using Sums = std::map<std::tuple<int, int, int>, std::multiset<std::int64_t>>;
    Sums sums;
    for_slots(layout, [&](const Slot& slot) {
      const int target = slice.register_of[slot.reg];
      if (target >= 0 && layout.holds(slot)) sums[{slot.warp, slot.lane, target}].insert(layout.coordinates(slot)[axis]);
    });
    auto combine = [&](auto partner) {
      Sums next = sums;
      for_slots(slice.layout, [&](const Slot& slot) {
        const auto& other = sums[partner(slot)];
        next[{slot.warp, slot.lane, slot.reg}].insert(other.begin(), other.end());
      });
      sums = next;
    };
    for (std::uint32_t mask : threads.lane_masks) combine([&](const Slot& s) { return std::tuple(s.warp, s.lane ^ static_cast<int>(mask), s.reg); });
    for (std::uint32_t mask : threads.warp_masks) combine([&](const Slot& s) { return std::tuple(s.warp ^ static_cast<int>(mask), s.lane, s.reg); });
    const int warp_bits = layout.atom().input_bits("warp");
    for (const Repeat& digit : threads.digits) {
      int divisor = 1 << warp_bits;
      for (const Repeat& r : layout.repeats()) {
        if (r == digit) break;
        if (r.place == Place::kWarp) divisor *= r.count;
      }
      const Sums before = sums;
      for (int i = 1; i < digit.count; ++i) {
        for_slots(slice.layout, [&](const Slot& s) {
          const int own = s.warp / divisor % digit.count, partner = s.warp + ((own + i) % digit.count - own) * divisor;
          const auto found = before.find({partner, s.lane, s.reg});
          if (found != before.end()) sums[{s.warp, s.lane, s.reg}].insert(found->second.begin(), found->second.end());
        });
      }
    }
    std::multiset<std::int64_t> all;
    for (std::int64_t i = 0; i < layout.extents()[axis]; ++i) all.insert(i);
    for_slots(slice.layout, [&](const Slot& slot) {
      if (slice.layout.holds(slot)) {
        ASSERT_EQ((sums[{slot.warp, slot.lane, slot.reg}]), all) << slot.warp << ":" << slot.lane << ":" << slot.reg;
      }
    });
  });
  EXPECT_GT(reduced, 200);
}

}  // namespace
}  // namespace tilewright::layout
