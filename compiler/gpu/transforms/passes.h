// The passes of the GPU level that know no vendor; in the order in which they run.
#pragma once

#include "compiler/gpu/target.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tilewright::gpu {

// "tile-gpu-assign-layouts": every tile gets a layout, and conversions between layouts become operations. The target outlives the pass.
std::unique_ptr<mlir::Pass> create_assign_layouts(const GpuTarget& target);

// "tile-gpu-stage-loads": loads that become operands of matrix instructions go to shared memory by asynchronous copies; in loops that ask for stages, iterations ahead.
std::unique_ptr<mlir::Pass> create_stage_loads(const GpuTarget& target);

// "convert-tile-gpu": code of one thread, in arith, math, scf and the LLVM dialect. The module then says what a launch needs (TileGpuDialect.h).
std::unique_ptr<mlir::Pass> create_convert_tile_gpu(const GpuTarget& target);

}  // namespace tilewright::gpu
