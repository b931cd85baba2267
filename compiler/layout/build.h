// Ways to make layouts: for memory accesses, and from the fragments of matrix instructions.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/layout/layout.h"

namespace tilewright::layout {

// Puts tiles side by side, from the inside out. Begins with an atom; each step makes the tile larger:
//
//   Tiler(accumulator)                     // 16 x 8, one warp
//       .along(0, 4, Place::kWarp)         // 64 x 8: the next warps hold the next rows
//       .cover({64, 96}, {1, 0})           // the rest by registers, columns first: 12 fragments a warp
class Tiler {
 public:
  // `rank` outputs dim0, ... of the atom; those it does not have are of extent 1.
  Tiler(const LinearMap& atom, int rank);

  // `count` copies of the tile so far, next to each other along the axis, told apart by `place`. Lanes only by powers of two, and only before a repetition that is
  // not a power of two came into the same axis.
  Tiler& along(int axis, int count, Place place);
  // `count` times the same elements, told apart by `place`.
  Tiler& copies(int count, Place place);

  std::int64_t extent(int axis) const { return reached_[axis]; }

  // The layout of a tile of these extents: the rest by registers, axes in `order` (all of them, first one counted lowest).
  Layout cover(const std::vector<std::int64_t>& extents, const std::vector<int>& order) const;

 private:
  LinearMap atom_;
  std::vector<Repeat> repeats_;
  std::vector<std::int64_t> reached_;
};

struct BlockedOptions {
  std::vector<int> order;  // axes of memory, the one with stride 1 first
  int vector = 1;          // elements a thread should hold together along order[0]; a power of two
  int lanes = 32;
  int warps = 1;  // a power of two, as are the lanes
};
// A layout for loads and stores: vectors along the axis of stride 1, lanes next to each other along it, then along the next axis; warps along the slowest axes.
// A vector never straddles the extent. Lanes go along an axis in the largest power of two that leaves at most one in eight of them idle, unless they would hold
// copies otherwise. Lanes and warps beyond the elements of the tile hold copies.
Layout blocked(const std::vector<std::int64_t>& extents, const BlockedOptions& options);

// A tile made of fragments of a matrix instruction. `atom`: register and lane (and warp, for instructions of several warps) to dim0, dim1, ...
// `warps`: how many tiles of the atom's warps lie along each axis; more than the extents need hold copies. `order`: in which order registers count the fragments.
Layout fragment(const std::vector<std::int64_t>& extents, const LinearMap& atom, const std::vector<int>& warps, const std::vector<int>& order);

}  // namespace tilewright::layout
