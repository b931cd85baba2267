#include "compiler/pipelines/cpu_pipeline.h"

#include "compiler/pipelines/tile_pipeline.h"
#include "compiler/targets/cpu/lowering/passes.h"
#include "compiler/transforms/passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Transforms/Passes.h"

namespace tilewright {

void build_cpu_pipeline(mlir::OpPassManager& passes, const cpu::CpuTarget& target) {
  build_tile_pipeline(passes);
  passes.addPass(create_widen_f8_dots(/*to_f16=*/false));

  // Tiles to vectors.
  passes.addPass(cpu::create_convert_tile_to_cpu(target));
  passes.addPass(mlir::createCSEPass());
  passes.addPass(create_expand_math());

  // Vectors and loops to the LLVM dialect.
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createConvertMathToLibmPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
}

}  // namespace tilewright
