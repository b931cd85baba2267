// Operators on tiles and numbers.
//
// Shapes broadcast by numpy's rule: aligned at the last axis, extents of 1 and missing leading axes stretch. Dtypes must be equal, with two
// exceptions: a C++ number takes the dtype of the other operand, and an Index (any i64 scalar) with an integer tile of another dtype makes both i64.
// Integers wrap; integer division rounds toward zero and x / 0 is 0; comparisons give bool. & | ^ ! work on bools, & | ^ ~ << >> on integers.
#pragma once

#include "dsl/tile.h"

namespace tilewright {

namespace detail {

Tile binary(program::Opcode opcode, const Arg& a, const Arg& b);
Tile unary(program::Opcode opcode, const Arg& x);

}  // namespace detail

#define TW_BINARY(symbol, Name)                                                                      \
  inline Tile symbol(TileArg a, TileArg b) { return detail::binary(program::Opcode::Name, a, b); }   \
  inline Tile symbol(TileArg a, NumberArg b) { return detail::binary(program::Opcode::Name, a, b); } \
  inline Tile symbol(NumberArg a, TileArg b) { return detail::binary(program::Opcode::Name, a, b); }

TW_BINARY(operator+, Add)
TW_BINARY(operator-, Sub)
TW_BINARY(operator*, Mul)
TW_BINARY(operator/, Div)
TW_BINARY(operator%, Rem)
TW_BINARY(operator&, And)
TW_BINARY(operator|, Or)
TW_BINARY(operator^, Xor)
TW_BINARY(operator<<, Shl)
TW_BINARY(operator>>, Shr)
TW_BINARY(operator==, Eq)
TW_BINARY(operator!=, Ne)
TW_BINARY(operator<, Lt)
TW_BINARY(operator<=, Le)
TW_BINARY(operator>, Gt)
TW_BINARY(operator>=, Ge)
TW_BINARY(min, Min)
TW_BINARY(max, Max)

#undef TW_BINARY

// On C++ integers and settings, for the metaprogram.
constexpr int min(int a, int b) { return a < b ? a : b; }
constexpr int max(int a, int b) { return a > b ? a : b; }

inline Tile operator-(TileArg x) { return detail::unary(program::Opcode::Neg, x); }
Tile operator!(TileArg x);
Tile operator&&(TileArg a, TileArg b) = delete;  // && and || ask while tracing: use & and |
Tile operator||(TileArg a, TileArg b) = delete;  // && and || ask while tracing: use & and |
inline Tile operator~(TileArg x) { return detail::unary(program::Opcode::Not, x); }

// The number of blocks of `b` that cover `a`, for a >= 0 and b > 0.
constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
Tile ceil_div(TileArg a, TileArg b);
Tile ceil_div(TileArg a, NumberArg b);
Tile ceil_div(NumberArg a, TileArg b);

}  // namespace tilewright
