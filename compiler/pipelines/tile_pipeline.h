// The part of every target's pipeline that works on the tile dialect and knows no target.
#pragma once

#include "mlir/Pass/PassManager.h"

namespace tilewright {

// Says the same kernel with less: fewer elements computed, no masks that bounds imply, contiguous accesses, nothing in a loop that belongs before it.
void build_tile_pipeline(mlir::OpPassManager& passes);

}  // namespace tilewright
