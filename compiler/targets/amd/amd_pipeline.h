// The AMD target's way from the tile dialect to the LLVM dialect, as one list of passes.
#pragma once

#include "compiler/targets/amd/amd_gpu.h"

#include "mlir/Pass/PassManager.h"

namespace tilewright::amd {

// The LLVM dialect, or the GPU level before it.
enum class Stage { Gpu, Llvm };

// The target outlives the passes.
void build_pipeline(mlir::OpPassManager& passes, const AmdGpu& target, Stage last);

}  // namespace tilewright::amd
