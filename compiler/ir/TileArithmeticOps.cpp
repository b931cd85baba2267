// Constant folding of division, remainder and saturating conversion; the rules here are the operations' semantics.
#include "compiler/ir/TileOps.h"

#include "llvm/ADT/APSInt.h"
#include "mlir/Dialect/CommonFolders.h"

namespace tilewright::tile {

namespace {

using llvm::APInt;

mlir::Attribute fold_division(llvm::ArrayRef<mlir::Attribute> operands, llvm::function_ref<APInt(const APInt&, const APInt&)> divide) {
  return mlir::constFoldBinaryOp<mlir::IntegerAttr, APInt, void>(operands, [&](APInt x, APInt y) { return divide(x, y); });
}

bool is_one(mlir::Attribute attribute) {
  if (auto dense = llvm::dyn_cast_if_present<mlir::DenseIntElementsAttr>(attribute); dense && dense.isSplat())
    return dense.getSplatValue<APInt>().isOne() && dense.getElementType().getIntOrFloatBitWidth() > 1;
  if (auto scalar = llvm::dyn_cast_if_present<mlir::IntegerAttr>(attribute)) return scalar.getValue().isOne() && scalar.getValue().getBitWidth() > 1;
  return false;
}

APInt saturate(const llvm::APFloat& value, unsigned width, bool is_unsigned) {
  if (value.isNaN()) return APInt::getZero(width);
  llvm::APSInt result(width, is_unsigned);
  bool exact = false;
  value.convertToInteger(result, llvm::APFloat::rmTowardZero, &exact);  // saturates beyond the range
  return result;
}

mlir::Attribute fold_to_int(mlir::Attribute input, mlir::Type result, bool is_unsigned) {
  const unsigned width = mlir::getElementTypeOrSelf(result).getIntOrFloatBitWidth();
  return mlir::constFoldCastOp<mlir::FloatAttr, mlir::IntegerAttr, llvm::APFloat, APInt, void>(
      {input}, result, [&](const llvm::APFloat& value, bool&) { return saturate(value, width, is_unsigned); });
}

}  // namespace

mlir::OpFoldResult DivSOp::fold(FoldAdaptor adaptor) {
  if (is_one(adaptor.getRhs())) return getLhs();
  return fold_division(adaptor.getOperands(),
                       [](const APInt& x, const APInt& y) { return y.isZero() ? APInt::getZero(x.getBitWidth()) : x.sdiv(y); });
}

mlir::OpFoldResult DivUOp::fold(FoldAdaptor adaptor) {
  if (is_one(adaptor.getRhs())) return getLhs();
  return fold_division(adaptor.getOperands(),
                       [](const APInt& x, const APInt& y) { return y.isZero() ? APInt::getZero(x.getBitWidth()) : x.udiv(y); });
}

mlir::OpFoldResult RemSOp::fold(FoldAdaptor adaptor) {
  return fold_division(adaptor.getOperands(), [](const APInt& x, const APInt& y) { return y.isZero() ? x : x.srem(y); });
}

mlir::OpFoldResult RemUOp::fold(FoldAdaptor adaptor) {
  return fold_division(adaptor.getOperands(), [](const APInt& x, const APInt& y) { return y.isZero() ? x : x.urem(y); });
}

mlir::OpFoldResult FPToSISatOp::fold(FoldAdaptor adaptor) { return fold_to_int(adaptor.getInput(), getType(), false); }

mlir::OpFoldResult FPToUISatOp::fold(FoldAdaptor adaptor) { return fold_to_int(adaptor.getInput(), getType(), true); }

}  // namespace tilewright::tile
