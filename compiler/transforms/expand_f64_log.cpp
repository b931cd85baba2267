// log and log2 on f64, to under 1 unit in the last place.
//
// x = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2). With s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - h + s (h + R) where h = f^2 / 2 and
// R = 2/3 s^2 + 2/5 s^4 + ...: the first two terms are known almost exactly, the third is small.
#include "compiler/transforms/f64_math.h"

namespace tilewright {

namespace {

constexpr std::uint64_t kBitsOfSqrtHalf = 0x3fe6a09e667f3bcd;
constexpr double kSmallestNormal = 0x1p-1022;
constexpr double kLogTwoHigh = 0x1.62e42fefa38p-1, kLogTwoLow = 0x1.ef35793c7673p-45;  // 42 bits and the rest
// 1 / ln 2: 32 bits and the rest.
constexpr double kOneOverLogTwoHigh = 0x1.71547652p+0, kOneOverLogTwoLow = 0x1.705fc2eefa2p-33;

class ExpandLog : F64Math {
 public:
  using F64Math::F64Math;

  Value log(Value x) {
    const Parts parts = expand(x);
    Value low = sub(parts.half_square, mul_add(parts.exponent, f64(kLogTwoLow), parts.correction));
    return special_cases(x, sub(mul(parts.exponent, f64(kLogTwoHigh)), sub(low, parts.f)));
  }

  // log(1 + f) as a number of 21 bits and the rest, so that its product with 1 / ln 2 has an exact leading part.
  Value log2(Value x) {
    const Parts parts = expand(x);
    Value high = from_bits(and_(bits(sub(parts.f, parts.half_square)), i64(0xffff'ffff'0000'0000)));
    Value low = add(sub(sub(parts.f, high), parts.half_square), parts.correction);
    Value leading = mul(high, f64(kOneOverLogTwoHigh));
    Value rest = mul_add(low, f64(kOneOverLogTwoHigh), mul(add(low, high), f64(kOneOverLogTwoLow)));
    Value sum = add(parts.exponent, leading);
    Value lost = add(sub(parts.exponent, sum), leading);
    return special_cases(x, add(sum, add(rest, lost)));
  }

 private:
  // log(x) = exponent ln 2 + f - half_square + correction.
  struct Parts {
    Value exponent, f, half_square, correction;
  };

  Parts expand(Value x) {
    Value is_tiny = is(mlir::arith::CmpFPredicate::OLT, x, kSmallestNormal);
    Value pattern = bits(select(is_tiny, mul(x, f64(0x1p54)), x));
    Value exponent = shift_signed(sub_whole(pattern, i64(kBitsOfSqrtHalf)), i64(52));
    Value f = sub(from_bits(sub_whole(pattern, shift_left(exponent, i64(52)))), f64(1));
    Value s = div(f, add(f, f64(2)));
    Value square = mul(s, s);
    Value p = polynomial(square, {2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3});
    Value half_square = mul(mul(f, f64(0.5)), f);
    Value correction = mul(s, mul_add(square, p, half_square));
    Value e = mlir::arith::SubIOp::create(b_, narrowed(exponent), select(is_tiny, i32(54), i32(0)));
    return {number(e), f, half_square, correction};
  }

  Value special_cases(Value x, Value result) {
    result = select(is(mlir::arith::CmpFPredicate::OEQ, x, kInfinity), x, result);
    result = select(is(mlir::arith::CmpFPredicate::OEQ, x, 0), f64(-kInfinity), result);
    return select(is(mlir::arith::CmpFPredicate::OGE, x, 0), result, f64(kNan));  // below zero, or NaN
  }
};

}  // namespace

void populate_f64_log_patterns(mlir::RewritePatternSet& patterns) {
  patterns.add<F64Pattern<mlir::math::LogOp, ExpandLog, &ExpandLog::log>, F64Pattern<mlir::math::Log2Op, ExpandLog, &ExpandLog::log2>>(patterns.getContext());
}

}  // namespace tilewright
