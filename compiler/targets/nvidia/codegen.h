// From a module of the LLVM dialect to PTX.
#pragma once

#include "compiler/targets/nvidia/nvidia_target.h"
#include "compiler/targets/phases.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace tilewright::nvidia {

enum class Output { LlvmIr, Ptx };

// The optimised LLVM IR, or the PTX of it, of a module that compiler/targets/gpu_module.h describes. The same module gives the same text in every process. Changes the module. Throws
// Error TW2300 with the author's position where LLVM has no code for an operation, TW2310 and TW2311 for more shared memory or threads than a block can have. Thread-safe for
// different contexts.
std::string generate(mlir::ModuleOp module, const NvidiaTarget& target, Output output, std::vector<PhaseTime>& phases);

}  // namespace tilewright::nvidia
