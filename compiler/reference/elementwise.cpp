// Elementwise operations: one loop an operation and dtype over contiguous elements.
#include "compiler/reference/ops.h"

#include <cmath>
#include <limits>

namespace tilewright::reference {

namespace {

// Integers are computed unsigned, at least 32 bits wide, where wrapping is defined.
template <class T>
using Wrapping = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;

template <class T, class F>
Tile map(const Tile& a, F f) {
  Tile result(a.dtype(), a.shape());
  const T* x = a.data<T>();
  T* r = result.mutable_data<T>();
  for (std::int64_t i = 0, n = a.elements(); i < n; ++i) {
    if constexpr (std::is_integral_v<T>) {
      r[i] = static_cast<T>(f(x[i]));
    } else {
      r[i] = narrow_to<T>(f(widen(x[i])));
    }
  }
  return result;
}

template <class T, class F>
Tile map(const Tile& a, const Tile& b, F f) {
  Tile result(a.dtype(), a.shape());
  const T *x = a.data<T>(), *y = b.data<T>();
  T* r = result.mutable_data<T>();
  for (std::int64_t i = 0, n = a.elements(); i < n; ++i) {
    if constexpr (std::is_integral_v<T>) {
      r[i] = static_cast<T>(f(x[i], y[i]));
    } else {
      r[i] = narrow_to<T>(f(widen(x[i]), widen(y[i])));
    }
  }
  return result;
}

template <class F>
Tile compare(const Tile& a, const Tile& b, F f) {
  Tile result(DType::Bool, a.shape());
  std::uint8_t* r = result.mutable_data<std::uint8_t>();
  visit_any(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const T *x = a.data<T>(), *y = b.data<T>();
    for (std::int64_t i = 0, n = a.elements(); i < n; ++i) r[i] = f(widen(x[i]), widen(y[i]));
  });
  return result;
}

[[noreturn]] void undefined(Opcode opcode, DType dtype) {
  malformed(std::string(program::mnemonic_of(opcode)) + " is not defined for " + std::string(name_of(dtype)));
}

template <class C>
C minimum(C a, C b) {
  if (std::isnan(a)) return a;
  if (std::isnan(b)) return b;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

template <class C>
C maximum(C a, C b) {
  if (std::isnan(a)) return a;
  if (std::isnan(b)) return b;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

Tile is_nan(const Tile& a) {
  Tile result(DType::Bool, a.shape());
  std::uint8_t* r = result.mutable_data<std::uint8_t>();
  visit_float(a.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0, n = a.elements(); i < n; ++i) r[i] = std::isnan(widen(a.data<T>()[i]));
  });
  return result;
}

Tile float_unary(Opcode opcode, const Tile& a) {
  return visit_float(a.dtype(), [&]<class T>(std::type_identity<T>) -> Tile {
    using C = Compute<T>;
    const auto through_double = [&](auto f) { return map<T>(a, [f](C x) { return static_cast<C>(f(static_cast<double>(x))); }); };
    switch (opcode) {
      case Opcode::Neg: return map<T>(a, [](C x) { return -x; });
      case Opcode::Abs: return map<T>(a, [](C x) { return std::fabs(x); });
      case Opcode::Exp: return through_double([](double x) { return std::exp(x); });
      case Opcode::Exp2: return through_double([](double x) { return std::exp2(x); });
      case Opcode::Log: return through_double([](double x) { return std::log(x); });
      case Opcode::Log2: return through_double([](double x) { return std::log2(x); });
      case Opcode::Sqrt: return map<T>(a, [](C x) { return std::sqrt(x); });
      case Opcode::Rsqrt: return through_double([](double x) { return 1.0 / std::sqrt(x); });
      case Opcode::Sin: return through_double([](double x) { return std::sin(x); });
      case Opcode::Cos: return through_double([](double x) { return std::cos(x); });
      case Opcode::Tanh: return through_double([](double x) { return std::tanh(x); });
      case Opcode::Floor: return map<T>(a, [](C x) { return std::floor(x); });
      case Opcode::Ceil: return map<T>(a, [](C x) { return std::ceil(x); });
      case Opcode::IsNan: return is_nan(a);
      default: undefined(opcode, a.dtype());
    }
  });
}

Tile int_unary(Opcode opcode, const Tile& a) {
  if (a.dtype() == DType::Bool) {
    if (opcode != Opcode::Not) undefined(opcode, a.dtype());
    return map<std::uint8_t>(a, [](std::uint8_t x) { return !x; });
  }
  return visit_int(a.dtype(), [&]<class T>(std::type_identity<T>) -> Tile {
    using U = Wrapping<T>;
    switch (opcode) {
      case Opcode::Neg: return map<T>(a, [](T x) { return U{0} - static_cast<U>(x); });
      case Opcode::Abs: return map<T>(a, [](T x) { return x < 0 ? U{0} - static_cast<U>(x) : static_cast<U>(x); });
      case Opcode::Not: return map<T>(a, [](T x) { return ~static_cast<U>(x); });
      default: undefined(opcode, a.dtype());
    }
  });
}

template <class T>
T divide(T x, T y) {
  if (y == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (y == -1) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
  }
  return static_cast<T>(x / y);
}

template <class T>
T remainder(T x, T y) {
  if (y == 0) return x;
  if constexpr (std::is_signed_v<T>) {
    if (y == -1) return 0;
  }
  return static_cast<T>(x % y);
}

Tile float_binary(Opcode opcode, const Tile& a, const Tile& b) {
  return visit_float(a.dtype(), [&]<class T>(std::type_identity<T>) -> Tile {
    using C = Compute<T>;
    switch (opcode) {
      case Opcode::Add: return map<T>(a, b, [](C x, C y) { return x + y; });
      case Opcode::Sub: return map<T>(a, b, [](C x, C y) { return x - y; });
      case Opcode::Mul: return map<T>(a, b, [](C x, C y) { return x * y; });
      case Opcode::Div: return map<T>(a, b, [](C x, C y) { return x / y; });
      case Opcode::Min: return map<T>(a, b, minimum<C>);
      case Opcode::Max: return map<T>(a, b, maximum<C>);
      default: undefined(opcode, a.dtype());
    }
  });
}

Tile bitwise(Opcode opcode, const Tile& a, const Tile& b) {
  return visit_width(a.dtype(), [&]<class T>(std::type_identity<T>) -> Tile {
    switch (opcode) {
      case Opcode::And: return map<T>(a, b, [](T x, T y) { return x & y; });
      case Opcode::Or: return map<T>(a, b, [](T x, T y) { return x | y; });
      default: return map<T>(a, b, [](T x, T y) { return x ^ y; });
    }
  });
}

Tile int_binary(Opcode opcode, const Tile& a, const Tile& b) {
  if (opcode == Opcode::And || opcode == Opcode::Or || opcode == Opcode::Xor) return bitwise(opcode, a, b);
  if (a.dtype() == DType::Bool) undefined(opcode, a.dtype());
  return visit_int(a.dtype(), [&]<class T>(std::type_identity<T>) -> Tile {
    using U = Wrapping<T>;
    constexpr U kWidthMask = 8 * sizeof(T) - 1;
    switch (opcode) {
      case Opcode::Add: return map<T>(a, b, [](T x, T y) { return static_cast<U>(x) + static_cast<U>(y); });
      case Opcode::Sub: return map<T>(a, b, [](T x, T y) { return static_cast<U>(x) - static_cast<U>(y); });
      case Opcode::Mul: return map<T>(a, b, [](T x, T y) { return static_cast<U>(x) * static_cast<U>(y); });
      case Opcode::Div: return map<T>(a, b, divide<T>);
      case Opcode::Rem: return map<T>(a, b, remainder<T>);
      case Opcode::Min: return map<T>(a, b, [](T x, T y) { return x < y ? x : y; });
      case Opcode::Max: return map<T>(a, b, [](T x, T y) { return x > y ? x : y; });
      case Opcode::Shl: return map<T>(a, b, [](T x, T y) { return static_cast<U>(x) << (static_cast<U>(y) & kWidthMask); });
      case Opcode::Shr: return map<T>(a, b, [](T x, T y) { return x >> (static_cast<U>(y) & kWidthMask); });
      default: undefined(opcode, a.dtype());
    }
  });
}

Tile binary(Opcode opcode, const Tile& a, const Tile& b) {
  switch (opcode) {
    case Opcode::Eq: return compare(a, b, [](auto x, auto y) { return x == y; });
    case Opcode::Ne: return compare(a, b, [](auto x, auto y) { return x != y; });
    case Opcode::Lt: return compare(a, b, [](auto x, auto y) { return x < y; });
    case Opcode::Le: return compare(a, b, [](auto x, auto y) { return x <= y; });
    case Opcode::Gt: return compare(a, b, [](auto x, auto y) { return x > y; });
    case Opcode::Ge: return compare(a, b, [](auto x, auto y) { return x >= y; });
    default: return is_float(a.dtype()) ? float_binary(opcode, a, b) : int_binary(opcode, a, b);
  }
}

Tile select(const Tile& condition, const Tile& a, const Tile& b) {
  if (condition.dtype() != DType::Bool) malformed("the condition of select is " + std::string(name_of(condition.dtype())));
  Tile result(a.dtype(), a.shape());
  const std::uint8_t* c = condition.data<std::uint8_t>();
  visit_width(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const T *x = a.data<T>(), *y = b.data<T>();
    T* r = result.mutable_data<T>();
    for (std::int64_t i = 0, n = a.elements(); i < n; ++i) r[i] = c[i] ? x[i] : y[i];
  });
  return result;
}

Tile fma(const Tile& a, const Tile& b, const Tile& c) {
  Tile result(a.dtype(), a.shape());
  visit_float(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const T *x = a.data<T>(), *y = b.data<T>(), *z = c.data<T>();
    T* r = result.mutable_data<T>();
    for (std::int64_t i = 0, n = a.elements(); i < n; ++i) r[i] = narrow_to<T>(std::fma(widen(x[i]), widen(y[i]), widen(z[i])));
  });
  return result;
}

}  // namespace

bool is_elementwise(Opcode opcode) { return opcode >= Opcode::Neg && opcode <= Opcode::Fma; }

Tile elementwise(Opcode opcode, std::span<const Tile> operands) {
  const bool chooses = opcode == Opcode::Select;
  for (std::size_t i = 1; i < operands.size(); ++i) {
    if (operands[i].shape() != operands[0].shape() || (operands[i].dtype() != operands.back().dtype()))
      malformed("operands of " + std::string(program::mnemonic_of(opcode)) + " differ in shape or dtype");
  }
  if (!chooses && operands[0].dtype() != operands.back().dtype())
    malformed("operands of " + std::string(program::mnemonic_of(opcode)) + " differ in dtype");
  switch (operands.size()) {
    case 1: return is_float(operands[0].dtype()) ? float_unary(opcode, operands[0]) : int_unary(opcode, operands[0]);
    case 2: return binary(opcode, operands[0], operands[1]);
    case 3: return chooses ? select(operands[0], operands[1], operands[2]) : fma(operands[0], operands[1], operands[2]);
    default: malformed("an elementwise operation with " + std::to_string(operands.size()) + " operands");
  }
}

}  // namespace tilewright::reference
