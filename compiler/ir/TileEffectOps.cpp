// Verifiers and canonical forms of print and assert.
#include "compiler/ir/TileOps.h"

#include "mlir/IR/Matchers.h"

namespace tilewright::tile {

mlir::LogicalResult PrintOp::verify() {
  if (auto flags = getUnsignedOperands(); flags && flags->size() != getValues().size())
    return emitOpError() << "has " << flags->size() << " entries in 'unsigned_operands' for " << getValues().size() << " operands";
  return mlir::success();
}

// An assertion known to hold is nothing.
mlir::LogicalResult AssertOp::canonicalize(AssertOp op, mlir::PatternRewriter& rewriter) {
  mlir::Attribute constant;
  if (!mlir::matchPattern(op.getCondition(), mlir::m_Constant(&constant))) return mlir::failure();
  if (auto scalar = llvm::dyn_cast<mlir::IntegerAttr>(constant)) {
    if (scalar.getValue().isZero()) return mlir::failure();
  } else if (auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(constant)) {
    if (!llvm::all_of(dense.getValues<bool>(), [](bool holds) { return holds; })) return mlir::failure();
  } else {
    return mlir::failure();
  }
  rewriter.eraseOp(op);
  return mlir::success();
}

}  // namespace tilewright::tile
