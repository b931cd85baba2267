// Atomic operations on memory: read an element, combine, write back, in one step.
//
//   atomic_add(histogram, {bins}, 1);                          bins: a tile of integers; several equal ones all count
//   Tile ticket = atomic_add(counter, {0}, 1);                 what was there before
//   atomic_max(best, {head, span(row, 64)}, scores, mask);     the places of load and store, their masks too
//
// The view is an InOut. A value has the view's dtype and the shape of its place; a C++ number stands at every element of the place. Each function gives what the
// elements were before, as a tile of the value's shape: zero where nothing is accessed. As a statement, without the result, it is cheaper.
//
// Dtypes: f32, f64, i32, i64, u32, u64; atomic_add also f16 and bf16; atomic_and, atomic_or, atomic_xor integers only (TW1310).
//
// Order. All programs of a launch may act on one element, and elements of one tile too: each acts once, in no order that can be relied on. So the result of integer
// sums, of minima, maxima and bitwise operations is determined; that of float sums only up to rounding. Operations are relaxed, over the whole device: one program's
// other loads and stores are not ordered by them as others see them. Within one program all accesses are in the order of its statements.
#pragma once

#include "dsl/view.h"

namespace tilewright {

namespace detail {
enum class Places : bool { Blocks, Elements };
Tile atomic(program::AtomicKind kind, Places places, const View& view, Indices indices, const Arg* expected, const Arg& value, const TileArg* mask, Loc at);
}  // namespace detail

#define TW_ATOMIC(function, Name)                                                                                                                           \
  inline Tile function(const View& view, Indices indices, const Arg& value, Loc at = Loc::current()) {                                                      \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, nullptr, at);                                   \
  }                                                                                                                                                         \
  inline Tile function(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {                                 \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, &mask, at);                                     \
  }                                                                                                                                                         \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, Loc at = Loc::current()) {                                                 \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, nullptr, at);                                 \
  }                                                                                                                                                         \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {                            \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, &mask, at);                                   \
  }
TW_ATOMIC(atomic_add, Add)            // integers wrap
TW_ATOMIC(atomic_min, Min)            // NaN wins
TW_ATOMIC(atomic_max, Max)            // NaN wins
TW_ATOMIC(atomic_and, And)
TW_ATOMIC(atomic_or, Or)
TW_ATOMIC(atomic_xor, Xor)
TW_ATOMIC(atomic_exchange, Exchange)  // writes the value
#undef TW_ATOMIC

// Writes the value where the element has the bits of `expected`.
inline Tile atomic_compare_exchange(const View& view, Indices indices, const Arg& expected, const Arg& value, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, nullptr, at);
}
inline Tile atomic_compare_exchange(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, &mask, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, nullptr, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, &mask, at);
}

}  // namespace tilewright
