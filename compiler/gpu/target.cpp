#include "compiler/gpu/target.h"

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/transforms/atomic.h"

namespace tilewright::gpu {

DotElements DotElements::of(tile_gpu::GroupDotOp dot) {
  const auto element = [](mlir::TypeAttr format, mlir::Type type) { return format ? format.getValue() : type; };
  const mlir::Type left = dot.getA()         ? dot.getA().getType().getElementType()
                          : dot.getAShared() ? dot.getAShared().getType().getElementType()
                                             : dot.getAChannel().getType().getElementType();
  const mlir::Type right = dot.getBShared() ? dot.getBShared().getType().getElementType() : dot.getBChannel().getType().getElementType();
  return {element(dot.getAFormatAttr(), left), element(dot.getBFormatAttr(), right), dot.getAcc().getType().getElementType()};
}

mlir::Value GpuTarget::atomic(Builder& b, tile::AtomicKind kind, Value value, Value address, Value expected) const {
  return create_atomic(b, kind, value, address, expected, device_scope());
}

void GpuTarget::fence(Builder& b, tile::MemoryOrder order) const { create_fence(b, order, device_scope()); }

}  // namespace tilewright::gpu
