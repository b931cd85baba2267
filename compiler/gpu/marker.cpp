#include "compiler/gpu/marker.h"

#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::gpu {

void Marker::mark(llvm::StringRef name, mlir::Attribute attribute, llvm::function_ref<void()> emit) {
  name_ = name;
  attribute_ = attribute;
  emit();
  attribute_ = {};
}

void Marker::notifyOperationInserted(mlir::Operation* op, mlir::OpBuilder::InsertPoint) {
  if (!attribute_ || op->getNumRegions() != 0 || mlir::isMemoryEffectFree(op)) return;
  mlir::Value address;
  if (auto load = llvm::dyn_cast<mlir::LLVM::LoadOp>(op)) address = load.getAddr();
  if (auto store = llvm::dyn_cast<mlir::LLVM::StoreOp>(op)) address = store.getAddr();
  if (address && llvm::cast<mlir::LLVM::LLVMPointerType>(address.getType()).getAddressSpace() != tile_gpu::kSharedSpace) return;
  op->setAttr(name_, attribute_);
}

}  // namespace tilewright::gpu
