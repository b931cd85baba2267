// sin and cos on f32, to under 1.5 units in the last place for every argument.
//
// |x| = n pi/2 + r with |r| <= pi/4, found in f64; then a polynomial in r, chosen and signed by n mod 4. The sine takes the sign of x at the end, so that -0
// gives -0. Infinity and NaN give NaN.
#include "compiler/transforms/expand_math.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

namespace tilewright {

namespace arith = mlir::arith;

namespace {

constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
// pi/2 in two parts. The first has 33 bits: its product with a whole number below 2^20 is exact.
constexpr double kHalfPiHigh = 0x1.921fb544p+0;
constexpr double kHalfPiLow = 0x1.0b4611a626331p-34;
// Below this the two parts are enough.
constexpr float kNear = 0x1p20f;
// 2/pi in parts of 29 bits: the product of one with an f32 is exact. Together 203 bits, 75 more than the largest f32 has before its point.
constexpr double kTwoOverPiParts[] = {0x1.45f306dp-1,  0x1.9391054p-30,  0x1.4fe13abp-59, 0x1.d1f534dp-88,
                                      0x1.b81b6c5p-117, 0x1.5993c4p-148, 0x1.c820ff2p-175};

class ExpandSine {
 public:
  ExpandSine(mlir::ImplicitLocOpBuilder& b, mlir::Type type)
      : b_(b), f32_(type), f64_(with_element(type, b.getF64Type())), i32_(with_element(type, b.getI32Type())) {}

  mlir::Value sin(mlir::Value x) {
    mlir::Value sign = arith::AndIOp::create(b_, bits(x), i32(std::numeric_limits<std::int32_t>::min()));
    mlir::Value result = bits(expand(x, 0));
    return nan_for_unbounded(x, arith::BitcastOp::create(b_, f32_, arith::XOrIOp::create(b_, result, sign)));
  }

  mlir::Value cos(mlir::Value x) { return nan_for_unbounded(x, expand(x, 1)); }

 private:
  struct Reduced {
    mlir::Value remainder, quadrant;  // f64; the quadrant is a whole number
  };

  mlir::Value f32(float value) { return splat_constant(b_, f32_, b_.getF32FloatAttr(value)); }
  mlir::Value f64(double value) { return splat_constant(b_, f64_, b_.getF64FloatAttr(value)); }
  mlir::Value i32(std::int32_t value) { return splat_constant(b_, i32_, b_.getI32IntegerAttr(value)); }
  mlir::Value bits(mlir::Value x) { return arith::BitcastOp::create(b_, i32_, x); }
  mlir::Value add(mlir::Value x, mlir::Value y) { return arith::AddFOp::create(b_, x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return arith::SubFOp::create(b_, x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return arith::MulFOp::create(b_, x, y); }
  mlir::Value round(mlir::Value x) { return mlir::math::RoundEvenOp::create(b_, x); }
  mlir::Value mul_add(mlir::Value x, mlir::Value y, mlir::Value z) {
    return arith::AddFOp::create(b_, arith::MulFOp::create(b_, x, y, arith::FastMathFlags::contract), z, arith::FastMathFlags::contract);
  }
  mlir::Value bounded(mlir::Value magnitude) {
    return arith::CmpFOp::create(b_, arith::CmpFPredicate::OLT, magnitude, f32(std::numeric_limits<float>::infinity()));
  }

  mlir::Value nan_for_unbounded(mlir::Value x, mlir::Value result) {
    return arith::SelectOp::create(b_, bounded(mlir::math::AbsFOp::create(b_, x)), result, f32(std::numeric_limits<float>::quiet_NaN()));
  }

  mlir::Value any(mlir::Value condition) {
    if (!llvm::isa<mlir::VectorType>(condition.getType())) return condition;
    return mlir::vector::ReductionOp::create(b_, mlir::vector::CombiningKind::OR, condition);
  }

  Reduced reduce_near(mlir::Value x) {
    mlir::Value n = round(mul(x, f64(kTwoOverPi)));
    return {sub(sub(x, mul(n, f64(kHalfPiHigh))), mul(n, f64(kHalfPiLow))), n};
  }

  // For every f32. The product with each part of 2/pi loses its multiples of 4 exactly, however large it is; what is left of the parts is summed, and the whole
  // numbers split off, from the first part to the last.
  Reduced reduce_far(mlir::Value x) {
    mlir::Value fraction = f64(0), quadrant = f64(0);
    for (double part : kTwoOverPiParts) {
      mlir::Value product = mul(x, f64(part));
      mlir::Value turns = round(mul(product, f64(0.25)));
      fraction = add(fraction, sub(product, mul(turns, f64(4))));
      mlir::Value whole = round(fraction);
      fraction = sub(fraction, whole);
      quadrant = add(quadrant, whole);
    }
    return {mul(fraction, f64(kHalfPi)), quadrant};
  }

  Reduced reduce(mlir::Value magnitude) {
    mlir::Value x = arith::ExtFOp::create(b_, f64_, magnitude);
    mlir::Value far = any(arith::CmpFOp::create(b_, arith::CmpFPredicate::OGE, magnitude, f32(kNear)));
    auto choice = mlir::scf::IfOp::create(b_, mlir::TypeRange{f64_, f64_}, far, /*withElseRegion=*/true);
    mlir::OpBuilder::InsertionGuard guard(b_);
    for (bool is_far : {true, false}) {
      b_.setInsertionPointToStart(is_far ? choice.thenBlock() : choice.elseBlock());
      const Reduced reduced = is_far ? reduce_far(x) : reduce_near(x);
      mlir::scf::YieldOp::create(b_, mlir::ValueRange{reduced.remainder, reduced.quadrant});
    }
    return {choice.getResult(0), choice.getResult(1)};
  }

  // Taylor series on |r| <= pi/4; what they leave out is under 2^-29.
  mlir::Value sine_of(mlir::Value r, mlir::Value square) {
    mlir::Value p = f32(1.0f / 362880);
    for (float coefficient : {-1.0f / 5040, 1.0f / 120, -1.0f / 6}) p = mul_add(p, square, f32(coefficient));
    return mul_add(mul(p, square), r, r);
  }
  mlir::Value cosine_of(mlir::Value square) {
    mlir::Value p = f32(-1.0f / 3628800);
    for (float coefficient : {1.0f / 40320, -1.0f / 720, 1.0f / 24, -0.5f, 1.0f}) p = mul_add(p, square, f32(coefficient));
    return p;
  }

  // The sine of |x| + quarter_turns pi/2. Unbounded numbers are taken as 0: a quadrant must be a number.
  mlir::Value expand(mlir::Value x, std::int32_t quarter_turns) {
    mlir::Value magnitude = mlir::math::AbsFOp::create(b_, x);
    magnitude = arith::SelectOp::create(b_, bounded(magnitude), magnitude, f32(0));
    const Reduced reduced = reduce(magnitude);
    mlir::Value r = arith::TruncFOp::create(b_, f32_, reduced.remainder);
    mlir::Value quadrant = arith::AddIOp::create(b_, arith::FPToSIOp::create(b_, i32_, reduced.quadrant), i32(quarter_turns));
    mlir::Value square = mul(r, r);
    mlir::Value odd = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, arith::AndIOp::create(b_, quadrant, i32(1)), i32(0));
    mlir::Value value = arith::SelectOp::create(b_, odd, cosine_of(square), sine_of(r, square));
    mlir::Value sign = arith::ShLIOp::create(b_, arith::AndIOp::create(b_, quadrant, i32(2)), i32(30));
    return arith::BitcastOp::create(b_, f32_, arith::XOrIOp::create(b_, bits(value), sign));
  }

  mlir::ImplicitLocOpBuilder& b_;
  mlir::Type f32_, f64_, i32_;
};

template <class Op, mlir::Value (ExpandSine::*Expand)(mlir::Value)>
struct SinePattern : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter& rewriter) const override {
    if (!mlir::getElementTypeOrSelf(op.getType()).isF32()) return mlir::failure();
    mlir::ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, (ExpandSine(b, op.getType()).*Expand)(op.getOperand()));
    return mlir::success();
  }
};

}  // namespace

void populate_sine_patterns(mlir::RewritePatternSet& patterns) {
  patterns.add<SinePattern<mlir::math::SinOp, &ExpandSine::sin>, SinePattern<mlir::math::CosOp, &ExpandSine::cos>>(patterns.getContext());
}

}  // namespace tilewright
