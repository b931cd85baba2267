#include "compiler/targets/nvidia/nvidia_pipeline.h"

#include "compiler/gpu/pipeline.h"
#include "compiler/pipelines/tile_pipeline.h"

namespace tilewright::nvidia {

void build_pipeline(mlir::OpPassManager& passes, const NvidiaGpu& target, Stage last) {
  build_tile_pipeline(passes);
  gpu::build_gpu_level(passes, target);
  if (last == Stage::Llvm) gpu::build_gpu_lowering(passes, target);
}

}  // namespace tilewright::nvidia
