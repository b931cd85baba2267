// From a module of the LLVM dialect to a code object.
#pragma once

#include "compiler/targets/amd/amd_target.h"
#include "compiler/targets/phases.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace tilewright::amd {

enum class Output { LlvmIr, Assembly, CodeObject };

// The optimised LLVM IR, the assembly, or the linked code object (hsaco) of a module that compiler/targets/gpu_module.h describes. The same module gives the same bytes in every process.
// Changes the module. Throws Error TW2300 with the author's position where LLVM has no code for an operation, TW2310 and TW2311 for more shared memory or threads than a block can
// have. Thread-safe for different contexts.
std::vector<char> generate(mlir::ModuleOp module, const AmdTarget& target, Output output, std::vector<PhaseTime>& phases);

}  // namespace tilewright::amd
