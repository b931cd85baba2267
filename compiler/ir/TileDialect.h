// The `tile` dialect: target-neutral kernels over tiles. TileDialect.td says what it models; docs/tile-dialect.md lists every operation.
#pragma once

#include "mlir/IR/Dialect.h"

#include "compiler/ir/TileDialect.h.inc"

namespace tilewright::tile {

// Attributes of a kernel function, of its arguments and of loops.
inline constexpr llvm::StringLiteral kKernelAttr = "tile.kernel";
inline constexpr llvm::StringLiteral kNameAttr = "tile.name";
inline constexpr llvm::StringLiteral kKindAttr = "tile.kind";  // "in", "out", "inout", "scalar"
inline constexpr llvm::StringLiteral kUnitInnerStrideAttr = "tile.unit_inner_stride";
inline constexpr llvm::StringLiteral kAligned16Attr = "tile.aligned16";
inline constexpr llvm::StringLiteral kFits32Attr = "tile.fits32";
inline constexpr llvm::StringLiteral kWholeRows16Attr = "tile.whole_rows16";
inline constexpr llvm::StringLiteral kWarpsAttr = "tile.warps";    // i64, on a kernel function
inline constexpr llvm::StringLiteral kStagesAttr = "tile.stages";  // i64, on scf.for
inline constexpr llvm::StringLiteral kUniformWarpsAttr = "tile.uniform_warps";  // unit, on scf.for with stages: no warps of their own for its loads
inline constexpr llvm::StringLiteral kNoteAttr = "tile.note";      // string, on tile.dot: what its author may want to know

}  // namespace tilewright::tile
