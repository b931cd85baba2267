// Conversions between element types, each rounded at most once.
#include "compiler/reference/ops.h"

#include <cmath>
#include <limits>

namespace tilewright::reference {

namespace {

// Toward zero, saturating, NaN to 0.
template <class To, class From>
To float_to_int(From value) {
  using Limits = std::numeric_limits<To>;
  if (std::isnan(value)) return 0;
  // Both bounds are powers of two or zero, so they are exact in every float type.
  const From above = std::ldexp(From{1}, Limits::digits);
  if (value >= above) return Limits::max();
  if constexpr (Limits::is_signed) {
    if (value < -above) return Limits::min();
  } else {
    if (value <= 0) return 0;
  }
  return static_cast<To>(value);
}

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_integral_v<To> && std::is_integral_v<From>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_integral_v<To>) {
    return float_to_int<To>(widen(value));
  } else if constexpr (!std::is_integral_v<From>) {
    return narrow_to<To>(widen(value));
  } else if constexpr (is_narrow<To>) {
    return narrow_to<To>(double_to_odd(value));
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace

Tile cast(const Tile& tile, DType to) {
  if (to == tile.dtype()) return tile;
  Tile result(to, tile.shape());
  visit_any(tile.dtype(), [&]<class From>(std::type_identity<From>) {
    const From* x = tile.data<From>();
    const std::int64_t n = tile.elements();
    if (to == DType::Bool) {
      for (std::int64_t i = 0; i < n; ++i) result.mutable_data<std::uint8_t>()[i] = widen(x[i]) != 0;
      return;
    }
    visit_any(to, [&]<class To>(std::type_identity<To>) {
      To* r = result.mutable_data<To>();
      for (std::int64_t i = 0; i < n; ++i) r[i] = convert<To>(x[i]);
    });
  });
  return result;
}

}  // namespace tilewright::reference
