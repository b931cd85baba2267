// Tiles of the reference interpreter: a dtype, a shape and elements in row-major order, stored as in memory.
//
// A tile is immutable once an operation has made it, so copies share their elements. Elements of f16, bf16 and the 8-bit floats are kept as their bits; operations
// widen them to f32. A bool is a byte, 0 or 1.
#pragma once

#include "compiler/reference/half.h"
#include "dsl/program/program.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

namespace tilewright::reference {

using program::Shape;

// Throws Error TW9301: a program the language would not have made.
[[noreturn]] void malformed(const std::string& what);

class Tile {
 public:
  Tile() = default;
  Tile(DType dtype, Shape shape);  // elements uninitialised

  template <class T>
  static Tile scalar(DType dtype, T value) {
    Tile tile(dtype, {});
    *tile.mutable_data<T>() = value;
    return tile;
  }

  // The same elements under another shape of equal size, or another dtype of equal width.
  Tile with_shape(Shape shape) const;
  Tile with_dtype(DType dtype) const;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return elements_; }
  std::size_t bytes() const { return static_cast<std::size_t>(elements_) * size_of(dtype_); }

  // T is the storage type of the dtype, or an unsigned integer of its width.
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_.get());
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(data_.get());
  }

  // One element by its place in row-major order. number: any dtype, exact but for integers beyond 2^53. integer: bool and integers.
  double number(std::int64_t i) const;
  std::int64_t integer(std::int64_t i) const;

 private:
  DType dtype_ = DType::F32;
  Shape shape_;
  std::int64_t elements_ = 0;
  std::shared_ptr<std::byte[]> data_;
};

// Elements before, along and after one axis: element (o, k, i) lies at (o * extent + k) * inner + i.
struct AxisSplit {
  std::int64_t outer = 1, extent = 1, inner = 1;
  AxisSplit(const Shape& shape, std::int64_t axis);
};

// ---- from dtypes to C++ types. The function gets a std::type_identity of the storage type.

template <class F>
decltype(auto) visit_int(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Bool: case DType::U8: return f(std::type_identity<std::uint8_t>{});
    case DType::I8: return f(std::type_identity<std::int8_t>{});
    case DType::I16: return f(std::type_identity<std::int16_t>{});
    case DType::I32: return f(std::type_identity<std::int32_t>{});
    case DType::I64: return f(std::type_identity<std::int64_t>{});
    case DType::U16: return f(std::type_identity<std::uint16_t>{});
    case DType::U32: return f(std::type_identity<std::uint32_t>{});
    case DType::U64: return f(std::type_identity<std::uint64_t>{});
    default: malformed("an integer was expected, not " + std::string(name_of(dtype)));
  }
}

template <class F>
decltype(auto) visit_float(DType dtype, F&& f) {
  switch (dtype) {
    case DType::F16: return f(std::type_identity<Half>{});
    case DType::BF16: return f(std::type_identity<Bfloat>{});
    case DType::F8E4M3: return f(std::type_identity<E4M3>{});
    case DType::F8E5M2: return f(std::type_identity<E5M2>{});
    case DType::F32: return f(std::type_identity<float>{});
    case DType::F64: return f(std::type_identity<double>{});
    default: malformed("a float was expected, not " + std::string(name_of(dtype)));
  }
}

template <class F>
decltype(auto) visit_any(DType dtype, F&& f) {
  return is_float(dtype) ? visit_float(dtype, f) : visit_int(dtype, f);
}

// An unsigned integer as wide as the element: for operations that only move elements.
template <class F>
decltype(auto) visit_width(DType dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1: return f(std::type_identity<std::uint8_t>{});
    case 2: return f(std::type_identity<std::uint16_t>{});
    case 4: return f(std::type_identity<std::uint32_t>{});
    default: return f(std::type_identity<std::uint64_t>{});
  }
}

// ---- between storage and the type an operation computes in: f32 for the floats narrower than that, else the storage type itself.

template <class T>
inline constexpr bool is_float8 = std::is_same_v<T, E4M3> || std::is_same_v<T, E5M2>;

template <class T>
inline constexpr bool is_narrow = std::is_same_v<T, Half> || std::is_same_v<T, Bfloat> || is_float8<T>;

template <class T>
using Compute = std::conditional_t<is_narrow<T>, float, T>;

template <class T>
Compute<T> widen(T value) {
  if constexpr (std::is_same_v<Compute<T>, T>) {
    return value;
  } else {
    return to_float(value);
  }
}

// Rounds once, to nearest even.
template <class T>
T narrow_to(double value) {
  if constexpr (std::is_same_v<T, Half>) {
    return half_from(float_to_odd(value));
  } else if constexpr (std::is_same_v<T, Bfloat>) {
    return bfloat_from(float_to_odd(value));
  } else if constexpr (is_float8<T>) {
    return float8_from<T>(float_to_odd(value));
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
T narrow_to(float value) {
  if constexpr (std::is_same_v<T, Half>) {
    return half_from(value);
  } else if constexpr (std::is_same_v<T, Bfloat>) {
    return bfloat_from(value);
  } else if constexpr (is_float8<T>) {
    return float8_from<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace tilewright::reference
