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
// sums, of minima, maxima and bitwise operations is determined; that of float sums only up to rounding. Within one program all accesses are in the order of its
// statements. What others see of them is ordered by the last argument, over the whole device:
//
//   const Tile before = atomic_add(arrived, {row}, 1, Order::AcquireRelease);   // behind this program's stores, whichever of its threads made them
//   when(before == programs - 1, [&] { ... });                                  // the last one to arrive loads what all of them stored
//
// Order::Release shows what the program did before to one that gets what it wrote; Order::Acquire lets what comes behind see what those did whose values it got; Order::AcquireRelease is both, Order::Relaxed, where
// nothing is said, neither. A view that is loaded so is an InOut, as any that programs of the launch store to. fence(order) is the same without an operation: before it, to release; behind it, to acquire.
#pragma once

#include "dsl/view.h"

namespace tilewright {

namespace detail {
enum class Places : bool { Blocks, Elements };
Tile atomic(program::AtomicKind kind, Places places, const View& view, Indices indices, const Arg* expected, const Arg& value, const TileArg* mask, program::MemoryOrder order, Loc at);
}  // namespace detail

using Order = program::MemoryOrder;

// Not relaxed (TW1311).
void fence(Order order, Loc at = Loc::current());

#define TW_ATOMIC(function, Name)                                                                                                             \
  inline Tile function(const View& view, Indices indices, const Arg& value, Loc at = Loc::current()) {                                        \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, nullptr, Order::Relaxed, at);     \
  }                                                                                                                                           \
  inline Tile function(const View& view, Indices indices, const Arg& value, Order order, Loc at = Loc::current()) {                           \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, nullptr, order, at);              \
  }                                                                                                                                           \
  inline Tile function(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {                   \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, &mask, Order::Relaxed, at);       \
  }                                                                                                                                           \
  inline Tile function(const View& view, Indices indices, const Arg& value, const TileArg& mask, Order order, Loc at = Loc::current()) {      \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Blocks, view, indices, nullptr, value, &mask, order, at);                \
  }                                                                                                                                           \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, Loc at = Loc::current()) {                                   \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, nullptr, Order::Relaxed, at);   \
  }                                                                                                                                           \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, Order order, Loc at = Loc::current()) {                      \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, nullptr, order, at);            \
  }                                                                                                                                           \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {              \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, &mask, Order::Relaxed, at);     \
  }                                                                                                                                           \
  inline Tile function##_at(const View& view, Indices indices, const Arg& value, const TileArg& mask, Order order, Loc at = Loc::current()) { \
    return detail::atomic(program::AtomicKind::Name, detail::Places::Elements, view, indices, nullptr, value, &mask, order, at);              \
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
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, nullptr, Order::Relaxed, at);
}
inline Tile atomic_compare_exchange(const View& view, Indices indices, const Arg& expected, const Arg& value, Order order, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, nullptr, order, at);
}
inline Tile atomic_compare_exchange(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, &mask, Order::Relaxed, at);
}
inline Tile atomic_compare_exchange(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Order order, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Blocks, view, indices, &expected, value, &mask, order, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, nullptr, Order::Relaxed, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, Order order, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, nullptr, order, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, &mask, Order::Relaxed, at);
}
inline Tile atomic_compare_exchange_at(const View& view, Indices indices, const Arg& expected, const Arg& value, const TileArg& mask, Order order, Loc at = Loc::current()) {
  return detail::atomic(program::AtomicKind::CompareExchange, detail::Places::Elements, view, indices, &expected, value, &mask, order, at);
}

}  // namespace tilewright
