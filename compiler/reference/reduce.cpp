// Reductions and scans of the built-in kinds.
#include "compiler/reference/ops.h"

#include <cmath>
#include <vector>

namespace tilewright::reference {

namespace {

// The type a kind accumulates in: f64 for sums and products of floats; integers wrap in an unsigned type of at least 32 bits.
template <class T, ReduceKind Kind>
struct Accumulator {
  static constexpr bool kArithmetic = Kind == ReduceKind::Sum || Kind == ReduceKind::Prod;
  using Integer = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::uint64_t>;
  using Type = std::conditional_t<!kArithmetic, Compute<T>, std::conditional_t<std::is_integral_v<T>, Integer, double>>;
};

template <ReduceKind Kind, class A>
A combine(A a, A b) {
  if constexpr (Kind == ReduceKind::Sum) {
    return a + b;
  } else if constexpr (Kind == ReduceKind::Prod) {
    return a * b;
  } else if constexpr (std::is_floating_point_v<A>) {
    if (std::isnan(a)) return a;
    if (std::isnan(b)) return b;
    if (a == b) return std::signbit(a) == (Kind == ReduceKind::Min) ? a : b;
    return (a < b) == (Kind == ReduceKind::Min) ? a : b;
  } else if constexpr (Kind == ReduceKind::Min) {
    return b < a ? b : a;
  } else if constexpr (Kind == ReduceKind::Max) {
    return b > a ? b : a;
  } else if constexpr (Kind == ReduceKind::And) {
    return a & b;
  } else if constexpr (Kind == ReduceKind::Or) {
    return a | b;
  } else {
    return a ^ b;
  }
}

template <class T, class A>
T rounded(A value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(value);
  } else {
    return narrow_to<T>(value);
  }
}

// Walks the axis, from its end when `reverse`, keeping one accumulator for each place beside it. emit(o, k, accumulators) after each step.
template <class T, ReduceKind Kind, class Emit>
void fold(const Tile& tile, const AxisSplit& split, bool reverse, Emit emit) {
  using A = typename Accumulator<T, Kind>::Type;
  const T* x = tile.data<T>();
  std::vector<A> sums(static_cast<std::size_t>(split.inner));
  for (std::int64_t o = 0; o < split.outer; ++o) {
    for (std::int64_t step = 0; step < split.extent; ++step) {
      const std::int64_t k = reverse ? split.extent - 1 - step : step;
      const T* line = x + (o * split.extent + k) * split.inner;
      for (std::int64_t i = 0; i < split.inner; ++i) {
        const A value = static_cast<A>(widen(line[i]));
        sums[i] = step == 0 ? value : combine<Kind, A>(sums[i], value);
      }
      emit(o, k, step + 1 == split.extent, sums);
    }
  }
}

// Calls f with storage type and kind, as types.
template <class F>
void visit_kind(DType dtype, ReduceKind kind, F f) {
  const auto with = [&]<ReduceKind Kind>(std::integral_constant<ReduceKind, Kind> constant) {
    constexpr bool kBitwise = Kind == ReduceKind::And || Kind == ReduceKind::Or || Kind == ReduceKind::Xor;
    if constexpr (kBitwise) {
      visit_int(dtype, [&](auto type) { f(type, constant); });
    } else {
      if (dtype == DType::Bool) malformed("an arithmetic reduction of bool");
      visit_any(dtype, [&](auto type) { f(type, constant); });
    }
  };
  switch (kind) {
    case ReduceKind::Sum: return with(std::integral_constant<ReduceKind, ReduceKind::Sum>{});
    case ReduceKind::Prod: return with(std::integral_constant<ReduceKind, ReduceKind::Prod>{});
    case ReduceKind::Min: return with(std::integral_constant<ReduceKind, ReduceKind::Min>{});
    case ReduceKind::Max: return with(std::integral_constant<ReduceKind, ReduceKind::Max>{});
    case ReduceKind::And: return with(std::integral_constant<ReduceKind, ReduceKind::And>{});
    case ReduceKind::Or: return with(std::integral_constant<ReduceKind, ReduceKind::Or>{});
    case ReduceKind::Xor: return with(std::integral_constant<ReduceKind, ReduceKind::Xor>{});
    case ReduceKind::Custom: malformed("a custom combiner among the built-in ones");
  }
}

}  // namespace

Tile reduce(const Tile& tile, std::int64_t axis, ReduceKind kind) {
  const AxisSplit split(tile.shape(), axis);
  Shape shape = tile.shape();
  shape.erase(shape.begin() + axis);
  Tile result(tile.dtype(), shape);
  visit_kind(tile.dtype(), kind, [&]<class T, ReduceKind Kind>(std::type_identity<T>, std::integral_constant<ReduceKind, Kind>) {
    T* r = result.mutable_data<T>();
    fold<T, Kind>(tile, split, false, [&](std::int64_t o, std::int64_t, bool last, const auto& sums) {
      if (!last) return;
      for (std::int64_t i = 0; i < split.inner; ++i) r[o * split.inner + i] = rounded<T>(sums[i]);
    });
  });
  return result;
}

Tile scan(const Tile& tile, std::int64_t axis, ReduceKind kind, bool reverse) {
  const AxisSplit split(tile.shape(), axis);
  Tile result(tile.dtype(), tile.shape());
  visit_kind(tile.dtype(), kind, [&]<class T, ReduceKind Kind>(std::type_identity<T>, std::integral_constant<ReduceKind, Kind>) {
    T* r = result.mutable_data<T>();
    fold<T, Kind>(tile, split, reverse, [&](std::int64_t o, std::int64_t k, bool, const auto& sums) {
      for (std::int64_t i = 0; i < split.inner; ++i) r[(o * split.extent + k) * split.inner + i] = rounded<T>(sums[i]);
    });
  });
  return result;
}

}  // namespace tilewright::reference
