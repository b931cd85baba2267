// The values of a kernel: Tile, Var, Index, Scalar, and how operations take them.
//
// A value is a name for something computed when the kernel runs; while the kernel is traced it has a dtype and a shape, no elements. All errors
// about values are tilewright::Error with the author's position.
#pragma once

#include "dsl/location.h"
#include "dsl/program/opcode.h"
#include "dsl/setting.h"
#include "runtime/support/dtype_id.h"

#include <cstdint>
#include <initializer_list>
#include <type_traits>

namespace tilewright {

inline constexpr DType f64 = DType::F64, f32 = DType::F32, f16 = DType::F16, bf16 = DType::BF16;
inline constexpr DType f8e4m3 = DType::F8E4M3, f8e5m2 = DType::F8E5M2;
inline constexpr DType i8 = DType::I8, i16 = DType::I16, i32 = DType::I32, i64 = DType::I64;
inline constexpr DType u8 = DType::U8, u16 = DType::U16, u32 = DType::U32, u64 = DType::U64;
inline constexpr DType boolean = DType::Bool;
inline constexpr double inf = __builtin_inf();

namespace detail {

class Tracer;

// A value of the trace `trace`.
struct Ref {
  program::ValueId id;
  std::uint32_t trace;
};

// A C++ number: it takes the dtype of what it meets.
struct Number {
  enum Kind : std::uint8_t { Integer, Real, Bool } kind;
  std::int64_t integer;
  double real;

  template <class T>
  static constexpr Number of(T value) {
    if constexpr (std::is_floating_point_v<T>) return {Real, 0, static_cast<double>(value)};
    else return {std::is_same_v<T, bool> ? Bool : Integer, static_cast<std::int64_t>(value), 0};
  }
};

struct KeepAxis {};
struct NewAxis {};

}  // namespace detail

// x(_, None) adds an axis of extent 1 behind the only axis of x, x(None, _) before it.
inline constexpr detail::KeepAxis _{};
inline constexpr detail::NewAxis None{};

// What stands for one axis in x(...): `_` keeps an axis, `None` adds one of extent 1, an int picks one element of an axis, which goes away.
class AxisArg {
 public:
  enum Kind : std::uint8_t { Keep, New, Pick, End };
  AxisArg(detail::KeepAxis, Loc at = Loc::current()) : kind(Keep), at(at) {}
  AxisArg(detail::NewAxis, Loc at = Loc::current()) : kind(New), at(at) {}
  AxisArg(int index, Loc at = Loc::current()) : kind(Pick), index(index), at(at) {}
  AxisArg() : kind(End) {}

  Kind kind;
  int index = 0;
  Loc at;
};

// A tile of any rank; rank 0 is a scalar. Immutable: cheap to copy, never assigned. It has no value while tracing, so it is no C++ condition:
// use when(...) or where(...) instead of `if`.
class Tile {
 public:
  explicit Tile(detail::Ref ref) : ref_(ref) {}
  Tile(const Tile&) = default;
  Tile& operator=(const Tile&) = delete;  // a Tile never changes: declare it as Var to assign to it

  DType dtype(Loc at = Loc::current()) const;
  int rank(Loc at = Loc::current()) const;
  int extent(int axis, Loc at = Loc::current()) const;

  template <class T>
  Tile operator[](T) const = delete;  // axes are added and picked with x(_, None) and x(0, _)
  Tile operator()(AxisArg a, AxisArg b = {}, AxisArg c = {}, AxisArg d = {}, AxisArg e = {}, AxisArg f = {}) const;

  detail::Ref ref() const { return ref_; }

 protected:
  detail::Ref ref_;
};

// A scalar i64: positions and counts. Made from any integer scalar (converted) or C++ integer.
class [[maybe_unused]] Index : public Tile {
 public:
  Index(const Tile& value, Loc at = Loc::current());
  template <class T, class = std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>>
  Index(T value, Loc at = Loc::current()) : Index(detail::Number::of(value), at) {}
  Index(const Setting<int>& value, Loc at = Loc::current()) : Index(static_cast<int>(value), at) {}
  Index(detail::Number value, Loc at);
  Index(const Index&) = default;
  Index& operator=(const Index&) = delete;  // an Index never changes: declare it as Var to assign to it
  explicit Index(detail::Ref ref) : Tile(ref) {}
};

// A scalar parameter of a kernel. Its dtype is the caller's.
class Scalar : public Tile {
 public:
  explicit Scalar(detail::Ref ref) : Tile(ref) {}
};

class Arg;

// A variable: a tile that may be assigned, also inside range, when and while_, which carry it. It keeps the dtype and shape it was declared with.
class Var : public Tile {
 public:
  Var(const Tile& value, Loc at = Loc::current());
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Var(T) = delete;        // a C++ number has no dtype: write scalar(f32, x) or full(f32, {n}, x)
  Var(const Var& other);  // also for moves: every Var is a variable of its own
  ~Var();
  Var& operator=(const Tile& value);  // NOLINT(bugprone-derived-method-shadowing-base-method): a Tile's is deleted
  Var& operator=(const Var& value) { return *this = static_cast<const Tile&>(value); }
  Var& operator+=(const Arg& value);
  Var& operator-=(const Arg& value);
  Var& operator*=(const Arg& value);
  Var& operator/=(const Arg& value);

 private:
  friend class detail::Tracer;
  void enter();

  std::uint64_t serial_ = 0;
};

// An operand: a value or a C++ number, with the place it was written at.
class Arg {
 public:
  Arg(const Tile& value, Loc at = Loc::current()) : at(at), is_tile(true), ref(value.ref()) {}
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  Arg(T value, Loc at = Loc::current()) : at(at), number(detail::Number::of(value)) {}
  template <class T>
  Arg(const Setting<T>& value, Loc at = Loc::current()) : at(at), number(detail::Number::of(static_cast<T>(value))) {}

  Loc at;
  bool is_tile = false;
  detail::Ref ref{};
  detail::Number number{};
};

// An operand that must be a value, or must be a C++ number. Operators are declared for every pair but two numbers, which are C++'s own business.
class TileArg : public Arg {
 public:
  TileArg(const Tile& value, Loc at = Loc::current()) : Arg(value, at) {}
};
class NumberArg : public Arg {
 public:
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  NumberArg(T value, Loc at = Loc::current()) : Arg(value, at) {}
  template <class T>
  NumberArg(const Setting<T>& value, Loc at = Loc::current()) : Arg(value, at) {}
};

// One static extent of a tile.
class Extent {
 public:
  template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
  Extent(T value) : value(static_cast<std::int64_t>(value)) {}
  template <class T>
  Extent(const Setting<T>& value) : value(static_cast<T>(value)) {}
  Extent(const Tile&) = delete;  // extents are fixed at compile time: C++ integers, Tune and Const

  std::int64_t value;
};
using Extents = std::initializer_list<Extent>;

// A few tiles together: what split gives, what a reduction over several tiles takes and gives.
class Tiles {
 public:
  static constexpr int kMax = 8;
  Tiles() = default;
  Tiles(std::initializer_list<Tile> tiles);
  int size() const { return size_; }
  Tile operator[](int i) const { return Tile(refs_[i]); }
  void add(const Tile& tile);

 private:
  detail::Ref refs_[kMax] = {};
  int size_ = 0;
};

}  // namespace tilewright
