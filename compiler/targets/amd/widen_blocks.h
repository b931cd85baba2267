// Blocks for waves of 32 lanes.
#pragma once

#include "compiler/targets/amd/amd_gpu.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tilewright::amd {

// "amd-widen-blocks": where waves have 32 lanes a kernel gets two for each warp it asks for, as far as a block may have them. Threads, and so registers for a tile, are then as many as with
// 64 lanes: operands of WMMA are held twice, and a lane has 256 registers.
std::unique_ptr<mlir::Pass> create_widen_blocks(const AmdGpu& target);

}  // namespace tilewright::amd
