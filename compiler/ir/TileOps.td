// All operations of the `tile` dialect, one file an area.
#ifndef TILEWRIGHT_TILE_OPS
#define TILEWRIGHT_TILE_OPS

include "compiler/ir/TileMemoryOps.td"
include "compiler/ir/TileShapeOps.td"
include "compiler/ir/TileArithmeticOps.td"
include "compiler/ir/TileReductionOps.td"
include "compiler/ir/TileEffectOps.td"

#endif
