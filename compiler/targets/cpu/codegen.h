// From a module of the LLVM dialect to machine code.
#pragma once

#include "compiler/targets/cpu/cpu_target.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace tilewright::cpu {

enum class Output { LlvmIr, Assembly, Object };

// Optimises and emits. Throws Error TW2xxx where LLVM refuses. Thread-safe for different contexts.
std::vector<char> generate(mlir::ModuleOp module, const CpuTarget& target, Output output);

}  // namespace tilewright::cpu
