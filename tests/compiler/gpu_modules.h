// Modules of the LLVM dialect, written by hand as the passes for GPUs leave them, for tests of what comes after.
#pragma once

#include "runtime/artifact.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace tilewright::testing {

// z = x + y over 1000 elements by blocks of 128 threads, every operation at a line of "add.cpp" but for the addition, which is at "helper.h":7:9. `thread` and `block` are the operations that give
// their numbers. The slots: x, y and z as views of rank 1 (address, size, stride), and the assertion board.
std::string add_module(int warps, const std::string& thread, const std::string& block);

// A function of one slot, the address of an f32, with `operation` applied to the element: "%r = llvm.fadd %x, %x : f32". It stands at "one.cpp":5:3.
std::string one_operation_module(const std::string& operation);

mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext& context, const std::string& text);

// What the target makes of a module.
Artifact artifact_of(const std::string& module, const std::string& target);

}  // namespace tilewright::testing
