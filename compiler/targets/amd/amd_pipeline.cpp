#include "compiler/targets/amd/amd_pipeline.h"

#include "compiler/gpu/transforms/passes.h"
#include "compiler/pipelines/tile_pipeline.h"
#include "compiler/targets/amd/widen_blocks.h"
#include "compiler/transforms/passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Transforms/Passes.h"

namespace tilewright::amd {

void build_pipeline(mlir::OpPassManager& passes, const AmdGpu& target, Stage last) {
  build_tile_pipeline(passes);
  passes.addPass(create_widen_blocks(target));
  passes.addPass(gpu::create_assign_layouts(target));
  passes.addPass(mlir::createCSEPass());
  passes.addPass(gpu::create_stage_loads(target));
  if (last == Stage::Gpu) return;

  passes.addPass(gpu::create_convert_tile_gpu(target));
  passes.addPass(mlir::createCSEPass());
  passes.addPass(create_expand_math());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
}

}  // namespace tilewright::amd
