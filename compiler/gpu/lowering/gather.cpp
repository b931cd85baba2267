// Operations that take elements from other threads' parts of a tile: by way of scratch.
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;

void Emitter::emit_take(tile::TakeOp op) { fail(op, "has no code on GPUs"); }

void Emitter::emit_concat(tile::ConcatOp op) { fail(op, "has no code on GPUs"); }

void Emitter::emit_slice(tile::SliceOp op) { fail(op, "has no code on GPUs"); }

}  // namespace tilewright::gpu
