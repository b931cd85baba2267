// Answers about vectors, bounds, owners and reductions, from the layout's index expressions and its atom's kernel.
#include "compiler/layout/queries.h"

#include <algorithm>
#include <optional>

#include "compiler/layout/shape.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

std::optional<std::vector<RegisterGroup>> vectors(const Layout& layout, int axis, int width) {
  std::vector<IndexExpression> others;
  for (int other = 0; other < layout.rank(); ++other) {
    if (other != axis) others.push_back(coordinate_expression(layout, other));
  }
  return consecutive_registers(coordinate_expression(layout, axis), others, width);
}

BitMatrix restricted_to(const LinearMap& atom, Place place) {
  const std::string& name = place_name(place);
  return atom.matrix().slice(atom.input_offset(name), atom.input_bits(name));
}

// The columns of lanes, warps and blocks.
BitMatrix threads_only(const LinearMap& atom) {
  const int registers = atom.input_bits(place_name(Place::kRegister));
  return atom.matrix().slice(registers, atom.matrix().columns() - registers);
}

}  // namespace

int contiguity(const Layout& layout, int axis) {
  int width = 1;
  while (2 * width <= layout.registers() && vectors(layout, axis, 2 * width)) width *= 2;
  return width;
}

int vector_width(const Layout& layout, int axis, int limit) {
  int width = std::min(contiguity(layout, axis), limit);
  while (!is_power_of_two(width)) width &= width - 1;
  return static_cast<int>(std::min<std::int64_t>(width, power_of_two_factor(layout.extents()[axis])));
}

std::vector<RegisterGroup> vector_registers(const Layout& layout, int axis, int width) {
  auto groups = vectors(layout, axis, width);
  if (!groups)
    throw Error(9502, "layout without vectors of " + std::to_string(width) + " along axis " + std::to_string(axis)).note(layout.to_string());
  return std::move(*groups);
}

std::vector<Bounds> bounds(const Layout& layout) {
  std::vector<Bounds> result(layout.registers());
  for (int axis = 0; axis < layout.rank(); ++axis) {
    const std::int64_t extent = layout.extents()[axis];
    const std::vector<IndexExpression::Range> ranges = coordinate_expression(layout, axis).ranges();
    for (int reg = 0; reg < layout.registers(); ++reg) {
      if (ranges[reg].greatest < extent) continue;
      result[reg].axes.push_back(axis);
      result[reg].validity = std::max(result[reg].validity, ranges[reg].least >= extent ? Validity::kNever : Validity::kSometimes);
    }
  }
  for (Bounds& of : result) {
    if (of.validity == Validity::kNever) of.axes.clear();
  }
  return result;
}

bool Owners::owns(const Slot& slot) const {
  if ((slot.lane & lane_mask) != 0 || (slot.warp & warp_mask) != 0 || (slot.block & block_mask) != 0) return false;
  return std::all_of(digits.begin(), digits.end(),
                     [&](const Digit& d) { return (d.place == Place::kWarp ? slot.warp : slot.block) / d.divisor % d.count == 0; });
}

Owners owners(const Layout& layout) {
  const std::vector<std::uint32_t> free = layout.atom().free_masks();
  Owners result{free[1], free[2], free[3], {}, {}};
  const int in_atom = 1 << layout.atom().inputs()[0].bits;
  const std::vector<Bounds> checks = bounds(layout);
  for (int reg = 0; reg < layout.registers(); ++reg) {
    bool owned = (reg % in_atom & free[0]) == 0;
    int rest = reg / in_atom;
    for (const Repeat& r : layout.repeats()) {
      if (r.place != Place::kRegister) continue;
      owned = owned && (r.axis != kCopies || rest % r.count == 0);
      rest /= r.count;
    }
    if (owned && checks[reg].validity != Validity::kNever) result.registers.push_back(reg);
  }
  for (Place place : {Place::kWarp, Place::kBlock}) {
    int divisor = 1 << layout.atom().input_bits(place_name(place));
    for (const Repeat& r : layout.repeats()) {
      if (r.place != place) continue;
      if (r.axis == kCopies && r.count > 1) result.digits.push_back({place, divisor, r.count});
      divisor *= r.count;
    }
  }
  return result;
}

AxisThreads axis_threads(const Layout& layout, int axis) {
  const LinearMap whole = layout.atom(), rest = sliced(layout, axis).layout.atom();
  // Threads that hold the same elements, and threads that hold elements of the same slice.
  const std::vector<Bits> copies = threads_only(whole).kernel(), slices = threads_only(rest).kernel();
  AxisThreads result;
  Subspace met(copies);
  int from = 0;
  for (auto [place, masks] :
       {std::pair(Place::kLane, &result.lane_masks), {Place::kWarp, &result.warp_masks}, {Place::kBlock, &result.block_masks}}) {
    for (Bits mask : restricted_to(rest, place).kernel()) {
      if (met.insert(mask << from)) masks->push_back(static_cast<std::uint32_t>(mask));
    }
    from += rest.input_bits(place_name(place));
  }
  const std::size_t register_copies = restricted_to(whole, Place::kRegister).kernel().size();
  result.separable = met.dimension() == static_cast<int>(slices.size()) && slices.size() == rest.matrix().kernel().size() &&
                     register_copies + copies.size() == whole.matrix().kernel().size();
  for (const Repeat& r : layout.repeats()) {
    if (r.axis == axis && r.place != Place::kRegister && r.count > 1) result.digits.push_back(r);
  }
  return result;
}

bool same_warps(const Layout& a, const Layout& b) {
  if (a.extents() != b.extents() || a.warps() != b.warps() || a.blocks() != 1 || b.blocks() != 1) return false;
  // Which bits of the warp's number each bit of a coordinate stands for. Repetitions by registers move whole atoms, so bits beyond the atom's stand for none.
  using WarpBits = std::vector<std::vector<std::uint32_t>>;
  const auto warp_bits = [](const Layout& layout) -> std::optional<WarpBits> {
    const Layout canonical = layout.canonical();
    for (const Repeat& repeat : canonical.repeats())
      if (repeat.place != Place::kRegister) return std::nullopt;
    const int warp = static_cast<int>(Place::kWarp);
    for (const Point& copies : canonical.atom().kernel())
      if (copies[warp] != 0) return std::nullopt;
    const LinearMap holder = canonical.atom().right_inverse();
    WarpBits bits(layout.rank());
    for (int axis = 0; axis < layout.rank(); ++axis)
      for (int bit = 0; bit < holder.input_bits(axis_name(axis)); ++bit) bits[axis].push_back(holder.basis(axis_name(axis), bit)[warp]);
    for (auto& axis : bits)
      while (!axis.empty() && axis.back() == 0) axis.pop_back();
    return bits;
  };
  const std::optional<WarpBits> of_a = warp_bits(a);
  return of_a && of_a == warp_bits(b);
}

std::vector<std::pair<int, int>> register_copies(const Layout& layout) {
  const BitMatrix of_register = layout.atom().restricted({"register"}, axis_names(layout.rank())).matrix();
  const Subspace held(of_register.as_columns());
  std::vector<std::pair<int, int>> result;
  const int in_atom = 1 << of_register.columns();
  for (int reg = 0; reg < layout.registers(); ++reg) {
    int original = static_cast<int>(*held.combination(of_register.apply(reg % in_atom))), rest = reg / in_atom, scale = in_atom;
    for (const Repeat& r : layout.repeats()) {
      if (r.place != Place::kRegister) continue;
      if (r.axis != kCopies) original += rest % r.count * scale;
      rest /= r.count, scale *= r.count;
    }
    if (original != reg) result.emplace_back(reg, original);
  }
  return result;
}

}  // namespace tilewright::layout
