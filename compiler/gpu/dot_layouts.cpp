#include "compiler/gpu/dot_layouts.h"

#include "compiler/layout/build.h"

#include <algorithm>

namespace tilewright::gpu {

using layout::Layout;
using layout::Place;
using layout::Tiler;

namespace {

struct Extents {
  std::int64_t m, n, k;
};

Extents extents_of(tile::DotOp dot) {
  const auto acc = dot.getAcc().getType().getShape();
  return {acc[acc.size() - 2], acc.back(), dot.getA().getType().getShape().back()};
}

// Warps along the rows and the columns of the accumulator; what is left over holds copies.
struct WarpGrid {
  int rows = 1, columns = 1, copies = 1;
};

WarpGrid warp_grid(const Extents& extents, const MatrixInstruction& instruction, int warps, bool rows_together) {
  const std::int64_t rows = std::max<std::int64_t>(1, extents.m / instruction.m), columns = std::max<std::int64_t>(1, extents.n / instruction.n);
  WarpGrid grid;
  while (grid.rows * grid.columns < warps) {
    const bool more_rows = grid.rows * 2 <= rows, more_columns = grid.columns * 2 <= columns;
    if (!more_rows && !more_columns) break;
    // A warp's part shall be as square as can be: each operand is read once a row or column of warps.
    const bool taller = extents.m * grid.columns >= extents.n * grid.rows;
    if (more_rows && (rows_together || taller || !more_columns)) grid.rows *= 2;
    else grid.columns *= 2;
  }
  grid.copies = warps / (grid.rows * grid.columns);
  return grid;
}

DotLayouts from_grid(const MatrixInstruction& instruction, const Extents& extents, const WarpGrid& grid) {
  return {instruction,
          Tiler(instruction.acc, 2).along(0, grid.rows, Place::kWarp).along(1, grid.columns, Place::kWarp).copies(grid.copies, Place::kWarp).cover({extents.m, extents.n}, {1, 0}),
          Tiler(instruction.a, 2).along(0, grid.rows, Place::kWarp).copies(grid.columns * grid.copies, Place::kWarp).cover({extents.m, extents.k}, {1, 0}),
          Tiler(instruction.b, 2).copies(grid.rows, Place::kWarp).along(1, grid.columns, Place::kWarp).copies(grid.copies, Place::kWarp).cover({extents.k, extents.n}, {0, 1})};
}

// All ways to lay warps over an accumulator.
llvm::SmallVector<WarpGrid> all_grids(int warps) {
  llvm::SmallVector<WarpGrid> grids;
  for (int rows = 1; rows <= warps; rows *= 2)
    for (int columns = 1; rows * columns <= warps; columns *= 2) grids.push_back({rows, columns, warps / (rows * columns)});
  return grids;
}

}  // namespace

std::optional<MatrixInstruction> instruction_of(const GpuTarget& target, tile::DotOp dot) {
  if (dot.hasBatch() || dot.getIsUnsigned()) return std::nullopt;
  const Extents extents = extents_of(dot);
  auto instruction = target.matrix_instruction(DotElements::of(dot), extents.m, extents.n, extents.k);
  if (instruction && extents.k % instruction->k != 0) return std::nullopt;
  return instruction;
}

DotLayouts dot_layouts(const GpuTarget& target, tile::DotOp dot, int warps, bool rows_together) {
  const Extents extents = extents_of(dot);
  if (const auto instruction = instruction_of(target, dot)) return from_grid(*instruction, extents, warp_grid(extents, *instruction, warps, rows_together));
  const auto shape = dot.getAcc().getType().getShape();
  std::vector<int> order;
  for (int axis = static_cast<int>(shape.size()); axis-- > 0;) order.push_back(axis);
  const int vector = dot.getAcc().getType().getNumElements() >= 4 * target.lanes() * warps ? 4 : 1;
  return {std::nullopt, layout::blocked(shape.vec(), {.order = order, .vector = vector, .lanes = target.lanes(), .warps = warps}), std::nullopt, std::nullopt};
}

DotLayouts group_layouts(const GpuTarget& target, tile_gpu::GroupDotOp dot, int warps) {
  const auto acc = dot.getAcc().getType().getShape();
  const Extents extents{acc[0], acc[1], dot.depth()};
  const auto instruction = target.matrix_instruction(DotElements::of(dot), extents.m, extents.n, extents.k);
  if (!instruction) return {std::nullopt, layout::blocked(acc.vec(), {.order = {1, 0}, .vector = 1, .lanes = target.lanes(), .warps = warps}), std::nullopt, std::nullopt};
  return from_grid(*instruction, extents, {.rows = warps});
}

DotLayouts operand_layouts(const GpuTarget& target, tile::DotOp dot, const Layout& acc) {
  if (const auto instruction = instruction_of(target, dot)) {
    for (const WarpGrid& grid : all_grids(acc.warps())) {
      DotLayouts layouts = from_grid(*instruction, extents_of(dot), grid);
      if (layouts.acc == acc) return layouts;
    }
  }
  return {std::nullopt, acc, std::nullopt, std::nullopt};
}

}  // namespace tilewright::gpu
