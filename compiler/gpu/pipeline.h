// What every vendor's pipeline has in common, from the canonical tile dialect on.
#pragma once

#include "compiler/gpu/target.h"

#include "mlir/Pass/PassManager.h"

namespace tilewright::gpu {

// Tiles to the GPU level: layouts, then staging. The target outlives the passes.
void build_gpu_level(mlir::OpPassManager& passes, const GpuTarget& target);

// The GPU level to the LLVM dialect.
void build_gpu_lowering(mlir::OpPassManager& passes, const GpuTarget& target);

}  // namespace tilewright::gpu
