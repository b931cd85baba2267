// Layouts of dots: fragments of a matrix instruction where the target has one, else blocks of scalars.
#pragma once

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/target.h"
#include "compiler/ir/TileOps.h"
#include "compiler/layout/layout.h"

#include <optional>

namespace tilewright::gpu {

struct DotLayouts {
  std::optional<MatrixInstruction> instruction;
  layout::Layout acc;
  std::optional<layout::Layout> a, b;  // with an instruction; without one operands may have any layout
};

// The instruction that multiplies a dot's operands as they are; none for batches, or where the depth is no multiple of its own.
std::optional<MatrixInstruction> instruction_of(const GpuTarget& target, tile::DotOp dot);

// `rows_together`: each row of the accumulator shall lie in one warp, because rows are reduced or the product is the left operand of a further dot.
DotLayouts dot_layouts(const GpuTarget& target, tile::DotOp dot, int warps, bool rows_together);

// Of a product that groups of warps carry out: the warps hold rows below each other.
DotLayouts group_layouts(const GpuTarget& target, tile_gpu::GroupDotOp dot, int warps);

// The operands' layouts that go with an accumulator in `acc`, which dot_layouts() made.
DotLayouts operand_layouts(const GpuTarget& target, tile::DotOp dot, const layout::Layout& acc);

}  // namespace tilewright::gpu
