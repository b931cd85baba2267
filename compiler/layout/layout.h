// Layouts: which element of a tile each register of each thread holds.
//
// A tutorial
// ==========
// A tile of 4 x 12 elements is to be held by 8 lanes, 6 elements each. Here is one way, drawn by draw(): `3:1` is register 1 of lane 3.
//
//           0    1    2    3    4    5    6    7    8    9   10   11
//     0   0:0  0:1  1:0  1:1  0:2  0:3  1:2  1:3  0:4  0:5  1:4  1:5
//     1   2:0  2:1  3:0  3:1  2:2  2:3  3:2  3:3  2:4  2:5  3:4  3:5
//     2   4:0  4:1  5:0  5:1  4:2  4:3  5:2  5:3  4:4  4:5  5:4  5:5
//     3   6:0  6:1  7:0  7:1  6:2  6:3  7:2  7:3  6:4  6:5  7:4  7:5
//
// The left third is the *atom*: 4 x 4 elements, powers of two. In it, bit 0 of the register number moves one column, bit 0 of the lane number two columns, and
// bits 1 and 2 of the lane number one and two rows. These four facts, the *bases*, say everything, for the coordinates of any other register and lane are the
// xor of the bases at its set bits. Lane 5 = 4 ^ 1 and register 1:
//
//     (2, 0) ^ (0, 2) ^ (0, 1) == (2, 3)
//
// So the atom is a linear map over bits (linear_map.h), and questions about it are linear algebra: the inverse map tells who holds an element, the kernel
// tells who holds the same element, solving one map by another tells how to get from one layout to another. Xor instead of addition costs nothing where
// bases do not overlap, and describes swizzles where they do.
//
//     const LinearMap atom({{"register", {{0, 1}}}, {"lane", {{0, 2}, {1, 0}, {2, 0}}}}, {{"dim0", 2}, {"dim1", 2}});
//
// Twelve columns are no power of two. The tile is the atom *repeated* three times along dim1, and the repetition is counted by the register number: register
// 2 * i + j is register j of the i-th repetition.
//
//     const Layout layout({4, 12}, atom, {{.axis = 1, .stride = 4, .count = 3, .place = Place::kRegister}});
//     layout.registers() == 6
//     layout.coordinates({.reg = 3, .lane = 5}) == {2, 7}      // (2, 3) of the atom, and one repetition of 4 columns
//
// Thus a layout is a mixed-radix grid of repetitions times a power-of-two atom. A repetition may also be counted by the warp or the block number. Nothing is
// padded here: 60, 80, 96 or 100 columns are 15, 20, 24 or 25 repetitions of this atom.
//
// Where the atom does not divide the extent the last repetition sticks out: a tile of 4 x 10 has the same layout but for its extents, and registers 4 and 5
// of the odd lanes hold nothing. holds() says so for one slot; bounds() (queries.h) says for each register whether all, some or no threads hold something there.
//
// When there are more threads than elements, or one axis of a layout has been summed away, several slots hold the same element: the bases of some bits are 0
// (or depend on others), or a repetition has no axis (kCopies). Owners (queries.h) picks one slot an element, so that it is stored once.
//
// Layouts are made by blocked(), fragment() and Tiler (build.h), taken through changes of shape by transposed(), sliced(), reshaped(), ... (shape.h), turned
// into address arithmetic by IndexExpression (index_expression.h), and converted into each other by plan_conversion() (conversion.h).
//
// A layout knows nothing of element types, memory or machines. Layouts are values, safe to read from several threads; building one that makes no sense is our
// own bug and throws Error TW9502.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/layout/linear_map.h"

namespace tilewright::layout {

// What numbers a slot: a register of a lane of a warp of a block (of a cluster of blocks; block 0 where there is no cluster).
enum class Place : std::uint8_t { kRegister, kLane, kWarp, kBlock };
inline constexpr Place kPlaces[] = {Place::kRegister, Place::kLane, Place::kWarp, Place::kBlock};
// The dimension's name in a LinearMap: "register", "lane", "warp", "block"; and of a tile's axis: "dim0", "dim1", ...
const std::string& place_name(Place place);
std::string axis_name(int axis);
std::vector<std::string> place_names();
std::vector<std::string> axis_names(int rank);

struct Slot {
  int reg = 0;
  int lane = 0;
  int warp = 0;
  int block = 0;
};

inline constexpr int kCopies = -1;

// One digit of the grid of repetitions: digit values 0 .. count - 1 move `stride` elements each along `axis`, or nowhere (axis == kCopies, stride 0).
// The number of a place is, from the lowest: the atom's bits, then the digits of that place in the order of Layout::repeats().
struct Repeat {
  int axis = kCopies;
  std::int64_t stride = 0;
  int count = 1;
  Place place = Place::kRegister;  // not kLane: the lanes of a warp are a power of two, and belong to the atom
  friend bool operator==(const Repeat&, const Repeat&) = default;
};

class Layout {
 public:
  // The atom's inputs are named as places and its outputs as axes (missing ones have 0 bits); it reaches all of its outputs. Along each axis the repetitions tile:
  // sorted by stride, the first has the atom's extent as stride and each further one the extent reached so far. Atom and repetitions cover the extents.
  Layout(std::vector<std::int64_t> extents, const LinearMap& atom, std::vector<Repeat> repeats);

  int rank() const { return static_cast<int>(extents_.size()); }
  const std::vector<std::int64_t>& extents() const { return extents_; }
  std::int64_t elements() const;

  // Inputs register, lane, warp, block; outputs dim0, dim1, ...; in this order.
  const LinearMap& atom() const { return atom_; }
  const std::vector<Repeat>& repeats() const { return repeats_; }
  std::int64_t atom_extent(int axis) const { return std::int64_t{1} << atom_.outputs()[axis].bits; }
  // Atom and repetitions together; at least the extent.
  std::int64_t covered_extent(int axis) const;

  // How many there are: registers of a thread, lanes of a warp, warps of a block, blocks of a cluster.
  int count(Place place) const;
  int registers() const { return count(Place::kRegister); }
  int lanes() const { return count(Place::kLane); }
  int warps() const { return count(Place::kWarp); }
  int blocks() const { return count(Place::kBlock); }

  // The element a slot holds. It may lie outside the extents; then the slot holds nothing.
  std::vector<std::int64_t> coordinates(const Slot& slot) const;
  bool holds(const Slot& slot) const;

  // The same layout with as much in the atom and as few digits as possible. Every slot keeps its number and its element.
  Layout canonical() const;

  // Extents, repetitions and the atom's table.
  std::string to_string() const;

  friend bool operator==(const Layout&, const Layout&) = default;

 private:
  void check() const;

  std::vector<std::int64_t> extents_;
  LinearMap atom_;
  std::vector<Repeat> repeats_;
};

// Whether each slot that holds an element in one holds the same element in the other.
bool same_placement(const Layout& a, const Layout& b);

// A picture of a tile of rank 1 or 2: for each element the first slot that holds it, as lane:register, with several warps as warp:lane:register, with several
// blocks as block:warp:lane:register.
std::string draw(const Layout& layout);

}  // namespace tilewright::layout
