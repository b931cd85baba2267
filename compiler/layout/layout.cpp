// The layout's numbering, its checks and its canonical form.
#include "compiler/layout/layout.h"

#include <algorithm>

#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9502;

int at(const Slot& slot, Place place) {
  switch (place) {
    case Place::kRegister: return slot.reg;
    case Place::kLane: return slot.lane;
    case Place::kWarp: return slot.warp;
    case Place::kBlock: return slot.block;
  }
  return 0;
}

}  // namespace

const std::string& place_name(Place place) {
  static const std::string names[] = {"register", "lane", "warp", "block"};
  return names[static_cast<int>(place)];
}

std::string axis_name(int axis) { return "dim" + std::to_string(axis); }

std::vector<std::string> place_names() {
  std::vector<std::string> names;
  for (Place place : kPlaces) names.push_back(place_name(place));
  return names;
}

std::vector<std::string> axis_names(int rank) {
  std::vector<std::string> names;
  for (int axis = 0; axis < rank; ++axis) names.push_back(axis_name(axis));
  return names;
}

Layout::Layout(std::vector<std::int64_t> extents, const LinearMap& atom, std::vector<Repeat> repeats)
    : extents_(std::move(extents)), atom_(atom.ordered(place_names(), axis_names(static_cast<int>(extents_.size())))), repeats_(std::move(repeats)) {
  check();
}

void Layout::check() const {
  auto fail = [&](const std::string& what) { throw Error(kMisuse, "layout: " + what).note(to_string()); };
  for (std::int64_t extent : extents_) {
    if (extent < 1) fail("an extent below 1");
  }
  if (!atom_.surjective()) fail("an atom that misses elements of its extents");
  for (const Repeat& r : repeats_) {
    if (r.place == Place::kLane) fail("a repetition over lanes");
    if (r.count < 1) fail("a repetition of " + std::to_string(r.count));
    if (r.axis < kCopies || r.axis >= rank()) fail("a repetition along axis " + std::to_string(r.axis));
    if (r.axis == kCopies && r.stride != 0) fail("copies with a stride");
  }
  for (int axis = 0; axis < rank(); ++axis) {
    std::vector<Repeat> along;
    std::copy_if(repeats_.begin(), repeats_.end(), std::back_inserter(along), [&](const Repeat& r) { return r.axis == axis && r.count > 1; });
    std::sort(along.begin(), along.end(), [](const Repeat& a, const Repeat& b) { return a.stride < b.stride; });
    std::int64_t reached = atom_extent(axis);
    for (const Repeat& r : along) {
      if (r.stride != reached) fail("repetitions along axis " + std::to_string(axis) + " that leave gaps or overlap");
      reached *= r.count;
    }
    if (reached < extents_[axis]) fail("axis " + std::to_string(axis) + " is not covered");
  }
}

std::int64_t Layout::elements() const {
  std::int64_t product = 1;
  for (std::int64_t extent : extents_) product *= extent;
  return product;
}

std::int64_t Layout::covered_extent(int axis) const {
  std::int64_t covered = atom_extent(axis);
  for (const Repeat& r : repeats_) {
    if (r.axis == axis) covered *= r.count;
  }
  return covered;
}

int Layout::count(Place place) const {
  int total = 1 << atom_.inputs()[static_cast<int>(place)].bits;
  for (const Repeat& r : repeats_) {
    if (r.place == place) total *= r.count;
  }
  return total;
}

std::vector<std::int64_t> Layout::coordinates(const Slot& slot) const {
  std::vector<std::int64_t> result(rank(), 0);
  Bits packed = 0;
  int offset = 0;
  for (Place place : kPlaces) {
    const int bits = atom_.inputs()[static_cast<int>(place)].bits;
    packed |= (at(slot, place) & low_bits(bits)) << offset;
    offset += bits;
    int rest = at(slot, place) >> bits;
    for (const Repeat& r : repeats_) {
      if (r.place != place) continue;
      if (r.axis != kCopies) result[r.axis] += rest % r.count * r.stride;
      rest /= r.count;
    }
    if (rest != 0) throw Error(kMisuse, "layout: no " + place_name(place) + " " + std::to_string(at(slot, place))).note(to_string());
  }
  Bits in_atom = atom_.apply_packed(packed);
  for (int axis = 0; axis < rank(); ++axis) {
    const int bits = atom_.outputs()[axis].bits;
    result[axis] += static_cast<std::int64_t>(in_atom & low_bits(bits));
    in_atom >>= bits;
  }
  return result;
}

bool Layout::holds(const Slot& slot) const {
  const std::vector<std::int64_t> where = coordinates(slot);
  for (int axis = 0; axis < rank(); ++axis) {
    if (where[axis] >= extents_[axis]) return false;
  }
  return true;
}

Layout Layout::canonical() const {
  LinearMap atom = atom_;
  std::vector<Repeat> repeats;
  for (Place place : kPlaces) {
    for (const Repeat& r : repeats_) {
      if (r.place == place && r.count > 1) repeats.push_back(r);
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
      Repeat& r = repeats[i];
      if (i + 1 < repeats.size()) {
        const Repeat& next = repeats[i + 1];
        if (next.place == r.place && next.axis == r.axis && next.stride == r.stride * r.count) {
          r.count *= next.count;
          repeats.erase(repeats.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          changed = true;
          break;
        }
      }
      // The lowest digit of its place and of its axis is as good as bits above the atom's.
      const bool lowest_of_place = i == 0 || repeats[i - 1].place != r.place;
      const bool lowest_of_axis = r.axis == kCopies || r.stride == std::int64_t{1} << atom.outputs()[r.axis].bits;
      const int factor = static_cast<int>(power_of_two_factor(r.count));
      if (!lowest_of_place || !lowest_of_axis || factor == 1) continue;
      const std::string& name = place_name(r.place);
      const int bits = log2_exact(factor);
      atom = product(
          atom, r.axis == kCopies ? LinearMap({{name, bits}}, {}, BitMatrix::zero(0, bits)) : LinearMap::identity(name, axis_name(r.axis), bits));
      r.count /= factor;
      r.stride *= factor;
      if (r.count == 1) repeats.erase(repeats.begin() + static_cast<std::ptrdiff_t>(i));
      changed = true;
      break;
    }
  }
  return Layout(extents_, atom, std::move(repeats));
}

bool same_placement(const Layout& a, const Layout& b) {
  if (a.extents() != b.extents()) return false;
  for (Place place : kPlaces) {
    if (a.count(place) != b.count(place)) return false;
  }
  if (a.canonical() == b.canonical()) return true;
  Slot slot;
  for (slot.block = 0; slot.block < a.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < a.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < a.lanes(); ++slot.lane) {
        for (slot.reg = 0; slot.reg < a.registers(); ++slot.reg) {
          const bool in_a = a.holds(slot), in_b = b.holds(slot);
          if (in_a != in_b || (in_a && a.coordinates(slot) != b.coordinates(slot))) return false;
        }
      }
    }
  }
  return true;
}

}  // namespace tilewright::layout
