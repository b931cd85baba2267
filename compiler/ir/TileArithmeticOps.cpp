// Constant folding of division, remainder and saturating conversion, where the rules are the operations' semantics; the rules of external functions.
#include "compiler/ir/TileOps.h"

#include "llvm/ADT/APSInt.h"
#include "llvm/ADT/StringSwitch.h"
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

// The element type that a dtype becomes; null for another word.
mlir::Type named_element_type(mlir::MLIRContext* context, llvm::StringRef dtype) {
  const auto integer = [&](unsigned bits) { return mlir::IntegerType::get(context, bits); };
  return llvm::StringSwitch<mlir::Type>(dtype)
      .Case("bool", integer(1))
      .Cases({"i8", "u8"}, integer(8))
      .Cases({"i16", "u16"}, integer(16))
      .Cases({"i32", "u32"}, integer(32))
      .Cases({"i64", "u64"}, integer(64))
      .Case("f16", mlir::Float16Type::get(context))
      .Case("bf16", mlir::BFloat16Type::get(context))
      .Case("f32", mlir::Float32Type::get(context))
      .Case("f64", mlir::Float64Type::get(context))
      .Default({});
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

mlir::LogicalResult ExternOp::verify() {
  if (getInputs().empty()) return emitOpError("has no arguments");
  if (getLanguage().empty() || getName().empty() || getSource().empty()) return emitOpError("needs a language, a name and a source");
  if (getDtypes().size() != getInputs().size() + 1) return emitOpError("has ") << getDtypes().size() << " dtypes for " << getInputs().size() << " arguments and a result";
  for (auto [position, attribute] : llvm::enumerate(getDtypes())) {
    const mlir::Type type = element_type_of(position < getInputs().size() ? getInputs()[position].getType() : getResult().getType());
    const llvm::StringRef dtype = llvm::cast<mlir::StringAttr>(attribute).getValue();
    if (named_element_type(getContext(), dtype) != type) return emitOpError("dtype '") << dtype << "' does not stand for elements of " << type;
  }
  return mlir::success();
}

}  // namespace tilewright::tile
