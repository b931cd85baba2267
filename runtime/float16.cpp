// Conversions between the 16-bit floating-point formats and float or double, on the bits, exact in every case and on every machine.
#include "runtime/tensor.h"

#include <bit>
#include <cstdint>

namespace tilewright {

namespace {

// Rounds to a format of 1 sign bit, `exponent_bits` and `fraction_bits`, with subnormals, infinities and NaN as in IEEE 754; to nearest, ties to even.
template <int exponent_bits, int fraction_bits>
std::uint16_t round_to_format(double value) {
  constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  constexpr std::uint16_t infinity = ((1u << exponent_bits) - 1) << fraction_bits;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  const std::uint16_t sign = static_cast<std::uint16_t>(bits >> 63) << 15;
  const int exponent_field = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);

  if (exponent_field == 0x7ff) {
    if (fraction == 0) return sign | infinity;
    const std::uint16_t payload = static_cast<std::uint16_t>(fraction >> (52 - fraction_bits));
    return sign | infinity | std::uint16_t{1} << (fraction_bits - 1) | payload;  // quiet, with what fits of the payload
  }
  const int exponent = exponent_field - 1023;  // a double subnormal is below half the least subnormal of either format
  if (exponent > bias) return sign | infinity;
  const int least_exponent = 1 - bias;
  const int extra = exponent < least_exponent ? least_exponent - exponent : 0;
  const int drop = 52 - fraction_bits + extra;
  if (drop > 53) return sign;
  const std::uint64_t significand = fraction | std::uint64_t{1} << 52;
  const std::uint64_t half = std::uint64_t{1} << (drop - 1);
  const std::uint64_t rest = significand & ((half << 1) - 1);
  std::uint64_t kept = significand >> drop;
  if (rest > half || (rest == half && (kept & 1))) ++kept;
  // A carry out of the fraction lands in the exponent, where it belongs: the next binade, the least normal number, or infinity.
  if (extra == 0) kept += static_cast<std::uint64_t>(exponent + bias - 1) << fraction_bits;
  return sign | static_cast<std::uint16_t>(kept);
}

}  // namespace

std::uint16_t double_to_f16(double value) { return round_to_format<5, 10>(value); }
std::uint16_t double_to_bf16(double value) { return round_to_format<8, 7>(value); }
std::uint16_t float_to_f16(float value) { return double_to_f16(value); }

std::uint16_t float_to_bf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float bf16_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

float f16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1f;
  std::uint32_t fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  if (fraction == 0) return std::bit_cast<float>(sign);
  const int shift = std::countl_zero(fraction) - 21;  // brings the leading one to bit 10
  fraction = fraction << shift & 0x3ff;
  return std::bit_cast<float>(sign | static_cast<std::uint32_t>(113 - shift) << 23 | fraction << 13);
}

}  // namespace tilewright
