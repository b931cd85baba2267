// Arithmetic on f64, for the expansions of mathematical functions on f64. Values are scalars or vectors; all of one expansion have the same shape.
#pragma once

#include "compiler/transforms/expand_math.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

namespace tilewright {

class F64Math {
 public:
  using Value = mlir::Value;
  static constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

  F64Math(mlir::ImplicitLocOpBuilder& b, mlir::Type type)
      : b_(b), f64_(type), i64_(with_element(type, b.getI64Type())), i32_(with_element(type, b.getI32Type())) {}

 protected:
  Value f64(double value) { return splat_constant(b_, f64_, b_.getF64FloatAttr(value)); }
  Value i64(std::uint64_t value) { return splat_constant(b_, i64_, b_.getI64IntegerAttr(static_cast<std::int64_t>(value))); }
  Value i32(std::int32_t value) { return splat_constant(b_, i32_, b_.getI32IntegerAttr(value)); }

  // Each rounded once, in the order written.
  Value add(Value x, Value y) { return mlir::arith::AddFOp::create(b_, x, y); }
  Value sub(Value x, Value y) { return mlir::arith::SubFOp::create(b_, x, y); }
  Value mul(Value x, Value y) { return mlir::arith::MulFOp::create(b_, x, y); }
  Value div(Value x, Value y) { return mlir::arith::DivFOp::create(b_, x, y); }
  Value negate(Value x) { return mlir::arith::NegFOp::create(b_, x); }
  Value round(Value x) { return mlir::math::RoundEvenOp::create(b_, x); }
  Value magnitude(Value x) { return mlir::math::AbsFOp::create(b_, x); }
  // x y + z, rounded once or twice, whichever is faster.
  Value mul_add(Value x, Value y, Value z) {
    constexpr auto kEither = mlir::arith::FastMathFlags::contract;
    return mlir::arith::AddFOp::create(b_, mlir::arith::MulFOp::create(b_, x, y, kEither), z, kEither);
  }
  // x y + z, rounded once.
  Value fused(Value x, Value y, Value z) { return mlir::math::FmaOp::create(b_, x, y, z); }
  // The coefficients from the highest power of x down, the last one for x^0.
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) {
    Value p = f64(coefficients.front());
    for (double coefficient : coefficients.drop_front()) p = mul_add(p, x, f64(coefficient));
    return p;
  }
  // For a number; NaN becomes one of the bounds.
  Value clamp(Value x, double low, double high) { return mlir::arith::MinNumFOp::create(b_, mlir::arith::MaxNumFOp::create(b_, x, f64(low)), f64(high)); }

  Value select(Value condition, Value x, Value y) { return mlir::arith::SelectOp::create(b_, condition, x, y); }
  Value is(mlir::arith::CmpFPredicate predicate, Value x, double y) { return mlir::arith::CmpFOp::create(b_, predicate, x, f64(y)); }
  Value unless_nan(Value x, Value result) { return select(mlir::arith::CmpFOp::create(b_, mlir::arith::CmpFPredicate::UNO, x, x), x, result); }

  Value bits(Value x) { return mlir::arith::BitcastOp::create(b_, i64_, x); }
  Value from_bits(Value x) { return mlir::arith::BitcastOp::create(b_, f64_, x); }
  Value shift_left(Value x, Value count) { return mlir::arith::ShLIOp::create(b_, x, count); }
  Value shift_right(Value x, Value count) { return mlir::arith::ShRUIOp::create(b_, x, count); }  // zeros come in
  Value shift_signed(Value x, Value count) { return mlir::arith::ShRSIOp::create(b_, x, count); }
  Value and_(Value x, Value y) { return mlir::arith::AndIOp::create(b_, x, y); }
  Value or_(Value x, Value y) { return mlir::arith::OrIOp::create(b_, x, y); }
  Value xor_(Value x, Value y) { return mlir::arith::XOrIOp::create(b_, x, y); }
  Value add_whole(Value x, Value y) { return mlir::arith::AddIOp::create(b_, x, y); }
  Value sub_whole(Value x, Value y) { return mlir::arith::SubIOp::create(b_, x, y); }
  Value narrowed(Value x) { return mlir::arith::TruncIOp::create(b_, i32_, x); }
  Value widened(Value x) { return mlir::arith::ExtSIOp::create(b_, i64_, x); }
  Value whole(Value x) { return mlir::arith::FPToSIOp::create(b_, i32_, x); }   // of a whole number in the range of i32
  Value number(Value x) { return mlir::arith::SIToFPOp::create(b_, f64_, x); }  // of an integer

  mlir::ImplicitLocOpBuilder& b_;
  mlir::Type f64_, i64_, i32_;
};

// Replaces an operation on f64 by what a member function of an expansion makes of its operand.
template <class Op, class Expansion, mlir::Value (Expansion::*Expand)(mlir::Value)>
struct F64Pattern : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter& rewriter) const override {
    if (!mlir::getElementTypeOrSelf(op.getType()).isF64()) return mlir::failure();
    mlir::ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Expansion expansion(b, op.getType());
    rewriter.replaceOp(op, (expansion.*Expand)(op.getOperand()));
    return mlir::success();
  }
};

}  // namespace tilewright
