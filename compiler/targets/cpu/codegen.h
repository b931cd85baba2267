// From a module of the LLVM dialect to machine code, and machine code into this process.
#pragma once

#include "compiler/targets/cpu/cpu_target.h"
#include "runtime/artifact.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <string>
#include <vector>

namespace tilewright::cpu {

enum class Output { LlvmIr, Assembly, Object };

// Optimises and emits. Throws Error TW2xxx where LLVM refuses. Thread-safe for different contexts.
std::vector<char> generate(mlir::ModuleOp module, const CpuTarget& target, Output output);

// Links an object into the process; the entry is valid as long as the handle lives. The object may name functions of the C mathematics library only.
std::shared_ptr<void> load_object(const Artifact& artifact, CpuEntry& entry);

}  // namespace tilewright::cpu
