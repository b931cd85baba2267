#include "compiler/gpu/pipeline.h"

#include "compiler/gpu/dot_layouts.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/transforms/passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

namespace tilewright::gpu {

void build_gpu_level(mlir::OpPassManager& passes, const GpuTarget& target) {
  passes.addPass(create_widen_f8_dots(/*to_f16=*/true, [&target](mlir::Operation* dot) { return instruction_of(target, llvm::cast<tile::DotOp>(dot)).has_value(); }));
  passes.addPass(create_assign_layouts(target));
  passes.addPass(mlir::createCSEPass());
  passes.addNestedPass<mlir::func::FuncOp>(create_sink_past_loops());
  passes.addPass(create_split_roles(target));
  passes.addPass(create_overlap_products(target));
  passes.addPass(create_begin_products(target));
  passes.addPass(create_stage_loads(target));
}

void build_gpu_lowering(mlir::OpPassManager& passes, const GpuTarget& target) {
  passes.addPass(create_convert_tile_gpu(target));
  passes.addPass(create_expand_math());  // folds too: accesses whose results are known must be gone before barriers are placed
  passes.addPass(mlir::createCSEPass());
  passes.addPass(create_allocate_shared(target));
  passes.addPass(create_insert_barriers(target));
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  passes.addPass(create_check_shared());
}

}  // namespace tilewright::gpu
