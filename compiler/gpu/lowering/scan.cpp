#include "compiler/gpu/lowering/emitter.h"

namespace tilewright::gpu {

void Emitter::emit_scan(tile::ScanOp op) { fail(op, "has no code on GPUs"); }

}  // namespace tilewright::gpu
