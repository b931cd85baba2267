#include "compiler/transforms/float8.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

#include <bit>
#include <cmath>

namespace tilewright {

namespace {

namespace arith = mlir::arith;
using mlir::Value;

constexpr std::int64_t kInfinity32 = 0x7f800000, kNan32 = 0x7fc00000, kNan8 = 0x7f;

struct Format {
  int fraction_bits, bias;
  std::int64_t largest;  // the magnitude bits of the largest number
  bool has_infinity;     // whose magnitude bits follow them
};

Format format_of(mlir::Type type) { return llvm::isa<mlir::Float8E5M2Type>(type) ? Format{2, 15, 0x7b, true} : Format{3, 7, 0x7e, false}; }

class Arithmetic {
 public:
  explicit Arithmetic(mlir::ImplicitLocOpBuilder& b) : b_(b) {}

  Value decode(Value bits, mlir::Type format) {
    const Format form = format_of(format);
    const mlir::Type f32 = like(bits, b_.getF32Type());
    Value wide = arith::ExtUIOp::create(b_, like(bits, b_.getI32Type()), bits);
    Value sign = shl(and_(wide, 0x80), 24), magnitude = and_(wide, 0x7f);
    const int shift = 23 - form.fraction_bits;
    Value normal = add(shl(magnitude, shift), static_cast<std::int64_t>(127 - form.bias) << 23);
    Value steps = arith::SIToFPOp::create(b_, f32, magnitude);
    Value small = as_i32(arith::MulFOp::create(b_, steps, real(f32, std::ldexp(1.0, 1 - form.bias - form.fraction_bits))));
    Value finite = select(compare(arith::CmpIPredicate::ult, magnitude, std::int64_t{1} << form.fraction_bits), small, normal);
    Value special = integer(magnitude.getType(), kNan32);
    if (form.has_infinity) special = select(compare(arith::CmpIPredicate::eq, magnitude, form.largest + 1), integer(magnitude.getType(), kInfinity32), special);
    Value value = select(compare(arith::CmpIPredicate::ugt, magnitude, form.largest), special, finite);
    return arith::BitcastOp::create(b_, f32, arith::OrIOp::create(b_, value, sign).getResult());
  }

  Value encode(Value x, mlir::Type format) {
    const Format form = format_of(format);
    const int drop = 23 - form.fraction_bits;
    Value bits = as_i32(x);
    Value sign = and_(shr(bits, 24), 0x80), magnitude = and_(bits, 0x7fffffff);
    // Numbers with the leading one: what is dropped is rounded into the rest, a carry into the exponent.
    Value odd = and_(shr(magnitude, drop), 1);
    const std::int64_t rounding = (std::int64_t{1} << (drop - 1)) - 1 - (static_cast<std::int64_t>(127 - form.bias) << 23);
    Value normal = shr(arith::AddIOp::create(b_, add(magnitude, rounding), odd), drop);
    Value bounded = select(compare(arith::CmpIPredicate::ugt, normal, form.largest), integer(normal.getType(), form.largest), normal);
    // Numbers without: a sum whose last place is the least step is rounded to steps.
    const double aligning = std::ldexp(1.0, 24 - form.bias - form.fraction_bits);
    Value sum = arith::AddFOp::create(b_, arith::BitcastOp::create(b_, x.getType(), magnitude).getResult(), real(x.getType(), aligning));
    Value steps = add(as_i32(sum), -static_cast<std::int64_t>(std::bit_cast<std::int32_t>(static_cast<float>(aligning))));
    Value small = compare(arith::CmpIPredicate::ult, magnitude, static_cast<std::int64_t>(128 - form.bias) << 23);
    Value value = select(small, steps, bounded);
    value = select(compare(arith::CmpIPredicate::ugt, magnitude, kInfinity32), integer(value.getType(), kNan8), value);
    return arith::TruncIOp::create(b_, like(x, b_.getI8Type()), arith::OrIOp::create(b_, value, sign).getResult());
  }

 private:
  mlir::Type like(Value value, mlir::Type element) {
    auto shaped = llvm::dyn_cast<mlir::ShapedType>(value.getType());
    return shaped ? mlir::Type(shaped.clone(element)) : element;
  }
  Value as_i32(Value f32) { return arith::BitcastOp::create(b_, like(f32, b_.getI32Type()), f32); }

  Value constant(mlir::Type type, mlir::TypedAttr element) {
    if (auto shaped = llvm::dyn_cast<mlir::ShapedType>(type)) return arith::ConstantOp::create(b_, mlir::DenseElementsAttr::get(shaped, static_cast<mlir::Attribute>(element)));
    return arith::ConstantOp::create(b_, element);
  }
  Value integer(mlir::Type type, std::int64_t value) {
    const mlir::Type element = mlir::getElementTypeOrSelf(type);
    return constant(type, b_.getIntegerAttr(element, llvm::APInt(64, static_cast<std::uint64_t>(value)).trunc(element.getIntOrFloatBitWidth())));
  }
  Value real(mlir::Type type, double value) { return constant(type, b_.getFloatAttr(mlir::getElementTypeOrSelf(type), value)); }

  Value and_(Value x, std::int64_t mask) { return arith::AndIOp::create(b_, x, integer(x.getType(), mask)); }
  Value add(Value x, std::int64_t y) { return arith::AddIOp::create(b_, x, integer(x.getType(), y)); }
  Value shl(Value x, std::int64_t by) { return arith::ShLIOp::create(b_, x, integer(x.getType(), by)); }
  Value shr(Value x, std::int64_t by) { return arith::ShRUIOp::create(b_, x, integer(x.getType(), by)); }
  Value compare(arith::CmpIPredicate predicate, Value x, std::int64_t y) { return arith::CmpIOp::create(b_, predicate, x, integer(x.getType(), y)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b_, condition, x, y); }

  mlir::ImplicitLocOpBuilder& b_;
};

}  // namespace

Value decode_float8(mlir::ImplicitLocOpBuilder& b, Value bits, mlir::Type format) { return Arithmetic(b).decode(bits, format); }

Value encode_float8(mlir::ImplicitLocOpBuilder& b, Value x, mlir::Type format) { return Arithmetic(b).encode(x, format); }

}  // namespace tilewright
