// Elementwise operations that need more than the operation of the same name on vectors: what LLVM leaves undefined, and the narrow floats.
#include "compiler/targets/cpu/lowering/emitter.h"
#include "compiler/transforms/float8.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

namespace tilewright::cpu {

namespace arith = mlir::arith;

namespace {

bool is_narrow(mlir::Type type) { return type.isF16() || type.isBF16(); }

// `like` with its element type replaced.
mlir::Type with_element(mlir::Type like, mlir::Type element) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(like)) return vector.clone(element);
  return element;
}

}  // namespace

Emitter::Value Emitter::convert(mlir::Operation* op, llvm::ArrayRef<Value> operands, mlir::Type result) {
  const auto element_of = [](Value value) { return mlir::getElementTypeOrSelf(value.getType()); };
  if (op->getNumResults() != 1) return {};
  const mlir::Type to = element_of(op->getResult(0));

  if (llvm::isa<arith::ExtFOp>(op)) {
    if (operands[0].getType() == result) return operands[0];
    return arith::ExtFOp::create(b_, result, operands[0]);
  }
  if (llvm::isa<arith::TruncFOp>(op)) {
    if (!is_narrow(to)) return arith::TruncFOp::create(b_, result, operands[0]);
    Value x = operands[0];
    if (element_of(op->getOperand(0)).isF64()) x = double_to_odd_float(x);
    return round_to(x, to);
  }
  if (llvm::isa<arith::BitcastOp>(op)) {
    const mlir::Type from = element_of(op->getOperand(0));
    Value bits = operands[0];
    if (is_narrow(from)) bits = narrow_bits(bits, from);
    if (is_narrow(to)) {
      const mlir::Type i16 = with_element(result, b_.getI16Type());
      return widen_bits(bits.getType() == i16 ? bits : arith::BitcastOp::create(b_, i16, bits).getResult(), to);
    }
    return bits.getType() == result ? bits : arith::BitcastOp::create(b_, result, bits).getResult();
  }
  if (llvm::isa<arith::SIToFPOp, arith::UIToFPOp>(op) && is_narrow(to)) {
    const mlir::Type f64 = with_element(result, b_.getF64Type());
    Value wide = llvm::isa<arith::SIToFPOp>(op) ? arith::SIToFPOp::create(b_, f64, operands[0]).getResult()
                                                : arith::UIToFPOp::create(b_, f64, operands[0]).getResult();
    return round_to(double_to_odd_float(wide), to);
  }
  if (llvm::isa<tile::DivSOp, tile::DivUOp, tile::RemSOp, tile::RemUOp>(op)) return divide(op, operands[0], operands[1]);
  if (auto decode = llvm::dyn_cast<tile::DecodeF8Op>(op)) return decode_float8(b_, operands[0], decode.getFormat());
  if (auto encode = llvm::dyn_cast<tile::EncodeF8Op>(op)) return encode_float8(b_, operands[0], encode.getFormat());
  if (llvm::isa<tile::FPToSISatOp>(op)) return float_to_int(operands[0], result, true);
  if (llvm::isa<tile::FPToUISatOp>(op)) return float_to_int(operands[0], result, false);
  return {};
}

// The f32 next to x on the side of zero, with its last bit set if x lies between two: rounding that to a narrower type is rounding x.
Emitter::Value Emitter::double_to_odd_float(Value x) {
  const mlir::Type f32 = with_element(x.getType(), b_.getF32Type()), i32 = with_element(x.getType(), b_.getI32Type());
  Value nearest = arith::TruncFOp::create(b_, f32, x);
  Value back = arith::ExtFOp::create(b_, x.getType(), nearest);
  Value bits = arith::BitcastOp::create(b_, i32, nearest);
  Value above = arith::CmpFOp::create(b_, arith::CmpFPredicate::OGT, math_abs(back), math_abs(x));
  Value inexact = arith::CmpFOp::create(b_, arith::CmpFPredicate::ONE, back, x);
  Value toward_zero = arith::SubIOp::create(b_, bits, arith::ExtUIOp::create(b_, i32, above));
  Value odd = arith::OrIOp::create(b_, toward_zero, arith::ExtUIOp::create(b_, i32, inexact));
  return arith::BitcastOp::create(b_, f32, odd);
}

Emitter::Value Emitter::math_abs(Value x) { return mlir::math::AbsFOp::create(b_, x); }

Emitter::Value Emitter::round_to(Value x, mlir::Type narrow) { return widen_bits(narrow_bits(x, narrow), narrow); }

Emitter::Value Emitter::widen_bits(Value bits, mlir::Type narrow) {
  const mlir::Type f32 = with_element(bits.getType(), b_.getF32Type()), i32 = with_element(bits.getType(), b_.getI32Type());
  if (narrow.isF16() && target_.has_f16_conversion)
    return arith::ExtFOp::create(b_, f32, arith::BitcastOp::create(b_, with_element(bits.getType(), b_.getF16Type()), bits).getResult());
  Value wide = arith::ExtUIOp::create(b_, i32, bits);
  const auto constant = [&](std::int64_t value) { return int_like(i32, value); };
  if (narrow.isBF16()) return arith::BitcastOp::create(b_, f32, arith::ShLIOp::create(b_, wide, constant(16)));

  // f16: the exponent moves into place by a product with 2^112, which is exact for subnormals too; infinity and NaN get the full exponent.
  Value sign = arith::ShLIOp::create(b_, arith::AndIOp::create(b_, wide, constant(0x8000)), constant(16));
  Value magnitude = arith::ShLIOp::create(b_, arith::AndIOp::create(b_, wide, constant(0x7fff)), constant(13));
  Value scaled = arith::MulFOp::create(b_, arith::BitcastOp::create(b_, f32, magnitude), constant_like(f32, 0x1p112));
  Value special = arith::CmpIOp::create(b_, arith::CmpIPredicate::uge, magnitude, constant(0x7c00 << 13));
  Value full = arith::OrIOp::create(b_, magnitude, constant(0x7f800000));
  Value finite = arith::BitcastOp::create(b_, i32, scaled);
  Value value = arith::OrIOp::create(b_, arith::SelectOp::create(b_, special, full, finite), sign);
  return arith::BitcastOp::create(b_, f32, value);
}

// Round to nearest even.
Emitter::Value Emitter::narrow_bits(Value x, mlir::Type narrow) {
  const mlir::Type i32 = with_element(x.getType(), b_.getI32Type()), i16 = with_element(x.getType(), b_.getI16Type());
  if (narrow.isF16() && target_.has_f16_conversion) {
    Value half = arith::TruncFOp::create(b_, with_element(x.getType(), b_.getF16Type()), x);
    return arith::BitcastOp::create(b_, i16, half);
  }
  const auto constant = [&](std::int64_t value) { return int_like(i32, value); };
  const auto shr = [&](Value value, int by) { return arith::ShRUIOp::create(b_, value, constant(by)).getResult(); };
  Value bits = arith::BitcastOp::create(b_, i32, x);
  Value nan = arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, x, x);
  if (narrow.isBF16()) {
    Value odd = arith::AndIOp::create(b_, shr(bits, 16), constant(1));
    Value rounded = arith::AddIOp::create(b_, bits, arith::AddIOp::create(b_, odd, constant(0x7fff)));
    Value quiet = arith::OrIOp::create(b_, bits, constant(0x400000));
    return arith::TruncIOp::create(b_, i16, shr(arith::SelectOp::create(b_, nan, quiet, rounded), 16));
  }

  // f16. Normal results: round the low 13 bits away and rebias. Subnormal results: adding 0.5 aligns the unit in the last place with f16's smallest step.
  const mlir::Type f32 = x.getType();
  Value sign = arith::AndIOp::create(b_, shr(bits, 16), constant(0x8000));
  Value magnitude = arith::AndIOp::create(b_, bits, constant(0x7fffffff));
  Value odd = arith::AndIOp::create(b_, shr(magnitude, 13), constant(1));
  Value biased = arith::AddIOp::create(b_, magnitude, arith::AddIOp::create(b_, odd, constant(0xfff - (112ll << 23))));
  Value normal = shr(biased, 13);
  Value small_sum = arith::AddFOp::create(b_, arith::BitcastOp::create(b_, f32, magnitude), constant_like(f32, 0.5));
  Value subnormal = arith::SubIOp::create(b_, arith::BitcastOp::create(b_, i32, small_sum), constant(0x3f000000));
  Value is_small = arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, magnitude, constant(113ll << 23));
  Value is_large = arith::CmpIOp::create(b_, arith::CmpIPredicate::uge, magnitude, constant(0x477ff000));  // 65520 rounds to infinity
  Value finite = arith::SelectOp::create(b_, is_small, subnormal, normal);
  Value value = arith::SelectOp::create(b_, is_large, constant(0x7c00), finite);
  value = arith::SelectOp::create(b_, nan, constant(0x7e00), value);
  return arith::TruncIOp::create(b_, i16, arith::OrIOp::create(b_, value, sign));
}

Emitter::Value Emitter::divide(mlir::Operation* op, Value x, Value y) {
  const mlir::Type type = x.getType();
  const unsigned width = mlir::getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Value zero = int_like(type, 0), one = int_like(type, 1);
  Value by_zero = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, y, zero);
  Value safe = arith::SelectOp::create(b_, by_zero, one, y);
  Value quotient;
  if (llvm::isa<tile::DivUOp, tile::RemUOp>(op)) {
    quotient = arith::DivUIOp::create(b_, x, safe);
  } else {
    // The lowest integer by -1 wraps to itself: divide by 1 instead.
    const std::int64_t lowest = width == 64 ? std::numeric_limits<std::int64_t>::min() : -(std::int64_t{1} << (width - 1));
    Value wraps = arith::AndIOp::create(b_, arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, x, int_like(type, lowest)),
                                        arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, y, int_like(type, -1)));
    quotient = arith::DivSIOp::create(b_, x, arith::SelectOp::create(b_, wraps, one, safe));
  }
  quotient = arith::SelectOp::create(b_, by_zero, zero, quotient);
  if (llvm::isa<tile::DivSOp, tile::DivUOp>(op)) return quotient;
  return arith::SubIOp::create(b_, x, arith::MulIOp::create(b_, quotient, y));
}

Emitter::Value Emitter::float_to_int(Value x, mlir::Type result, bool is_signed) {
  // The intrinsics saturate and send NaN to 0.
  return mlir::LLVM::CallIntrinsicOp::create(b_, result, b_.getStringAttr(is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat"), mlir::ValueRange{x})
      .getResult(0);
}

}  // namespace tilewright::cpu
