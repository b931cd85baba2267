#include "compiler/gpu/lowering/emitter.h"

namespace tilewright::gpu {

void Emitter::emit_topk(tile::TopKOp op) { fail(op, "has no code on GPUs"); }

}  // namespace tilewright::gpu
