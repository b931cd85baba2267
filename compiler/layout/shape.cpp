// Changes of shape, as changes of the atom's outputs and the repetitions' axes.
#include "compiler/layout/shape.h"

#include <algorithm>
#include <numeric>

#include "compiler/layout/index_expression.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9502;

void check_axis(const Layout& layout, int axis) {
  if (axis < 0 || axis >= layout.rank()) throw Error(kMisuse, "layout without axis " + std::to_string(axis)).note(layout.to_string());
}

// An atom from the old one's columns; `axes[i]` says of which bits of the old outputs axis i consists: axis, first bit, number of bits.
struct Source {
  int axis, first, bits;
};
LinearMap rebuilt(const LinearMap& atom, const std::vector<std::vector<Source>>& axes) {
  std::vector<Dimension> outputs;
  std::vector<int> rows;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    outputs.push_back({axis_name(static_cast<int>(i)), 0});
    for (const Source& s : axes[i]) {
      outputs.back().bits += s.bits;
      for (int k = 0; k < s.bits; ++k) rows.push_back(atom.output_offset(axis_name(s.axis)) + s.first + k);
    }
  }
  std::vector<Bits> columns;
  for (Bits old : atom.matrix().as_columns()) {
    Bits column = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (has_bit(old, rows[i])) column |= bit(static_cast<int>(i));
    }
    columns.push_back(column);
  }
  return LinearMap(atom.inputs(), std::move(outputs), BitMatrix(static_cast<int>(rows.size()), std::move(columns)));
}

Source whole(const Layout& layout, int axis) { return {axis, 0, layout.atom().outputs()[axis].bits}; }

// The layout less an axis along which every slot has coordinate 0.
Layout without_unit_axis(const Layout& layout, int axis) {
  std::vector<std::int64_t> extents = layout.extents();
  extents.erase(extents.begin() + axis);
  std::vector<std::vector<Source>> axes;
  for (int i = 0; i < layout.rank(); ++i) {
    if (i != axis) axes.push_back({whole(layout, i)});
  }
  std::vector<Repeat> repeats;
  for (Repeat r : layout.repeats()) {
    if (r.axis == axis) continue;
    if (r.axis > axis) --r.axis;
    repeats.push_back(r);
  }
  return Layout(std::move(extents), rebuilt(layout.atom(), axes), std::move(repeats));
}

int grown(int axis, int from) { return axis >= from ? axis + 1 : axis; }

}  // namespace

Layout transposed(const Layout& layout, const std::vector<int>& order) {
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> all(layout.rank());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) throw Error(kMisuse, "layout: an order that is no permutation of the axes").note(layout.to_string());
  std::vector<std::int64_t> extents;
  std::vector<std::vector<Source>> axes;
  std::vector<int> place_of(layout.rank());
  for (std::size_t i = 0; i < order.size(); ++i) {
    extents.push_back(layout.extents()[order[i]]);
    axes.push_back({whole(layout, order[i])});
    place_of[order[i]] = static_cast<int>(i);
  }
  std::vector<Repeat> repeats = layout.repeats();
  for (Repeat& r : repeats) {
    if (r.axis != kCopies) r.axis = place_of[r.axis];
  }
  return Layout(std::move(extents), rebuilt(layout.atom(), axes), std::move(repeats));
}

Layout expanded(const Layout& layout, int axis) {
  if (axis < 0 || axis > layout.rank()) throw Error(kMisuse, "layout: no place for an axis at " + std::to_string(axis)).note(layout.to_string());
  std::vector<std::int64_t> extents = layout.extents();
  extents.insert(extents.begin() + axis, 1);
  std::vector<std::vector<Source>> axes;
  for (int i = 0; i < layout.rank(); ++i) axes.push_back({whole(layout, i)});
  axes.insert(axes.begin() + axis, std::vector<Source>());
  std::vector<Repeat> repeats = layout.repeats();
  for (Repeat& r : repeats) r.axis = r.axis == kCopies ? kCopies : grown(r.axis, axis);
  return Layout(std::move(extents), rebuilt(layout.atom(), axes), std::move(repeats));
}

Layout broadcasted(const Layout& layout, int axis, int extent) {
  check_axis(layout, axis);
  if (layout.covered_extent(axis) != 1) throw Error(kMisuse, "layout: axis " + std::to_string(axis) + " is not of extent 1").note(layout.to_string());
  std::vector<std::int64_t> extents = layout.extents();
  extents[axis] = extent;
  std::vector<Repeat> repeats = layout.repeats();
  repeats.push_back({axis, 1, extent, Place::kRegister});
  return Layout(std::move(extents), layout.atom(), std::move(repeats));
}

Sliced sliced(const Layout& layout, int axis) {
  check_axis(layout, axis);
  std::vector<std::int64_t> extents = layout.extents();
  extents.erase(extents.begin() + axis);
  std::vector<std::vector<Source>> axes;
  for (int i = 0; i < layout.rank(); ++i) {
    if (i != axis) axes.push_back({whole(layout, i)});
  }
  const LinearMap& old = layout.atom();
  const LinearMap rest = rebuilt(old, axes);

  const LinearMap of_register = rest.restricted({"register"}, axis_names(layout.rank() - 1));
  const std::uint32_t dropped = of_register.free_masks()[0], copied = old.restricted({"register"}, axis_names(layout.rank())).free_masks()[0];
  const LinearMap atom = rest.without_inputs({dropped, 0, 0, 0});

  std::vector<Repeat> repeats;
  for (Repeat r : layout.repeats()) {
    if (r.axis == axis) {
      if (r.place == Place::kRegister) continue;
      r.axis = kCopies, r.stride = 0;
    } else if (r.axis == kCopies && r.place == Place::kRegister) {
      continue;
    } else if (r.axis > axis) {
      --r.axis;
    }
    repeats.push_back(r);
  }

  const LinearMap kept = atom.restricted({"register"}, axis_names(layout.rank() - 1));
  const int in_old = 1 << old.input_bits("register"), in_new = 1 << atom.input_bits("register");
  std::vector<int> register_of;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    bool copy = (reg % in_old & copied) != 0;
    int target = static_cast<int>(*kept.matrix().solve(of_register.apply_packed(reg % in_old)));
    int rest_of_number = reg / in_old, scale = in_new;
    for (const Repeat& r : layout.repeats()) {
      if (r.place != Place::kRegister) continue;
      const int digit = rest_of_number % r.count;
      rest_of_number /= r.count;
      if (r.axis == kCopies) copy = copy || digit != 0;
      else if (r.axis != axis) target += digit * scale, scale *= r.count;
    }
    register_of.push_back(copy ? -1 : target);
  }
  return {Layout(std::move(extents), atom, std::move(repeats)), std::move(register_of)};
}

std::optional<Layout> split(const Layout& layout, int axis, std::int64_t inner) {
  check_axis(layout, axis);
  if (inner < 1 || layout.extents()[axis] % inner != 0) {
    throw Error(kMisuse, "layout: extent " + std::to_string(layout.extents()[axis]) + " split by " + std::to_string(inner)).note(layout.to_string());
  }
  if (inner == 1) return expanded(layout, axis + 1);
  if (inner == layout.extents()[axis]) return expanded(layout, axis);
  const int bits = layout.atom().outputs()[axis].bits;
  const std::int64_t in_atom = layout.atom_extent(axis);
  int low = bits;
  if (inner < in_atom) {
    if (!is_power_of_two(inner)) return std::nullopt;
    low = log2_exact(inner);
  } else if (inner % in_atom != 0) {
    return std::nullopt;
  }
  std::vector<std::int64_t> extents = layout.extents();
  extents[axis] /= inner;
  extents.insert(extents.begin() + axis + 1, inner);
  std::vector<std::vector<Source>> axes;
  for (int i = 0; i < layout.rank(); ++i) {
    if (i != axis) {
      axes.push_back({whole(layout, i)});
      continue;
    }
    axes.push_back({{axis, low, bits - low}});
    axes.push_back({{axis, 0, low}});
  }
  std::vector<Repeat> repeats;
  for (Repeat r : layout.repeats()) {
    if (r.axis != axis) {
      if (r.axis > axis) ++r.axis;
      repeats.push_back(r);
      continue;
    }
    const std::int64_t reach = r.stride * r.count;
    if (r.stride >= inner) {
      if (r.stride % inner != 0) return std::nullopt;
      repeats.push_back({axis, r.stride / inner, r.count, r.place});
    } else if (reach <= inner) {
      repeats.push_back({axis + 1, r.stride, r.count, r.place});
    } else {
      // The boundary is inside this digit.
      if (inner % r.stride != 0 || r.count % (inner / r.stride) != 0) return std::nullopt;
      const int below = static_cast<int>(inner / r.stride);
      repeats.push_back({axis + 1, r.stride, below, r.place});
      repeats.push_back({axis, 1, r.count / below, r.place});
    }
  }
  Layout result(std::move(extents), rebuilt(layout.atom(), axes), std::move(repeats));
  if (result.covered_extent(axis + 1) != inner) return std::nullopt;
  return result;
}

std::optional<Layout> joined(const Layout& layout, int axis) {
  check_axis(layout, axis);
  check_axis(layout, axis + 1);
  if (layout.covered_extent(axis) == 1) return without_unit_axis(layout, axis);
  const std::int64_t inner = layout.extents()[axis + 1];
  if (layout.covered_extent(axis + 1) != inner) return std::nullopt;
  // Bits of the outer axis' atom lie above the inner axis; they cannot lie above a digit.
  if (layout.atom_extent(axis) > 1 && layout.atom_extent(axis + 1) != inner) return std::nullopt;
  std::vector<std::int64_t> extents = layout.extents();
  extents[axis] *= inner;
  extents.erase(extents.begin() + axis + 1);
  std::vector<std::vector<Source>> axes;
  for (int i = 0; i < layout.rank(); ++i) {
    if (i == axis + 1) axes.back().insert(axes.back().begin(), whole(layout, i));
    else axes.push_back({whole(layout, i)});
  }
  std::vector<Repeat> repeats = layout.repeats();
  for (Repeat& r : repeats) {
    if (r.axis == axis) r.stride *= inner;
    else if (r.axis > axis) --r.axis;
  }
  return Layout(std::move(extents), rebuilt(layout.atom(), axes), std::move(repeats));
}

std::optional<Layout> reshaped(const Layout& layout, const std::vector<std::int64_t>& extents) {
  const std::int64_t elements = std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
  if (elements != layout.elements() || std::any_of(extents.begin(), extents.end(), [](std::int64_t e) { return e < 1; })) {
    throw Error(kMisuse, "layout: a reshape to another number of elements").note(layout.to_string());
  }
  std::optional<Layout> result = layout;
  // Axes [0, done) of the result have their new extents; then come the smallest groups of old and of new axes with the same number of elements.
  std::size_t done = 0;
  while (result && (done < extents.size() || static_cast<int>(done) < result->rank())) {
    const int axis = static_cast<int>(done);
    if (axis == result->rank()) {
      result = expanded(*result, axis);
      ++done;
      continue;
    }
    if (done == extents.size()) {
      // What is left of the old axes has extent 1.
      if (result->covered_extent(axis) != 1) return std::nullopt;
      result = without_unit_axis(*result, axis);
      continue;
    }
    std::size_t old_end = done, new_end = done;
    std::int64_t old_size = result->extents()[old_end++], new_size = extents[new_end++];
    while (old_size != new_size) {
      if (old_size < new_size) old_size *= result->extents()[old_end++];
      else new_size *= extents[new_end++];
    }
    for (std::size_t i = done + 1; i < old_end && result; ++i) result = joined(*result, axis);
    for (std::size_t i = new_end - 1; i > done && result; --i) result = split(*result, axis, extents[i]);
    done = new_end;
  }
  return result;
}

}  // namespace tilewright::layout
