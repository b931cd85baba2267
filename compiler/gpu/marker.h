// Marks for the operations with which a target touches shared memory or lets threads wait, whatever they are.
#pragma once

#include "mlir/IR/Builders.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace tilewright::gpu {

// A listener of a builder.
class Marker : public mlir::OpBuilder::Listener {
 public:
  // Operations with effects that the builder makes in `emit` get the attribute; loads and stores do if they are of shared memory.
  void mark(llvm::StringRef name, mlir::Attribute attribute, llvm::function_ref<void()> emit);

  void notifyOperationInserted(mlir::Operation* op, mlir::OpBuilder::InsertPoint previous) override;

 private:
  llvm::StringRef name_;
  mlir::Attribute attribute_;
};

}  // namespace tilewright::gpu
