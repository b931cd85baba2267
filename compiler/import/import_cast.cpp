// Import of constants and conversions.
#include "compiler/import/importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <bit>

namespace tilewright::import {

namespace arith = mlir::arith;

namespace {

mlir::TypedAttr every_element(mlir::Type type, mlir::TypedAttr value) {
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) return mlir::DenseElementsAttr::get(tensor, static_cast<mlir::Attribute>(value));
  return value;
}

unsigned width_of(mlir::Value value) { return tile::element_type_of(value.getType()).getIntOrFloatBitWidth(); }

bool is_half(mlir::Type element) { return element.isF16() || element.isBF16(); }

// The bits of a number in an 8-bit format, saturated as casts are.
std::int64_t float8_bits(mlir::FloatType format, double value) {
  constexpr std::int64_t kNan = 0x7f, kSign = 0x80;
  llvm::APFloat number(value);
  if (number.isNaN()) return kNan;
  const bool negative = number.isNegative();
  bool inexact = false;
  number.convert(format.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  if (!number.isFinite()) number = llvm::APFloat::getLargest(format.getFloatSemantics(), negative);
  return static_cast<std::int64_t>((number.bitcastToAPInt().getZExtValue() & ~static_cast<std::uint64_t>(kSign)) | (negative ? kSign : 0));
}

}  // namespace

mlir::Value Importer::constant(mlir::Type type, std::int64_t value) {
  const mlir::Type element = tile::element_type_of(type);
  const llvm::APInt bits = llvm::APInt(64, static_cast<std::uint64_t>(value)).trunc(element.getIntOrFloatBitWidth());
  return arith::ConstantOp::create(b_, every_element(type, b_.getIntegerAttr(element, bits)));
}

mlir::Value Importer::real_constant(mlir::Type type, double value) {
  const auto element = llvm::cast<mlir::FloatType>(tile::element_type_of(type));
  llvm::APFloat number(value);
  bool inexact = false;
  number.convert(element.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return arith::ConstantOp::create(b_, every_element(type, b_.getFloatAttr(element, number)));
}

mlir::Value Importer::constant_of(const program::Op& op) {
  const program::Type& type = result_type(op);
  if (is_float8(type.dtype)) return constant(type_of(type), float8_bits(float8_format(type.dtype), std::bit_cast<double>(op.ints.at(0))));
  if (is_float(type.dtype)) return real_constant(type_of(type), std::bit_cast<double>(op.ints.at(0)));
  return constant(type_of(type), op.ints.at(0));
}

mlir::Value Importer::widen(mlir::Value value) {
  if (!is_half(tile::element_type_of(value.getType()))) return value;
  return arith::ExtFOp::create(b_, tile::with_element(value.getType(), b_.getF32Type()), value);
}

mlir::Value Importer::narrow_to(mlir::Value value, mlir::Type element) {
  if (tile::element_type_of(value.getType()) == element) return value;
  return arith::TruncFOp::create(b_, tile::with_element(value.getType(), element), value);
}

mlir::FloatType Importer::float8_format(DType dtype) {
  if (dtype == DType::F8E4M3) return mlir::Float8E4M3FNType::get(b_.getContext());
  return mlir::Float8E5M2Type::get(b_.getContext());
}

mlir::Value Importer::decode(mlir::Value bits, DType float8) {
  return tile::DecodeF8Op::create(b_, tile::with_element(bits.getType(), b_.getF32Type()), float8_format(float8), bits);
}

mlir::Value Importer::encode(mlir::Value value, DType float8) {
  return tile::EncodeF8Op::create(b_, tile::with_element(value.getType(), b_.getI8Type()), float8_format(float8), value);
}

// u64 stays as it is: what does not fit in i64 reads as negative, and both lie outside every view.
mlir::Value Importer::index_tile(mlir::Value value, DType dtype) {
  if (dtype == DType::U32) return cast(value, dtype, DType::I64);
  if (size_of(dtype) < 4) return cast(value, dtype, DType::I32);
  return value;
}

mlir::Value Importer::bitcast(const program::Op& op) {
  const mlir::Type result = type_of(result_type(op));
  const mlir::Value input = operand(op, 0);
  return input.getType() == result ? input : mlir::Value(arith::BitcastOp::create(b_, result, input));
}

mlir::Value Importer::cast(mlir::Value value, DType from, DType to) {
  const mlir::Type target = tile::with_element(value.getType(), element_type(to));
  if (from == to) return value;
  if (is_float8(from)) return cast(decode(value, from), DType::F32, to);
  if (is_float8(to)) return encode(is_float(from) ? single(value) : int_to_float(value, from, DType::F32), to);  // integers that f32 rounds are beyond its range
  if (to == DType::Bool) {
    if (!is_float(from)) return arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, value, constant(value.getType(), 0));
    const mlir::Value wide = widen(value);
    return arith::CmpFOp::create(b_, arith::CmpFPredicate::UNE, wide, real_constant(wide.getType(), 0));
  }
  if (is_float(from)) {
    if (is_float(to)) return float_to_float(value, to);
    const mlir::Value wide = widen(value);
    return is_signed_int(to) ? mlir::Value(tile::FPToSISatOp::create(b_, target, wide)) : mlir::Value(tile::FPToUISatOp::create(b_, target, wide));
  }
  if (is_float(to)) return int_to_float(value, from, to);
  if (value.getType() == target) return value;
  if (width_of(value) > element_type(to).getIntOrFloatBitWidth()) return arith::TruncIOp::create(b_, target, value);
  return is_signed_int(from) ? mlir::Value(arith::ExtSIOp::create(b_, target, value)) : mlir::Value(arith::ExtUIOp::create(b_, target, value));
}

// An integer that the intermediate type cannot hold exactly would be rounded twice on its way to bf16; f16 is safe, since what f32 rounds is
// infinite there.
mlir::Value Importer::int_to_float(mlir::Value value, DType from, DType to) {
  const bool is_signed = is_signed_int(from);
  auto convert = [&](mlir::Value integer, mlir::Type element) -> mlir::Value {
    const mlir::Type type = tile::with_element(integer.getType(), element);
    return is_signed ? mlir::Value(arith::SIToFPOp::create(b_, type, integer)) : mlir::Value(arith::UIToFPOp::create(b_, type, integer));
  };
  const mlir::Type element = element_type(to);
  if (!is_half(element)) return convert(value, element);
  if (to == DType::F16 || width_of(value) <= 16) return narrow_to(convert(value, b_.getF32Type()), element);

  if (width_of(value) == 64) {  // more than 53 bits: fold the lowest 11 into one that keeps them inexact
    const mlir::Type type = value.getType();
    const mlir::Value shift = constant(type, 11);
    const mlir::Value high = arith::ShLIOp::create(b_, value, shift);
    const mlir::Value kept = is_signed ? mlir::Value(arith::ShRSIOp::create(b_, high, shift)) : mlir::Value(arith::ShRUIOp::create(b_, high, shift));
    const mlir::Value fits = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, kept, value);
    const mlir::Value low = arith::AndIOp::create(b_, value, constant(type, 0x7ff));
    const mlir::Value exact = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, low, constant(type, 0));
    const mlir::Value none = constant(type, 0), lowest = constant(type, 0x800);
    const mlir::Value sticky = arith::SelectOp::create(b_, exact, none, lowest);
    const mlir::Value high_part = arith::AndIOp::create(b_, value, constant(type, ~std::int64_t{0x7ff}));
    const mlir::Value folded = arith::OrIOp::create(b_, high_part, sticky);
    value = arith::SelectOp::create(b_, fits, value, folded);
  }
  return narrow_to(round_to_odd(convert(value, b_.getF64Type())), element);
}

mlir::Value Importer::float_to_float(mlir::Value value, DType to) {
  const mlir::Type element = element_type(to);
  if (tile::element_type_of(value.getType()).isF64()) return narrow_to(is_half(element) ? single(value) : value, element);
  value = widen(value);
  if (to == DType::F64) return arith::ExtFOp::create(b_, tile::with_element(value.getType(), element), value);
  return narrow_to(value, element);
}

mlir::Value Importer::single(mlir::Value value) { return tile::element_type_of(value.getType()).isF64() ? round_to_odd(value) : widen(value); }

// The nearest f32, but where it is inexact and its last bit even, its neighbour on the other side of the value.
mlir::Value Importer::round_to_odd(mlir::Value f64) {
  const mlir::Type single = tile::with_element(f64.getType(), b_.getF32Type()), bits_type = tile::with_element(f64.getType(), b_.getI32Type());
  const mlir::Value nearest = arith::TruncFOp::create(b_, single, f64);
  const mlir::Value back = arith::ExtFOp::create(b_, f64.getType(), nearest);
  const mlir::Value inexact = arith::CmpFOp::create(b_, arith::CmpFPredicate::ONE, back, f64);
  const mlir::Value bits = arith::BitcastOp::create(b_, bits_type, nearest);
  const mlir::Value last = arith::AndIOp::create(b_, bits, constant(bits_type, 1));
  const mlir::Value even = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, last, constant(bits_type, 0));
  const mlir::Value back_size = mlir::math::AbsFOp::create(b_, back), size = mlir::math::AbsFOp::create(b_, f64);
  const mlir::Value away = arith::CmpFOp::create(b_, arith::CmpFPredicate::OGT, back_size, size);
  const mlir::Value down = constant(bits_type, -1), up = constant(bits_type, 1);
  const mlir::Value step = arith::SelectOp::create(b_, away, down, up);
  const mlir::Value odd = arith::BitcastOp::create(b_, single, arith::AddIOp::create(b_, bits, step));
  return arith::SelectOp::create(b_, arith::AndIOp::create(b_, inexact, even), odd, nearest);
}

}  // namespace tilewright::import
