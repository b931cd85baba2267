// How much shared memory tiles that stay there leave to operations that need some for themselves.
#pragma once

#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>

namespace tilewright::gpu {

// What conversions have to have: no more than the usual reserve for those that can do with that. Those that `without` picks, which may be null, do not count.
std::int64_t scratch_reserve(mlir::func::FuncOp kernel, llvm::function_ref<bool(tile_gpu::ConvertLayoutOp)> without = nullptr);

}  // namespace tilewright::gpu
