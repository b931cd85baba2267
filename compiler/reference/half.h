// The 16-bit float formats of the reference: storage types and conversions, rounding to nearest even.
#pragma once

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

inline float to_float(Half h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (h.bits >> 10) & 31u, mantissa = h.bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) return std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f) | sign);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

inline float to_float(Bfloat b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b.bits) << 16); }

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
