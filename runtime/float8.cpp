// Conversions between the 8-bit floating-point formats and float or double, exact in every case.
#include "runtime/tensor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tilewright {

namespace {

struct Format {
  int exponent_bits, fraction_bits;
  int largest;        // the magnitude bits of the largest number
  bool has_infinity;  // whose magnitude bits follow the largest number's
  constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};

constexpr Format kE4M3{4, 3, 0x7e, false}, kE5M2{5, 2, 0x7b, true};
constexpr int kNan = 0x7f;

std::array<float, 256> all_values(const Format& format) {
  std::array<float, 256> values{};
  for (int bits = 0; bits < 256; ++bits) {
    const int magnitude = bits & 0x7f, exponent = magnitude >> format.fraction_bits, fraction = magnitude & ((1 << format.fraction_bits) - 1);
    const int significand = exponent == 0 ? fraction : fraction | 1 << format.fraction_bits;
    float value = std::ldexp(static_cast<float>(significand), std::max(exponent, 1) - format.bias() - format.fraction_bits);
    if (magnitude > format.largest) {
      const bool infinite = format.has_infinity && magnitude == format.largest + 1;
      value = infinite ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    }
    values[static_cast<std::size_t>(bits)] = std::copysign(value, bits & 0x80 ? -1.0f : 1.0f);
  }
  return values;
}

std::uint8_t round_to(const Format& format, double value) {
  const int sign = std::signbit(value) ? 0x80 : 0;
  if (std::isnan(value)) return static_cast<std::uint8_t>(sign | kNan);
  // Far beyond the largest number of either format, and still a small number of steps.
  const double magnitude = std::min(std::fabs(value), 0x1p20);
  const int least = 1 - format.bias();
  const int exponent = magnitude == 0 ? least : std::max(std::ilogb(magnitude), least);
  // Steps of the last place above the binade's beginning; a carry lands in the exponent, where it belongs.
  const int steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent)));
  return static_cast<std::uint8_t>(sign | std::min(((exponent - least) << format.fraction_bits) + steps, format.largest));
}

}  // namespace

float f8e4m3_to_float(std::uint8_t bits) {
  static const std::array<float, 256> values = all_values(kE4M3);
  return values[bits];
}

float f8e5m2_to_float(std::uint8_t bits) {
  static const std::array<float, 256> values = all_values(kE5M2);
  return values[bits];
}

std::uint8_t double_to_f8e4m3(double value) { return round_to(kE4M3, value); }
std::uint8_t double_to_f8e5m2(double value) { return round_to(kE5M2, value); }

}  // namespace tilewright
