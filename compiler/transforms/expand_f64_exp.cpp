// exp, exp2 and tanh on f64, to about 1, 1 and 2.6 units in the last place.
//
// x = n ln 2 + r (or n + r / ln 2) with |r| <= ln 2 / 2, the Taylor series of e^r - 1, and 2^n.
#include "compiler/transforms/f64_math.h"

namespace tilewright {

namespace {

constexpr double kLogTwo = 0x1.62e42fefa39efp-1, kLogTwoRest = 0x1.abc9e3b39803fp-56;
// ln 2 in two parts. The first has 42 bits: its product with an exponent is exact.
constexpr double kLogTwoHigh = 0x1.62e42fefa38p-1, kLogTwoLow = 0x1.ef35793c7673p-45;
constexpr double kOneOverLogTwo = 0x1.71547652b82fep+0;

class ExpandExp : F64Math {
 public:
  using F64Math::F64Math;

  Value exp(Value x) {
    Value bounded = clamp(x, -746, 710);
    const Reduced reduced = reduce(bounded);
    return unless_nan(x, scaled(add(f64(1), exp_minus_one(reduced.rest)), reduced.n));
  }

  Value exp2(Value x) {
    Value bounded = clamp(x, -1076, 1025);
    Value n = round(bounded);
    Value fraction = sub(bounded, n);
    Value rest = mul_add(fraction, f64(kLogTwoRest), mul(fraction, f64(kLogTwo)));
    return unless_nan(x, scaled(add(f64(1), exp_minus_one(rest)), n));
  }

  // With e = exp(2 |x|) - 1: e / (e + 2). From |x| = 22 on that is 1.
  Value tanh(Value x) {
    Value doubled = mlir::arith::MinNumFOp::create(b_, mul(magnitude(x), f64(2)), f64(44));
    const Reduced reduced = reduce(doubled);
    Value power = power_of_two(whole(reduced.n));
    Value e = mul_add(power, exp_minus_one(reduced.rest), sub(power, f64(1)));
    Value result = div(e, add(e, f64(2)));
    return unless_nan(x, mlir::math::CopySignOp::create(b_, result, x));
  }

 private:
  struct Reduced {
    Value n, rest;
  };

  Reduced reduce(Value x) {
    Value n = round(mul(x, f64(kOneOverLogTwo)));
    return {n, mul_add(n, f64(-kLogTwoLow), mul_add(n, f64(-kLogTwoHigh), x))};
  }

  // What the series leaves out is under 2^-57.
  Value exp_minus_one(Value r) {
    Value p = polynomial(r, {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
                             1.0 / 6, 0.5});
    return mul_add(mul(p, r), r, r);
  }

  Value power_of_two(Value exponent) { return from_bits(shift_left(widened(mlir::arith::AddIOp::create(b_, exponent, i32(1023))), i64(52))); }

  // In two factors, so that results below the normal range round once.
  Value scaled(Value x, Value n) {
    Value exponent = whole(n);
    Value half = mlir::arith::ShRSIOp::create(b_, exponent, i32(1));
    return mul(mul(x, power_of_two(half)), power_of_two(sub_whole(exponent, half)));
  }
};

}  // namespace

void populate_f64_exp_patterns(mlir::RewritePatternSet& patterns) {
  patterns.add<F64Pattern<mlir::math::ExpOp, ExpandExp, &ExpandExp::exp>, F64Pattern<mlir::math::Exp2Op, ExpandExp, &ExpandExp::exp2>,
               F64Pattern<mlir::math::TanhOp, ExpandExp, &ExpandExp::tanh>>(patterns.getContext());
}

}  // namespace tilewright
