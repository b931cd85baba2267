#include "compiler/pipelines/tile_pipeline.h"

#include "compiler/transforms/passes.h"

#include "mlir/Transforms/Passes.h"

namespace tilewright {

void build_tile_pipeline(mlir::OpPassManager& passes) {
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());  // equal sizes and starts become one value, as the next passes compare values
  passes.addPass(create_shrink_elementwise());
  passes.addPass(create_simplify_access());
  passes.addPass(create_hoist_loads());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
}

}  // namespace tilewright
