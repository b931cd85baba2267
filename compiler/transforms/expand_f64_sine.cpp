// sin and cos on f64, to under 1 unit in the last place for every argument.
//
// |x| = n pi/2 + r with |r| <= pi/4, r as the sum of two f64; then a polynomial in r, chosen and signed by n mod 4. The sine takes the sign of x at the end, so that
// -0 gives -0. Infinity and NaN give NaN.
#include "compiler/transforms/f64_math.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <array>

namespace tilewright {

namespace {

constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
constexpr double kHalfPi = 0x1.921fb54442d18p+0, kHalfPiRest = 0x1.1a62633145c07p-54;
// pi/2 in parts. All but the last have 33 bits: their products with whole numbers below 2^20 are exact.
constexpr double kHalfPiParts[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
constexpr double kNear = 0x1p20;  // below this the parts are enough
// 2/pi after its binary point, and 64 zeros before it. An argument of 2^e (a whole number of 53 bits) needs 192 bits from two before the one that it makes 1.
constexpr std::uint64_t kTwoOverPiBits[] = {0,
                                            0xa2f9836e4e441529,
                                            0xfc2757d1f534ddc0,
                                            0xdb6295993c439041,
                                            0xfe5163abdebbc561,
                                            0xb7246e3a424dd2e0,
                                            0x06492eea09d1921c,
                                            0xfe1deb1cb129a73e,
                                            0xe88235f52ebb4484,
                                            0xe99c7026b45f7e41,
                                            0x3991d639835339f4,
                                            0x9c845f8bbdf9283b,
                                            0x1ff897ffde05980f,
                                            0xef2f118b5a0a6d1f,
                                            0x6d367ecf27cb09b7,
                                            0x4f463f669e5fea2d,
                                            0x7527bac7ebe5f17b,
                                            0x3d0739f78a5292ea,
                                            0x6bfb5fb11f8d5d08,
                                            0x56033046fc7b6bab};
constexpr std::int64_t kLargestExponent = 1023 - 52;

class ExpandSine : F64Math {
 public:
  using F64Math::F64Math;

  Value sin(Value x) {
    Value sign = and_(bits(x), i64(std::uint64_t{1} << 63));
    return nan_for_unbounded(x, from_bits(xor_(bits(expand(x, 0)), sign)));
  }

  Value cos(Value x) { return nan_for_unbounded(x, expand(x, 1)); }

 private:
  struct Reduced {
    Value high, low, quadrant;  // the quadrant is i32
  };
  struct Sum {
    Value value, lost;
  };

  Value nan_for_unbounded(Value x, Value result) { return select(is(mlir::arith::CmpFPredicate::OLT, magnitude(x), kInfinity), result, f64(kNan)); }

  Value any(Value condition) {
    if (!llvm::isa<mlir::VectorType>(condition.getType())) return condition;
    return mlir::vector::ReductionOp::create(b_, mlir::vector::CombiningKind::OR, condition);
  }

  Sum exact_sum(Value x, Value y) {
    Value sum = add(x, y);
    Value of_y = sub(sum, x);
    return {sum, add(sub(x, sub(sum, of_y)), sub(y, of_y))};
  }

  Reduced reduce_near(Value x) {
    Value n = round(mul(x, f64(kTwoOverPi)));
    const auto multiple = [&](int part) { return mul(n, f64(kHalfPiParts[part])); };
    const Sum second = exact_sum(sub(x, multiple(0)), negate(multiple(1)));
    const Sum third = exact_sum(second.value, negate(multiple(2)));
    Value rest = sub(add(second.lost, third.lost), multiple(3));
    Value high = add(third.value, rest);
    return {high, sub(rest, sub(high, third.value)), whole(n)};
  }

  // With integers, for 2^20 and more. The product of the argument's 53 bits and the 192 bits of 2/pi that matter, but for multiples of 4, has two bits of quadrant
  // and 190 of fraction; read as a signed fraction it is the distance from the nearest multiple.
  Reduced reduce_far(Value x) {
    Value pattern = bits(x);
    Value exponent = sub_whole(shift_right(pattern, i64(52)), i64(1075));
    Value mantissa = or_(and_(pattern, i64((std::uint64_t{1} << 52) - 1)), i64(std::uint64_t{1} << 52));
    Value skipped = add_whole(exponent, i64(62));  // bits of the table
    Value first = shift_right(skipped, i64(6)), shift = and_(skipped, i64(63));

    constexpr std::uint64_t kLastFirst = (kLargestExponent + 62) / 64;
    static_assert(kLastFirst + 4 == std::size(kTwoOverPiBits));
    std::array<Value, 4> words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = i64(kTwoOverPiBits[i]);
    for (std::uint64_t place = 1; place <= kLastFirst; ++place) {
      Value here = mlir::arith::CmpIOp::create(b_, mlir::arith::CmpIPredicate::eq, first, i64(place));
      for (std::size_t i = 0; i < words.size(); ++i) words[i] = select(here, i64(kTwoOverPiBits[place + i]), words[i]);
    }
    const auto shifted = [&](std::size_t i) {
      Value from_next = shift_right(shift_right(words[i + 1], i64(1)), sub_whole(i64(63), shift));
      return or_(shift_left(words[i], shift), from_next);
    };

    // The lower 192 bits of the product.
    auto lowest = mlir::arith::MulUIExtendedOp::create(b_, mantissa, shifted(2));
    auto middle = mlir::arith::MulUIExtendedOp::create(b_, mantissa, shifted(1));
    Value word2 = lowest.getLow();
    auto sum = mlir::arith::AddUIExtendedOp::create(b_, middle.getLow(), lowest.getHigh());
    Value word1 = sum.getSum();
    Value carry = mlir::arith::ExtUIOp::create(b_, i64_, sum.getOverflow());
    Value word0 = add_whole(add_whole(mlir::arith::MulIOp::create(b_, mantissa, shifted(0)), middle.getHigh()), carry);

    Value fraction0 = or_(shift_left(word0, i64(2)), shift_right(word1, i64(62)));
    Value fraction1 = or_(shift_left(word1, i64(2)), shift_right(word2, i64(62)));
    Value quadrant = add_whole(shift_right(word0, i64(62)), shift_right(fraction0, i64(63)));

    // In three numbers, each exact, then in two.
    Value part0 = mul(number(shift_signed(fraction0, i64(32))), f64(0x1p-32));
    Value part1 = mul(number(and_(fraction0, i64(0xffff'ffff))), f64(0x1p-64));
    Value part2 = mul(number(shift_right(fraction1, i64(11))), f64(0x1p-117));
    Value upper = add(part0, part1);
    Value rest = add(sub(part1, sub(upper, part0)), part2);
    Value turns = add(upper, rest);
    rest = sub(rest, sub(turns, upper));

    Value product = mul(turns, f64(kHalfPi));
    Value lost = fused(turns, f64(kHalfPi), negate(product));
    lost = add(lost, mul_add(turns, f64(kHalfPiRest), mul(rest, f64(kHalfPi))));
    Value high = add(product, lost);
    return {high, sub(lost, sub(high, product)), narrowed(quadrant)};
  }

  Reduced reduce(Value x) {
    const Reduced near = reduce_near(mlir::arith::MinNumFOp::create(b_, x, f64(kNear)));
    Value is_far = is(mlir::arith::CmpFPredicate::OGE, x, kNear);
    auto choice = mlir::scf::IfOp::create(b_, mlir::TypeRange{f64_, f64_, i32_}, any(is_far), /*withElseRegion=*/true);
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(choice.thenBlock());
    const Reduced far = reduce_far(x);
    mlir::scf::YieldOp::create(b_, mlir::ValueRange{select(is_far, far.high, near.high), select(is_far, far.low, near.low), select(is_far, far.quadrant, near.quadrant)});
    b_.setInsertionPointToStart(choice.elseBlock());
    mlir::scf::YieldOp::create(b_, mlir::ValueRange{near.high, near.low, near.quadrant});
    return {choice.getResult(0), choice.getResult(1), choice.getResult(2)};
  }

  // Taylor series on |r| <= pi/4, where what they leave out is under 2^-63; `low` only where it still counts.
  Value sine_of(Value r, Value low, Value square) {
    Value p = polynomial(square, {1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6});
    return add(r, mul_add(square, mul_add(r, p, mul(low, f64(-0.5))), low));
  }
  Value cosine_of(Value r, Value low, Value square) {
    Value p = polynomial(square, {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24});
    Value half = mul(square, f64(0.5));
    Value leading = sub(f64(1), half);
    Value lost = sub(sub(f64(1), leading), half);
    return add(leading, add(lost, mul_add(mul(square, square), p, negate(mul(r, low)))));
  }

  // The sine of |x| + quarter_turns pi/2. Unbounded numbers are taken as 0: a quadrant must be a number.
  Value expand(Value x, std::int32_t quarter_turns) {
    Value positive = magnitude(x);
    positive = select(is(mlir::arith::CmpFPredicate::OLT, positive, kInfinity), positive, f64(0));
    const Reduced reduced = reduce(positive);
    Value quadrant = add_whole(reduced.quadrant, i32(quarter_turns));
    Value square = mul(reduced.high, reduced.high);
    Value odd = mlir::arith::CmpIOp::create(b_, mlir::arith::CmpIPredicate::ne, and_(quadrant, i32(1)), i32(0));
    Value value = select(odd, cosine_of(reduced.high, reduced.low, square), sine_of(reduced.high, reduced.low, square));
    Value sign = shift_left(widened(and_(quadrant, i32(2))), i64(62));
    return from_bits(xor_(bits(value), sign));
  }
};

}  // namespace

void populate_f64_sine_patterns(mlir::RewritePatternSet& patterns) {
  patterns.add<F64Pattern<mlir::math::SinOp, ExpandSine, &ExpandSine::sin>, F64Pattern<mlir::math::CosOp, ExpandSine, &ExpandSine::cos>>(patterns.getContext());
}

}  // namespace tilewright
