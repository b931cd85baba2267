// The `tile_gpu` dialect: tiles that the threads of a block hold together. TileGpuDialect.td says what it models.
#pragma once

#include "compiler/ir/TileTypes.h"
#include "compiler/layout/layout.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/gpu/ir/TileGpuDialect.h.inc"
#include "compiler/gpu/ir/TileGpuEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/gpu/ir/TileGpuAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/gpu/ir/TileGpuTypes.h.inc"

#define GET_OP_CLASSES
#include "compiler/gpu/ir/TileGpuOps.h.inc"

namespace tilewright::tile_gpu {

// Attributes of a module at this level.
inline constexpr llvm::StringLiteral kWarpsAttr = "tile_gpu.warps";               // i64: warps of a block
inline constexpr llvm::StringLiteral kTeamWarpsAttr = "tile_gpu.team_warps";      // i64, of a lowered module whose roles have teams: warps that touch what they share alone
inline constexpr llvm::StringLiteral kLanesAttr = "tile_gpu.lanes";               // i64: lanes of a warp
inline constexpr llvm::StringLiteral kSharedBytesAttr = "tile_gpu.shared_bytes";  // i64: shared memory of a block
inline constexpr llvm::StringLiteral kAssertionsAttr = "tile_gpu.assertions";     // strings, in the order of their numbers
inline constexpr llvm::StringLiteral kRemarksAttr = "tile_gpu.remarks";           // strings
inline constexpr llvm::StringLiteral kMapsAttr = "tile_gpu.maps";                 // arrays: number of the kernel's argument, then the extents of a box of it, for each map among the parameters
// Of a dot: why no group of warps carries it out.
inline constexpr llvm::StringLiteral kReasonAttr = "tile_gpu.reason";
// Of a branch of a lowered kernel whose two ways are roles: how many warps take the first way, which wait for each other alone.
inline constexpr llvm::StringLiteral kConsumersAttr = "tile_gpu.consumers";
// Of what waits for a group's turn in a lowered kernel (true), and of what passes it on (false).
inline constexpr llvm::StringLiteral kTurnAttr = "tile_gpu.turn";
// Of the function that is the kernel.
inline constexpr llvm::StringLiteral kKernelAttr = "tile_gpu.kernel";
inline constexpr llvm::StringLiteral kBuffersAttr = "tile_gpu.buffers";  // of arrays of i64: offset, bytes and number of tiles of each buffer
// Of operations of a lowered kernel.
inline constexpr llvm::StringLiteral kAccessAttr = "tile_gpu.access";    // AccessAttr, or several
inline constexpr llvm::StringLiteral kBarrierAttr = "tile_gpu.barrier";  // BarrierAttr

inline constexpr unsigned kSharedSpace = 3;  // of pointers to shared memory

// What an operation of a lowered kernel does to shared memory, as its attribute says.
llvm::SmallVector<AccessAttr, 2> accesses_of(mlir::Operation* op);

// The layout of a tile of this level.
layout::Layout layout_of(mlir::Type tile);
inline layout::Layout layout_of(mlir::Value tile) { return layout_of(tile.getType()); }
// Whether it has one.
bool has_layout(mlir::Type type);

// `type` with a layout, or another one.
mlir::RankedTensorType with_layout(mlir::Type type, const layout::Layout& layout);

}  // namespace tilewright::tile_gpu
