// The passes of the CPU target.
#pragma once

#include "compiler/targets/cpu/cpu_target.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tilewright::cpu {

// "convert-tile-to-cpu": kernels of the tile dialect to loops over vectors and scratch memory, in the calling convention of runtime/artifact.h. The function
// gets the attributes below.
std::unique_ptr<mlir::Pass> create_convert_tile_to_cpu(const CpuTarget& target);

inline constexpr llvm::StringLiteral kScratchBytesAttr = "tilewright.scratch_bytes";  // i64
inline constexpr llvm::StringLiteral kRemarksAttr = "tilewright.remarks";               // strings: Artifact::remarks

}  // namespace tilewright::cpu
