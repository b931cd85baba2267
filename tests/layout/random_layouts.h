// Random layouts: any atom (with swizzles and copies), any grid of repetitions, extents that are no powers of two; and loops over all slots.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/layout/layout.h"
#include "tests/layout/random_maps.h"

namespace tilewright::layout {

inline const std::vector<std::int64_t>& odd_extents() {
  static const std::vector<std::int64_t> list = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 60, 64, 80, 96, 100, 128, 192};
  return list;
}

struct Machine {
  int lane_bits = 5;
  int warps = 1;  // any number
};

inline Machine random_machine(Random& random) { return {random.between(1, 5), random.pick(std::vector<int>{1, 1, 2, 3, 4, 6, 8})}; }

// Extents of rank 1 to 3 and at most `limit` elements.
inline std::vector<std::int64_t> random_extents(Random& random, std::int64_t limit) {
  for (;;) {
    std::vector<std::int64_t> extents(random.between(1, 3));
    std::int64_t elements = 1;
    for (std::int64_t& e : extents) e = random.pick(odd_extents()), elements *= e;
    if (elements <= limit) return extents;
  }
}

inline Layout random_layout(Random& random, const std::vector<std::int64_t>& extents, const Machine& machine) {
  const int rank = static_cast<int>(extents.size());
  const int odd_warps = machine.warps / static_cast<int>(power_of_two_factor(machine.warps)),
            warp_bits = log2_exact(power_of_two_factor(machine.warps));
  std::vector<Dimension> inputs = {{"register", random.between(0, 4)}, {"lane", machine.lane_bits}, {"warp", warp_bits}}, outputs;
  int columns = inputs[0].bits + inputs[1].bits + inputs[2].bits, rows = 0;
  for (int axis = 0; axis < rank; ++axis) outputs.push_back({axis_name(axis), 0});
  for (int attempt = 0; attempt < 2 * columns && rows < columns; ++attempt) {
    const int axis = random.between(0, rank - 1);
    // An atom that fits, and now and then one that sticks out.
    if ((std::int64_t{2} << outputs[axis].bits) <= extents[axis] + (random.chance(10) ? extents[axis] : 0)) ++outputs[axis].bits, ++rows;
  }
  // Units in any order, with the rest of the columns copies; then a few bases are added to others.
  std::vector<Bits> bases = unit_vectors(rows);
  bases.resize(columns, 0);
  if (random.chance(40)) random.shuffle(bases);
  else if (random.chance(50)) std::rotate(bases.begin(), bases.begin() + random.between(0, columns), bases.end());
  if (columns > 1 && random.chance(50)) {
    for (int i = random.between(1, 4); i > 0; --i) {
      const int a = random.between(0, columns - 1), b = random.between(0, columns - 1);
      if (a != b) bases[a] ^= bases[b];
    }
  }
  const LinearMap atom(inputs, outputs, BitMatrix(rows, bases));

  std::vector<Repeat> repeats;
  std::vector<std::int64_t> reached;
  for (const Dimension& d : outputs) reached.push_back(std::int64_t{1} << d.bits);
  auto repeat = [&](int axis, int count, Place place) {
    repeats.push_back({axis, axis == kCopies ? 0 : reached[axis], count, place});
    if (axis != kCopies) reached[axis] *= count;
  };
  auto rest = [&](int axis) { return static_cast<int>((extents[axis] + reached[axis] - 1) / reached[axis]); };
  std::vector<int> order(rank);
  for (int i = 0; i < rank; ++i) order[i] = i;
  random.shuffle(order);
  for (int axis : order) {
    for (int factor : {2, 3, 5}) {
      if (rest(axis) % factor == 0 && random.chance(20)) repeat(axis, factor, Place::kRegister);
    }
  }
  if (odd_warps > 1) {
    const int axis = random.between(kCopies, rank - 1);
    repeat(axis != kCopies && rest(axis) >= odd_warps ? axis : kCopies, odd_warps, Place::kWarp);
  }
  if (random.chance(10)) repeat(kCopies, random.between(2, 3), Place::kRegister);
  random.shuffle(order);
  for (int axis : order) {
    if (rest(axis) > 1) repeat(axis, rest(axis), Place::kRegister);
  }
  return Layout(extents, atom, repeats);
}

template <class Body>
void for_slots(const Layout& layout, Body body) {
  Slot slot;
  for (slot.block = 0; slot.block < layout.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < layout.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < layout.lanes(); ++slot.lane) {
        for (slot.reg = 0; slot.reg < layout.registers(); ++slot.reg) body(slot);
      }
    }
  }
}

template <class Body>
void for_threads(const Layout& layout, Body body) {
  for_slots(layout, [&](const Slot& slot) {
    if (slot.reg == 0) body(slot);
  });
}

// The element's number in row-major order.
inline std::int64_t row_major(const std::vector<std::int64_t>& extents, const std::vector<std::int64_t>& coordinates) {
  std::int64_t index = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) index = index * extents[i] + coordinates[i];
  return index;
}

}  // namespace tilewright::layout
