// Operations of the `tile` dialect.
#pragma once

#include "compiler/ir/TileDialect.h"
#include "compiler/ir/TileTypes.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tilewright::tile {

// Entries of `maps` of load and store that are not an axis of the tile.
inline constexpr std::int64_t kMapPoint = -1;
inline constexpr std::int64_t kMapWhole = -2;

}  // namespace tilewright::tile

#define GET_OP_CLASSES
#include "compiler/ir/TileOps.h.inc"
