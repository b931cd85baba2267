#include "compiler/targets/amd/amd_pipeline.h"

#include "compiler/gpu/pipeline.h"
#include "compiler/pipelines/tile_pipeline.h"
#include "compiler/targets/amd/widen_blocks.h"

namespace tilewright::amd {

void build_pipeline(mlir::OpPassManager& passes, const AmdGpu& target, Stage last) {
  build_tile_pipeline(passes);
  passes.addPass(create_widen_blocks(target));
  gpu::build_gpu_level(passes, target);
  if (last == Stage::Llvm) gpu::build_gpu_lowering(passes, target);
}

}  // namespace tilewright::amd
