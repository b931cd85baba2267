// Formats by their parameters: precision and exponent range.
#include "tests/op_grid/value.h"

#include <bit>
#include <cmath>
#include <limits>

namespace tilewright::op_grid {

namespace {

struct Format {
  int fraction_bits, exponent_bits;
  bool small = false;         // 8 bits: rounding saturates
  bool has_infinity = true;   // else the highest exponent is one of numbers, but for its last fraction, NaN
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  long double largest() const {
    if (!has_infinity) return std::ldexp(2 - std::ldexp(2.0L, -fraction_bits), bias() + 1);
    return std::ldexp(2 - std::ldexp(1.0L, -fraction_bits), bias());
  }
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::F16: return {10, 5};
    case DType::BF16: return {7, 8};
    case DType::F32: return {23, 8};
    case DType::F8E4M3: return {3, 4, true, false};
    case DType::F8E5M2: return {2, 5, true, true};
    default: return {52, 11};
  }
}

std::int64_t place(const Shape& shape, const Shape& index) {
  std::int64_t result = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) result = result * shape[axis] + index[axis];
  return result;
}

}  // namespace

Value& Array::at(const Shape& index) { return values[static_cast<std::size_t>(place(shape, index))]; }
const Value& Array::at(const Shape& index) const { return values[static_cast<std::size_t>(place(shape, index))]; }

Array make_array(DType dtype, const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t extent : shape) count *= extent;
  return {dtype, shape, std::vector<Value>(static_cast<std::size_t>(count))};
}

long double round_to(DType dtype, long double value) {
  const Format format = format_of(dtype);
  if (format.small && std::fabs(value) > format.largest()) return std::copysign(format.largest(), value);
  if (value == 0 || !std::isfinite(value)) return value;
  int exponent;
  std::frexp(value, &exponent);  // |value| in [2^(exponent-1), 2^exponent)
  const int spacing = std::max(exponent - 1, 1 - format.bias()) - format.fraction_bits;
  const long double rounded = std::ldexp(std::rint(std::ldexp(value, -spacing)), spacing);
  const long double limit = std::ldexp(1.0L, format.bias() + (format.has_infinity ? 1 : 2));
  if (std::fabs(rounded) >= limit) return std::copysign(std::numeric_limits<long double>::infinity(), value);
  return rounded;
}

Value decode(DType dtype, std::uint64_t bits) {
  if (!is_float(dtype)) return whole(wrap(dtype, static_cast<__int128>(bits)));
  const Format format = format_of(dtype);
  const std::uint64_t fraction = bits & ((1ull << format.fraction_bits) - 1);
  const int exponent = static_cast<int>(bits >> format.fraction_bits) & ((1 << format.exponent_bits) - 1);
  const bool negative = bits >> (format.fraction_bits + format.exponent_bits) & 1;
  long double magnitude;
  const bool highest = exponent == (1 << format.exponent_bits) - 1;
  if (highest && (format.has_infinity || fraction == (1ull << format.fraction_bits) - 1)) {
    magnitude = fraction ? std::numeric_limits<long double>::quiet_NaN() : std::numeric_limits<long double>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<long double>(fraction), 1 - format.bias() - format.fraction_bits);
  } else {
    magnitude = std::ldexp(static_cast<long double>(fraction | 1ull << format.fraction_bits), exponent - format.bias() - format.fraction_bits);
  }
  return real(negative ? -magnitude : magnitude);
}

std::uint64_t encode(DType dtype, const Value& value) {
  if (!is_float(dtype)) return static_cast<std::uint64_t>(value.whole) & (~0ull >> (64 - 8 * size_of(dtype)));
  const Format format = format_of(dtype);
  const std::uint64_t infinity = ((1ull << format.exponent_bits) - 1) << format.fraction_bits;
  if (std::isnan(value.real)) return format.small ? 0x7f : infinity | 1ull << (format.fraction_bits - 1);
  const std::uint64_t sign = static_cast<std::uint64_t>(std::signbit(value.real)) << (format.fraction_bits + format.exponent_bits);
  const long double rounded = std::fabs(round_to(dtype, value.real));
  if (std::isinf(rounded)) return sign | infinity;
  int exponent;
  std::frexp(rounded, &exponent);
  const int lowest = 1 - format.bias();
  const int at = rounded == 0 ? lowest : std::max(exponent - 1, lowest);
  const std::uint64_t digits = static_cast<std::uint64_t>(std::ldexp(rounded, format.fraction_bits - at));
  // The leading one of a normal number carries into the exponent field.
  return sign | ((static_cast<std::uint64_t>(at - lowest) << format.fraction_bits) + digits);
}

__int128 wrap(DType dtype, __int128 value) {
  if (dtype == DType::Bool) return value != 0;
  const int width = static_cast<int>(8 * size_of(dtype));
  const unsigned __int128 kept = static_cast<unsigned __int128>(value) & ((static_cast<unsigned __int128>(1) << width) - 1);
  if (is_signed_int(dtype) && kept >> (width - 1)) return static_cast<__int128>(kept) - (static_cast<__int128>(1) << width);
  return static_cast<__int128>(kept);
}

__int128 least(DType dtype) { return is_signed_int(dtype) ? -(static_cast<__int128>(1) << (8 * size_of(dtype) - 1)) : 0; }

__int128 most(DType dtype) {
  if (dtype == DType::Bool) return 1;
  return (static_cast<__int128>(1) << (8 * size_of(dtype) - is_signed_int(dtype))) - 1;
}

std::vector<std::uint64_t> patterns_of(DType dtype, const std::vector<long double>& values) {
  std::vector<std::uint64_t> patterns;
  for (long double value : values) patterns.push_back(encode(dtype, is_float(dtype) ? real(value) : whole(static_cast<__int128>(value))));
  return patterns;
}

std::vector<std::uint64_t> corner_patterns(DType dtype) {
  if (dtype == DType::Bool) return {0, 1, 1, 0, 1};
  std::vector<std::uint64_t> patterns;
  if (!is_float(dtype)) {
    for (__int128 value : {__int128{0}, __int128{1}, __int128{2}, __int128{3}, __int128{7}, __int128{100}, __int128{-1}, __int128{-2}, __int128{-7}, __int128{-100},
                           least(dtype), least(dtype) + 1, most(dtype), most(dtype) - 1, most(dtype) / 3, __int128{5}, __int128{64}}) {
      if (value >= least(dtype) && value <= most(dtype)) patterns.push_back(encode(dtype, whole(value)));
    }
    return patterns;
  }
  const Format format = format_of(dtype);
  const long double infinity = std::numeric_limits<long double>::infinity();
  const long double largest = format.largest();
  const long double normal = std::ldexp(1.0L, 1 - format.bias()), subnormal = std::ldexp(5.0L, 1 - format.bias() - format.fraction_bits);
  return patterns_of(dtype, {0.0L, -0.0L, 1, -1, 0.5L, 1.5L, -2.25L, 3.14159265358979L, -0.001L, 0.3333333333L, 100.7L, -1234.5L, 17, largest, -largest, normal,
                             subnormal, -subnormal, infinity, -infinity, std::numeric_limits<long double>::quiet_NaN(), 2.5L, -3.5L});
}

}  // namespace tilewright::op_grid
