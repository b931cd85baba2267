// Types of the `tile` dialect, and how to ask a tile for its shape when it may be a plain scalar.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include "compiler/ir/TileEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/ir/TileTypes.h.inc"

namespace tilewright::tile {

// The shape of a tile; empty for a scalar.
llvm::ArrayRef<std::int64_t> shape_of(mlir::Type type);

// The element type of a tile or a view; a scalar itself.
mlir::Type element_type_of(mlir::Type type);

// A tile of `shape`: the element type itself when the shape is empty.
mlir::Type tile_type(llvm::ArrayRef<std::int64_t> shape, mlir::Type element);

// Equal shapes and elements, whatever a target has attached to the types.
bool same_tile(mlir::Type a, mlir::Type b);

// `type` with another element type and the same shape.
mlir::Type with_element(mlir::Type type, mlir::Type element);

// How a kind that ignores nothing but `custom` treats elements.
bool is_float_kind(ReduceKind kind);  // minf, maxf: floats only
bool is_int_kind(ReduceKind kind);    // mins, minu, maxs, maxu, and, or, xor: integers only

}  // namespace tilewright::tile
