// The CPU target's way from the tile dialect to the LLVM dialect, as one list of passes.
#pragma once

#include "compiler/targets/cpu/cpu_target.h"

#include "mlir/Pass/PassManager.h"

namespace tilewright {

void build_cpu_pipeline(mlir::OpPassManager& passes, const cpu::CpuTarget& target);

}  // namespace tilewright
