// Operations that only move elements: broadcast, transpose, concat, slice, take.
#include "compiler/reference/ops.h"

#include <algorithm>
#include <cstring>

namespace tilewright::reference {

namespace {

// Row-major strides of a shape, in elements.
std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

// Copies to a row-major tile of `shape` from elements at the given strides.
template <class T>
void copy_strided(T* to, const T* from, const Shape& shape, const std::vector<std::int64_t>& strides, std::size_t axis) {
  if (axis == shape.size()) {
    *to = *from;
  } else if (axis + 1 == shape.size()) {
    for (std::int64_t i = 0; i < shape[axis]; ++i) to[i] = from[i * strides[axis]];
  } else {
    std::int64_t block = 1;
    for (std::size_t i = axis + 1; i < shape.size(); ++i) block *= shape[i];
    for (std::int64_t i = 0; i < shape[axis]; ++i) copy_strided(to + i * block, from + i * strides[axis], shape, strides, axis + 1);
  }
}

Tile gather_strided(const Tile& tile, const Shape& shape, const std::vector<std::int64_t>& strides) {
  Tile result(tile.dtype(), shape);
  visit_width(tile.dtype(), [&]<class T>(std::type_identity<T>) { copy_strided(result.mutable_data<T>(), tile.data<T>(), shape, strides, 0); });
  return result;
}

// An index of any integer type, limited to [0, last].
template <class I>
std::int64_t clamped(I index, std::int64_t last) {
  if constexpr (std::is_signed_v<I>) {
    if (index < 0) return 0;
  }
  return static_cast<std::int64_t>(std::min(static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(last)));
}

}  // namespace

Tile broadcast(const Tile& tile, const Shape& shape) {
  if (tile.shape() == shape) return tile;
  std::vector<std::int64_t> strides(shape.size(), 0);
  if (!tile.shape().empty()) {
    if (tile.shape().size() != shape.size()) malformed("broadcast of " + program::to_string(tile.shape()) + " to " + program::to_string(shape));
    strides = strides_of(tile.shape());
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (tile.shape()[i] == 1) {
        strides[i] = 0;
      } else if (tile.shape()[i] != shape[i]) {
        malformed("broadcast of " + program::to_string(tile.shape()) + " to " + program::to_string(shape));
      }
    }
  }
  return gather_strided(tile, shape, strides);
}

Tile transpose(const Tile& tile, std::span<const std::int64_t> permutation) {
  const std::vector<std::int64_t> from = strides_of(tile.shape());
  if (permutation.size() != from.size()) malformed("the permutation of a transpose does not have the tile's rank");
  Shape shape;
  std::vector<std::int64_t> strides;
  std::vector<bool> seen(from.size(), false);
  for (std::int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(from.size()) || seen[axis]) malformed("a transpose whose axes are no permutation");
    seen[axis] = true;
    shape.push_back(tile.shape()[axis]);
    strides.push_back(from[axis]);
  }
  return gather_strided(tile, shape, strides);
}

Tile concat(std::span<const Tile> tiles, std::int64_t axis) {
  if (tiles.empty()) malformed("concat of nothing");
  Shape shape = tiles[0].shape();
  const AxisSplit first(shape, axis);
  shape[axis] = 0;
  for (const Tile& tile : tiles) {
    const AxisSplit split(tile.shape(), axis);
    if (split.outer != first.outer || split.inner != first.inner || tile.dtype() != tiles[0].dtype()) malformed("concat of tiles that do not fit");
    shape[axis] += split.extent;
  }
  Tile result(tiles[0].dtype(), shape);
  const std::size_t unit = static_cast<std::size_t>(first.inner) * size_of(result.dtype());
  std::byte* to = result.mutable_data<std::byte>();
  for (std::int64_t o = 0; o < first.outer; ++o) {
    for (const Tile& tile : tiles) {
      const std::size_t block = static_cast<std::size_t>(tile.shape()[axis]) * unit;
      std::memcpy(to, tile.data<std::byte>() + o * block, block);
      to += block;
    }
  }
  return result;
}

Tile slice(const Tile& tile, std::int64_t axis, std::int64_t start, std::int64_t extent) {
  const AxisSplit split(tile.shape(), axis);
  if (start < 0 || extent < 0 || start + extent > split.extent) malformed("a slice beyond its tile");
  Shape shape = tile.shape();
  shape[axis] = extent;
  Tile result(tile.dtype(), shape);
  const std::size_t unit = static_cast<std::size_t>(split.inner) * size_of(tile.dtype());
  for (std::int64_t o = 0; o < split.outer; ++o)
    std::memcpy(result.mutable_data<std::byte>() + o * extent * unit, tile.data<std::byte>() + (o * split.extent + start) * unit, extent * unit);
  return result;
}

Tile take(const Tile& tile, const Tile& index, std::int64_t axis) {
  const AxisSplit from(tile.shape(), axis), to(index.shape(), axis);
  if (from.outer != to.outer || from.inner != to.inner) malformed("the index of take does not have its tile's shape");
  Tile result(tile.dtype(), index.shape());
  visit_int(index.dtype(), [&]<class I>(std::type_identity<I>) {
    visit_width(tile.dtype(), [&]<class T>(std::type_identity<T>) {
      const I* at = index.data<I>();
      T* r = result.mutable_data<T>();
      for (std::int64_t o = 0; o < to.outer; ++o) {
        for (std::int64_t k = 0; k < to.extent; ++k) {
          for (std::int64_t i = 0; i < to.inner; ++i, ++at, ++r) {
            const std::int64_t place = clamped(*at, from.extent - 1);
            *r = tile.data<T>()[(o * from.extent + place) * from.inner + i];
          }
        }
      }
    });
  });
  return result;
}

}  // namespace tilewright::reference
