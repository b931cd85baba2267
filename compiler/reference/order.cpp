// Operations that order elements along an axis: argmax, argmin, top-k and so sort.
#include "compiler/reference/ops.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace tilewright::reference {

namespace {

template <class C>
bool is_nan_value(C value) {
  if constexpr (std::is_floating_point_v<C>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

// Whether a comes before b by value alone; NaN after everything.
template <class C>
bool precedes(C a, C b, bool descending) {
  if (is_nan_value(a) || is_nan_value(b)) return !is_nan_value(a) && is_nan_value(b);
  return descending ? a > b : a < b;
}

}  // namespace

Tile arg_extreme(const Tile& tile, std::int64_t axis, bool largest) {
  const AxisSplit split(tile.shape(), axis);
  Shape shape = tile.shape();
  shape.erase(shape.begin() + axis);
  Tile result(DType::I32, shape);
  visit_any(tile.dtype(), [&]<class T>(std::type_identity<T>) {
    std::int32_t* r = result.mutable_data<std::int32_t>();
    for (std::int64_t o = 0; o < split.outer; ++o) {
      for (std::int64_t i = 0; i < split.inner; ++i) {
        const T* line = tile.data<T>() + o * split.extent * split.inner + i;
        std::int32_t best = 0;
        for (std::int64_t k = 1; k < split.extent; ++k) {
          if (precedes(widen(line[k * split.inner]), widen(line[best * split.inner]), largest)) best = static_cast<std::int32_t>(k);
        }
        *r++ = best;
      }
    }
  });
  return result;
}

std::pair<Tile, Tile> topk(const Tile& tile, std::int64_t axis, std::int64_t k, bool descending) {
  const AxisSplit split(tile.shape(), axis);
  if (k < 1 || k > split.extent) malformed("top-k of " + std::to_string(k) + " among " + std::to_string(split.extent));
  Shape shape = tile.shape();
  shape[axis] = k;
  std::pair<Tile, Tile> result{Tile(tile.dtype(), shape), Tile(DType::I32, shape)};
  visit_any(tile.dtype(), [&]<class T>(std::type_identity<T>) {
    T* values = result.first.mutable_data<T>();
    std::int32_t* indices = result.second.mutable_data<std::int32_t>();
    std::vector<std::int32_t> order(static_cast<std::size_t>(split.extent));
    for (std::int64_t o = 0; o < split.outer; ++o) {
      for (std::int64_t i = 0; i < split.inner; ++i) {
        const T* line = tile.data<T>() + o * split.extent * split.inner + i;
        const auto value = [&](std::int32_t at) { return widen(line[at * split.inner]); };
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](std::int32_t a, std::int32_t b) {
          if (precedes(value(a), value(b), descending)) return true;
          return !precedes(value(b), value(a), descending) && a < b;
        });
        for (std::int64_t n = 0; n < k; ++n) {
          const std::int64_t to = (o * k + n) * split.inner + i;
          values[to] = line[order[n] * split.inner];
          indices[to] = order[n];
        }
      }
    }
  });
  return result;
}

}  // namespace tilewright::reference
