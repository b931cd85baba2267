#include "compiler/targets/nvidia/nvidia_pipeline.h"

#include "compiler/pipelines/tile_pipeline.h"

namespace tilewright::nvidia {

void build_pipeline(mlir::OpPassManager& passes, const NvidiaTarget&, Stage) { build_tile_pipeline(passes); }

}  // namespace tilewright::nvidia
