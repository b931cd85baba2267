// Atomic operations on memory as LLVM spells them.
#pragma once

#include "compiler/ir/TileOps.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilewright {

// Acts on the element at `address`, relaxed, at a scope by LLVM's name (empty: the whole system), and gives what was there. `expected` belongs to CompareExchange. LLVM expands what a target has
// no instruction for.
mlir::Value create_atomic(mlir::ImplicitLocOpBuilder& b, tile::AtomicKind kind, mlir::Value value, mlir::Value address, mlir::Value expected, llvm::StringRef scope);

// A fence of the thread that executes it, at such a scope.
void create_fence(mlir::ImplicitLocOpBuilder& b, tile::MemoryOrder order, llvm::StringRef scope);

}  // namespace tilewright
