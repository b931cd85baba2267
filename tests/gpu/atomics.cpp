#include "tests/gpu/atomics.h"

#include "tests/op_grid/value.h"

#include <algorithm>
#include <cmath>

namespace tilewright::simt {

namespace {

using op_grid::decode;
using op_grid::encode;

DType float_of(AtomicElement element) {
  switch (element) {
    case AtomicElement::kHalf: return DType::F16;
    case AtomicElement::kBfloat: return DType::BF16;
    case AtomicElement::kFloat: return DType::F32;
    default: return DType::F64;
  }
}

bool is_integer(AtomicElement element) { return element == AtomicElement::kInteger32 || element == AtomicElement::kInteger64; }

std::uint64_t of_floats(const std::string& kind, DType dtype, std::uint64_t old, std::uint64_t value) {
  const long double x = decode(dtype, old).real, y = decode(dtype, value).real;
  if (kind == "add") return encode(dtype, op_grid::real(x + y));
  if (std::isnan(x)) return old;
  if (std::isnan(y)) return value;
  const bool first_is_less = x != y ? x < y : std::signbit(x);
  return first_is_less == (kind == "minf") ? old : value;
}

template <class Signed, class Unsigned>
std::uint64_t of_integers(const std::string& kind, Unsigned x, Unsigned y) {
  const auto a = static_cast<Signed>(x), b = static_cast<Signed>(y);
  if (kind == "add") return static_cast<Unsigned>(x + y);
  if (kind == "mins") return static_cast<Unsigned>(std::min(a, b));
  if (kind == "maxs") return static_cast<Unsigned>(std::max(a, b));
  if (kind == "minu") return std::min(x, y);
  if (kind == "maxu") return std::max(x, y);
  if (kind == "and") return x & y;
  return kind == "or" ? x | y : x ^ y;
}

}  // namespace

std::int32_t bytes_of(AtomicElement element) {
  if (element == AtomicElement::kHalf || element == AtomicElement::kBfloat) return 2;
  return element == AtomicElement::kInteger32 || element == AtomicElement::kFloat ? 4 : 8;
}

std::uint64_t combined(const std::string& kind, AtomicElement element, std::uint64_t old, std::uint64_t value, std::uint64_t expected) {
  if (kind == "exchange") return value;
  if (kind == "compare_exchange") return old == expected ? value : old;
  if (!is_integer(element)) return of_floats(kind, float_of(element), old, value);
  if (element == AtomicElement::kInteger64) return of_integers<std::int64_t, std::uint64_t>(kind, old, value);
  return of_integers<std::int32_t, std::uint32_t>(kind, static_cast<std::uint32_t>(old), static_cast<std::uint32_t>(value));
}

}  // namespace tilewright::simt
