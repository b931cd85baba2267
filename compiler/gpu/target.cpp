#include "compiler/gpu/target.h"

#include "compiler/transforms/atomic.h"

namespace tilewright::gpu {

mlir::Value GpuTarget::atomic(Builder& b, tile::AtomicKind kind, Value value, Value address, Value expected) const {
  return create_atomic(b, kind, value, address, expected, device_scope());
}

}  // namespace tilewright::gpu
