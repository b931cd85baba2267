// The 16-bit and 8-bit float formats of the reference: storage types and conversions, rounding to nearest even.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace tilewright::reference {

struct Half {  // IEEE binary16
  std::uint16_t bits;
};

struct Bfloat {  // the upper half of a binary32
  std::uint16_t bits;
};

// The 8-bit formats: `fraction_bits` of fraction below the exponent. Conversions to them saturate at `largest`, the magnitude bits of the largest number.
template <int fraction_bits_, std::uint8_t largest_>
struct Float8 {
  static constexpr int fraction_bits = fraction_bits_, bias = (1 << (6 - fraction_bits_)) - 1;
  static constexpr std::uint8_t largest = largest_;
  std::uint8_t bits;
};
using E4M3 = Float8<3, 0x7e>;  // the codes above are NaN
using E5M2 = Float8<2, 0x7b>;  // infinity is 0x7c, the codes above are NaN

inline float to_float(Half h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (h.bits >> 10) & 31u, mantissa = h.bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f) | sign);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

inline float to_float(Bfloat b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b.bits) << 16); }

inline float to_float(E5M2 x) { return to_float(Half{static_cast<std::uint16_t>(x.bits << 8)}); }

inline float to_float(E4M3 x) {
  const std::uint32_t sign = static_cast<std::uint32_t>(x.bits & 0x80u) << 24, magnitude = x.bits & 0x7fu;
  if (magnitude > E4M3::largest) return std::bit_cast<float>(sign | 0x7fc00000u);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 20) * 0x1p120f) | sign);  // from bias 7 to bias 127
}

inline Half half_from(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint16_t sign = (bits >> 16) & 0x8000u;
  std::uint32_t x = bits & 0x7fffffffu;
  if (x > 0x7f800000u) return {static_cast<std::uint16_t>(sign | 0x7e00u | ((x >> 13) & 0x3ffu))};
  if (x >= 0x477ff000u) return {static_cast<std::uint16_t>(sign | 0x7c00u)};  // 65520 and above round to infinity
  if (x < 0x38800000u) {
    // Below the least normal number: 0.5 has an ulp of 2^-24, the spacing wanted.
    const float shifted = std::bit_cast<float>(x) + 0.5f;
    return {static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u))};
  }
  x += 0xfffu + ((x >> 13) & 1u);
  return {static_cast<std::uint16_t>(sign | ((x - 0x38000000u) >> 13))};
}

inline Bfloat bfloat_from(float value) {
  std::uint32_t x = std::bit_cast<std::uint32_t>(value);
  if ((x & 0x7fffffffu) > 0x7f800000u) return {static_cast<std::uint16_t>((x >> 16) | 0x40u)};
  x += 0x7fffu + ((x >> 16) & 1u);
  return {static_cast<std::uint16_t>(x >> 16)};
}

template <class Format>
Format float8_from(float value) {
  const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return {static_cast<std::uint8_t>(sign | 0x7fu)};
  // Adding a power of two whose last place is that of the result rounds to it.
  const float magnitude = std::fabs(value);
  const std::uint32_t exponent = std::max(std::bit_cast<std::uint32_t>(magnitude) >> 23, static_cast<std::uint32_t>(128 - Format::bias));
  if (exponent >= 143) return {static_cast<std::uint8_t>(sign | Format::largest)};  // 65536 and above
  const float aligning = std::bit_cast<float>((exponent + 23 - Format::fraction_bits) << 23);
  const float rounded = (magnitude + aligning) - aligning;
  // As bits of a number of the result's bias: a fraction of 23 bits, of which only the first are used.
  const float scaled = rounded * std::ldexp(1.0f, Format::bias - 127);
  const std::uint32_t code = std::bit_cast<std::uint32_t>(scaled) >> (23 - Format::fraction_bits);
  return {static_cast<std::uint8_t>(sign | std::min(code, std::uint32_t{Format::largest}))};
}

// Rounds to odd: toward zero, and an inexact result gets its last bit set. Rounding that once more to a format narrower by two bits or more
// gives what rounding the original value would have given.
inline float float_to_odd(double value) {
  const float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || std::isnan(value)) return nearest;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

template <class Int>
double double_to_odd(Int value) {
  const double nearest = static_cast<double>(value);
  const __int128 difference = static_cast<__int128>(nearest) - static_cast<__int128>(value);
  if (difference == 0) return nearest;
  std::uint64_t bits = std::bit_cast<std::uint64_t>(nearest);
  if ((difference > 0) == (value > 0)) --bits;
  return std::bit_cast<double>(bits | 1u);
}

}  // namespace tilewright::reference
