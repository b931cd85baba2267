// Views of memory: the parameters of a kernel, and how tiles are loaded and stored.
//
// Coordinates outside a view are never accessed: a load gives zero there (or `other`), a store writes nothing. So the last tile of a dimension
// needs no mask.
//
// Two spellings say which part of a view a tile is:
//
//   load(q, {head, row, 0}, {64, 128})                  One index a dimension; the tile's axes are the LAST dimensions, in order, as many as there
//                                                       are extents. An index there is where the axis starts, or an integer tile of rank 1 and of the
//                                                       axis's extent: the coordinates themselves (gather). Leading indices are single coordinates.
//   load(q, {batch, span(row, 64), head, span(0, 128)}) Each dimension says what it is: span(start, extent) is an axis, an integer tile of rank 1 is
//                                                       a gathered axis, a scalar is a single coordinate. The tile's axes are in order of
//                                                       dimensions. With single coordinates only, the result is a scalar.
//
// load_at and store_at take a coordinate for every element. All of them accept a mask (bool, broadcast to the tile): elements where it is false are
// not accessed.
#pragma once

#include "dsl/tile.h"

namespace tilewright {

// A tensor in memory. Rank and dtype are known while tracing, sizes when the kernel runs.
class View {
 public:
  explicit View(detail::Ref ref) : ref_(ref) {}

  Index size(int axis, Loc at = Loc::current()) const;
  DType dtype(Loc at = Loc::current()) const;
  int rank(Loc at = Loc::current()) const;

  // The window [start, start + size) of one axis, cut to the view: coordinates count from `start`, and nothing outside the window is accessed.
  View narrow(int axis, const Arg& start, const Arg& size, Loc at = Loc::current()) const;

  detail::Ref ref() const { return ref_; }

 private:
  detail::Ref ref_;
};

// Parameters of a kernel's body. Storing to an In and loading from an Out are errors (TW1304, TW1305).
class In : public View {
 public:
  explicit In(detail::Ref ref) : View(ref) {}
};
class Out : public View {
 public:
  explicit Out(detail::Ref ref) : View(ref) {}
};
class InOut : public View {
 public:
  explicit InOut(detail::Ref ref) : View(ref) {}
};

// One dimension of an access.
class IndexArg {
 public:
  IndexArg(const Tile& value, Loc at = Loc::current()) : index(value, at) {}
  template <class T, class = std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>>
  IndexArg(T value, Loc at = Loc::current()) : index(value, at) {}
  IndexArg(const Setting<int>& value, Loc at = Loc::current()) : index(value, at) {}
  IndexArg(double) = delete;  // a coordinate is an integer

  Arg index;
  bool is_span = false;
  std::int64_t extent = 0;

 private:
  friend IndexArg span(const Arg& start, Extent extent);
  IndexArg(const Arg& start, Extent extent) : index(start), is_span(true), extent(extent.value) {}
};
using Indices = std::initializer_list<IndexArg>;

// An axis of `extent` elements from `start`.
inline IndexArg span(const Arg& start, Extent extent) { return {start, extent}; }

// `other` is what a load gives where nothing is accessed: a C++ number, a scalar or a tile of the view's dtype.
Tile load(const View& view, Indices indices, Extents extents, Loc at = Loc::current());
Tile load(const View& view, Indices indices, Extents extents, const TileArg& mask, Loc at = Loc::current());
Tile load(const View& view, Indices indices, Extents extents, const TileArg& mask, const Arg& other, Loc at = Loc::current());
Tile load(const View& view, Indices indices, Loc at = Loc::current());
Tile load(const View& view, Indices indices, const TileArg& mask, Loc at = Loc::current());
Tile load(const View& view, Indices indices, const TileArg& mask, const Arg& other, Loc at = Loc::current());
// The same with `other` and no mask: for what lies outside the view.
Tile load_or(const Arg& other, const View& view, Indices indices, Extents extents, Loc at = Loc::current());
Tile load_or(const Arg& other, const View& view, Indices indices, Loc at = Loc::current());

// The value has the view's dtype (cast it), and the shape its indices say. With plain indices the axes of the value are the view's last dimensions.
// A C++ number is converted, and stored at every element of the place.
void store(const View& view, Indices indices, const Arg& value, Loc at = Loc::current());
void store(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current());

// Element by element: each index is an integer tile or scalar, broadcast with the others to the shape of the tile. Of two elements stored at one
// place, either may stay.
Tile load_at(const View& view, Indices indices, Loc at = Loc::current());
Tile load_at(const View& view, Indices indices, const TileArg& mask, Loc at = Loc::current());
Tile load_at(const View& view, Indices indices, const TileArg& mask, const Arg& other, Loc at = Loc::current());
void store_at(const View& view, Indices indices, const Arg& value, Loc at = Loc::current());
void store_at(const View& view, Indices indices, const Arg& value, const TileArg& mask, Loc at = Loc::current());

}  // namespace tilewright
