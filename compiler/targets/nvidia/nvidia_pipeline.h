// The NVIDIA target's way from the tile dialect to the LLVM dialect, as one list of passes.
#pragma once

#include "compiler/targets/nvidia/nvidia_gpu.h"

#include "mlir/Pass/PassManager.h"

namespace tilewright::nvidia {

// The LLVM dialect, or the GPU level before it.
enum class Stage { Gpu, Llvm };

// The target outlives the passes.
void build_pipeline(mlir::OpPassManager& passes, const NvidiaGpu& target, Stage last);

}  // namespace tilewright::nvidia
