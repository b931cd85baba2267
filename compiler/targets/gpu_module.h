// What a module for a GPU says of itself once it is lowered to the LLVM dialect, in attributes that its way there leaves for the code generators.
#pragma once

#include "runtime/artifact.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright {

inline constexpr llvm::StringLiteral kGpuKernelAttr = "tile_gpu.kernel";  // unit, of the one function that is launched
inline constexpr llvm::StringLiteral kGpuWarpsAttr = "tile_gpu.warps";    // i64, of the module: warps of a block
inline constexpr llvm::StringLiteral kGpuSharedBytesAttr =
    "tile_gpu.shared_bytes";  // i64, of the module: shared memory that the launch adds; absent: none
inline constexpr llvm::StringLiteral kGpuAssertionsAttr = "tile_gpu.assertions";  // strings, of the module: Artifact::assertions; absent: none
inline constexpr llvm::StringLiteral kGpuRemarksAttr = "tile_gpu.remarks";        // strings, of the module: Artifact::remarks; absent: none

inline constexpr llvm::StringLiteral kGpuMapsAttr = "tile_gpu.maps";  // arrays of i64, of the module: parameter and box of each of Artifact::maps; absent: none

struct GpuModule {
  mlir::LLVM::LLVMFuncOp kernel;
  int warps = 0;
  std::uint64_t shared_bytes = 0;
  std::vector<std::string> assertions, remarks;
  std::vector<BoxMap> maps;
};

// Throws Error TW9304 for a module without exactly one kernel, or without a number of warps.
GpuModule read_gpu_module(mlir::ModuleOp module);

// Throws Error TW2310 for more shared memory and TW2311 for more warps than a block of the target can have, with the kernel's position.
void check_limits(GpuModule& module, const std::string& target, std::uint64_t max_shared_bytes, int max_warps);

// Throws Error TW2300, with the operation's name and position, where something of a dialect other than `lowered` is left.
void check_lowered(mlir::ModuleOp module, llvm::ArrayRef<llvm::StringRef> lowered, const std::string& target);

}  // namespace tilewright
