// Layouts of reshaped tiles: every thread keeps its registers, and only the coordinates they stand for change.
//
// Functions that return an optional give nullopt where the result cannot be held so: the layout's bits or repetitions do not fall on the boundary of the new
// axes. Then the tile has to be converted to another layout first.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/layout/layout.h"

namespace tilewright::layout {

// Axis i of the result is axis `order[i]` of the layout.
Layout transposed(const Layout& layout, const std::vector<int>& order);

// A new axis of extent 1 before `axis`.
Layout expanded(const Layout& layout, int axis);

// The axis of extent 1 grows to `extent`: each thread holds its elements once for each new coordinate, in registers above its present ones.
// Register r of the result is register r % layout.registers() of the layout.
Layout broadcasted(const Layout& layout, int axis, int extent);

// The layout with one axis gone, as after a reduction along it. Registers that differ only along the axis become one; threads that do become copies.
struct Sliced {
  Layout layout;
  // For each register of the original its register in `layout`; -1 for registers that copy another register's element already in the original, which a
  // reduction must not count again.
  std::vector<int> register_of;
};
Sliced sliced(const Layout& layout, int axis);

// Splits an axis into two, of extents extent / inner and inner. Inner divides the extent.
std::optional<Layout> split(const Layout& layout, int axis, std::int64_t inner);
// Makes axes `axis` and `axis + 1` one.
std::optional<Layout> joined(const Layout& layout, int axis);
// The same elements in row-major order under other extents: splits and joins the axes that differ.
std::optional<Layout> reshaped(const Layout& layout, const std::vector<std::int64_t>& extents);

}  // namespace tilewright::layout
