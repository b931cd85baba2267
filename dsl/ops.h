// Functions on tiles: making them, arithmetic, types and shapes, dot, reductions, scans, order, print and check.
//
// Axes are counted from 0. Floats of 16 bits are computed in f32 and rounded once. Shape and dtype mismatches are errors TW12xx.
#pragma once

#include "dsl/operators.h"

namespace tilewright {

// ---- making values
Index program_id(int axis, Loc at = Loc::current());  // which program of the grid this is; axis 0 to 2
Index num_programs(int axis, Loc at = Loc::current());
Tile arange(Extent count, std::int64_t start = 0, DType dtype = i32, Loc at = Loc::current());  // start, start + 1, ...
Tile full(DType dtype, Extents shape, const Arg& value, Loc at = Loc::current());               // a C++ number or a scalar of that dtype
Tile zeros(DType dtype, Extents shape, Loc at = Loc::current());
Tile scalar(DType dtype, const NumberArg& value, Loc at = Loc::current());  // full(dtype, {}, value)
Tile zeros_like(TileArg x);
Tile full_like(TileArg x, const Arg& value);

// ---- elementwise; floats unless said otherwise
#define TW_UNARY(function, Name) \
  inline Tile function(TileArg x) { return detail::unary(program::Opcode::Name, x); }
TW_UNARY(exp, Exp)
TW_UNARY(exp2, Exp2)
TW_UNARY(log, Log)
TW_UNARY(log2, Log2)
TW_UNARY(sqrt, Sqrt)
TW_UNARY(rsqrt, Rsqrt)  // 1 / sqrt(x)
TW_UNARY(sin, Sin)
TW_UNARY(cos, Cos)
TW_UNARY(tanh, Tanh)
TW_UNARY(floor, Floor)
TW_UNARY(ceil, Ceil)
TW_UNARY(isnan, IsNan)  // bool
TW_UNARY(abs, Abs)      // integers too
#undef TW_UNARY
Tile sigmoid(TileArg x);                                    // 1 / (1 + exp(-x))
Tile fma(const Arg& a, const Arg& b, const Arg& c);         // a * b + c, rounded once
Tile where(TileArg condition, const Arg& a, const Arg& b);  // bool condition; a where it is true, else b

// ---- dtypes
Tile cast(TileArg x, DType dtype);     // float to integer: toward zero, saturating, NaN to 0; integers wrap; to bool: x != 0
Tile bitcast(TileArg x, DType dtype);  // same element width

// ---- shapes
Tile broadcast_to(TileArg x, Extents shape);
Tile reshape(TileArg x, Extents shape);                              // row-major
Tile permute(TileArg x, std::initializer_list<int> order);           // axis i of the result is axis order[i]
Tile trans(TileArg x);                                               // swaps the last two axes
Tile concat(const Tiles& tiles, int axis, Loc at = Loc::current());  // concat({a, b}, 0)
Tile slice(TileArg x, int axis, std::int64_t start, Extent extent);
Tiles split(TileArg x, int axis, int parts);    // equal parts, at most Tiles::kMax
Tile take(TileArg x, TileArg index, int axis);  // gather along an axis; other extents of index equal x's; clamped

// ---- dot: [M,K] by [K,N], or with one leading batch axis each. Accumulates in f32 for f16, bf16, f32; f64 for f64; i32 for i8, u8.
Tile dot(TileArg a, TileArg b);
Tile dot(TileArg a, TileArg b, TileArg accumulator);

// ---- reductions: the axis goes away; without an axis, all of them. Sums of f16 and bf16 accumulate in f32. NaN wins in reduce_max and reduce_min.
Tile sum(TileArg x, int axis);
Tile sum(TileArg x);
Tile prod(TileArg x, int axis);
Tile prod(TileArg x);
Tile reduce_max(TileArg x, int axis);
Tile reduce_max(TileArg x);
Tile reduce_min(TileArg x, int axis);
Tile reduce_min(TileArg x);
Tile any(TileArg x, int axis);  // bool
Tile any(TileArg x);
Tile all(TileArg x, int axis);
Tile all(TileArg x);
Tile argmax(TileArg x, int axis);  // i32; ties: the lower index; NaN ranks below everything
Tile argmin(TileArg x, int axis);  // i32; ties: the lower index; NaN ranks above everything

// ---- scans: inclusive prefixes along an axis, suffixes when reversed
Tile cumsum(TileArg x, int axis, bool reverse = false);
Tile cumprod(TileArg x, int axis, bool reverse = false);
Tile cummax(TileArg x, int axis, bool reverse = false);
Tile cummin(TileArg x, int axis, bool reverse = false);

// ---- order: by value, then lower index first; NaN last either way
struct TopK {
  Tile values;
  Tile indices;  // i32
};
TopK top_k(TileArg x, int k, int axis, bool descending = true);
Tile sort(TileArg x, int axis, bool descending = false);

// ---- effects
class Text {  // a C string with the place it was written at
 public:
  Text(const char* text, Loc at = Loc::current()) : text(text), at(at) {}
  const char* text;
  Loc at;
};

namespace detail {
void print(const Text& text, std::initializer_list<Tile> values);

// The region of a combiner: open while it lives.
class CombinerScope {
 public:
  CombinerScope(program::Opcode reduce_or_scan, const Tiles& tiles, int axis, bool reverse, Loc at);
  ~CombinerScope();
  CombinerScope(const CombinerScope&) = delete;
  CombinerScope& operator=(const CombinerScope&) = delete;
  const Tiles& left() const { return left_; }
  const Tiles& right() const { return right_; }
  Tiles close(const Tiles& results);

 private:
  Tiles left_, right_;
  bool open_ = true;
};
}  // namespace detail

// Prints the values when the kernel runs, on the devices that can (reference).
template <class... T>
void print(Text text, const T&... values) {
  detail::print(text, {Tile(values)...});
}

// Fails the launch with `text` and the position of the check if any element of `condition` is false.
void check(TileArg condition, const char* text);
inline void tw_assert(TileArg condition, const char* text) { check(condition, text); }

// ---- reductions and scans with a combiner: a lambda of two scalars, traced once, associative; for reduce commutative too. It may use its arguments
// and C++ numbers. Over several tiles it takes and gives Tiles: reduce(Tiles{a, b}, 0, [](Tiles x, Tiles y) { return Tiles{x[0] + y[0], ...}; }).
template <class Combine>
Tile reduce(TileArg x, int axis, Combine&& combine) {
  detail::CombinerScope scope(program::Opcode::Reduce, {Tile(x.ref)}, axis, false, x.at);
  return scope.close({Tile(combine(scope.left()[0], scope.right()[0]))})[0];
}
template <class Combine>
Tiles reduce(const Tiles& tiles, int axis, Combine&& combine, Loc at = Loc::current()) {
  detail::CombinerScope scope(program::Opcode::Reduce, tiles, axis, false, at);
  return scope.close(combine(scope.left(), scope.right()));
}
template <class Combine>
Tile scan(TileArg x, int axis, Combine&& combine, bool reverse = false) {
  detail::CombinerScope scope(program::Opcode::Scan, {Tile(x.ref)}, axis, reverse, x.at);
  return scope.close({Tile(combine(scope.left()[0], scope.right()[0]))})[0];
}
template <class Combine>
Tiles scan(const Tiles& tiles, int axis, Combine&& combine, bool reverse = false, Loc at = Loc::current()) {
  detail::CombinerScope scope(program::Opcode::Scan, tiles, axis, reverse, at);
  return scope.close(combine(scope.left(), scope.right()));
}

}  // namespace tilewright
