// Modules of the LLVM dialect, written by hand as the passes for GPUs leave them, for tests of what comes after.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace tilewright::amd::testing {

// z = x + y over 1000 elements by blocks of two warps, every operation at a line of "add.cpp". The slots: x, y and z as views of rank 1 (address, size, stride), and the assertion board.
std::string add_module();

// A function of one slot, the address of an f32, with `operation` applied to the element: "%r = llvm.fadd %x, %x : f32". It stands at "one.cpp":5:3.
std::string one_operation_module(const std::string& operation);

mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext& context, const std::string& text);

}  // namespace tilewright::amd::testing
