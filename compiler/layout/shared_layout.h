// How a tile lies in shared memory: which element is at which offset.
//
//   offset(coordinates) = atom( low bits of all coordinates ) + sum over axes of  stride * (coordinate >> bits of the axis in the atom)
//
// The atom is a bijective linear map over bits: it holds the swizzle. Above it, axes are strided as usual, so extents need not be powers of two.
//
// The swizzles in use are xors of chunks: a row of the atom consists of 2^k chunks (of 16 bytes, mostly), and the chunk's number is xored with bits of the row
// number. With 16-byte chunks, rows of 32, 64 or 128 bytes and 8 rows these are the patterns that bulk copy engines and matrix instructions know; in the last,
// chunk c of row r is at place c ^ r:
//
//   row 0   0 1 2 3 4 5 6 7
//   row 1   1 0 3 2 5 4 7 6      eight rows of one column of chunks are in eight different places of a line of banks: a matrix of 8 rows of 16 bytes
//   row 2   2 3 0 1 6 7 4 5      is read without conflicts, whichever chunk column it is in
//   ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/layout/index_expression.h"
#include "compiler/layout/layout.h"

namespace tilewright::layout {

// Rows of 2^chunk_bits chunks; chunk ^= (row >> row_shift) % 2^chunk_bits.
struct XorSwizzle {
  int chunk_bytes = 16;
  int chunk_bits = 0;
  int row_shift = 0;
  int row_bytes() const { return chunk_bytes << chunk_bits; }
  friend bool operator==(const XorSwizzle&, const XorSwizzle&) = default;
};
// Rows of 16 (no swizzle), 32, 64 or 128 bytes that repeat after 8 rows.
XorSwizzle standard_swizzle(int row_bytes);

class SharedLayout {
 public:
  // `atom`: dim0, dim1, ... to "offset", bijective. Strides in elements, one an axis.
  SharedLayout(std::vector<std::int64_t> extents, const LinearMap& atom, std::vector<std::int64_t> strides);

  // Rows along order[0], `padding` elements between rows.
  static SharedLayout strided(const std::vector<std::int64_t>& extents, const std::vector<int>& order, std::int64_t padding = 0);
  // The tile is cut into columns of swizzle.row_bytes() along order[0], each stored by itself with its rows, order[1], below each other: the way bulk copies of boxes
  // lay them out. Further axes follow. The last column, and the last rows of the pattern, may stick out. Error TW9502 if a chunk is less than an element.
  static SharedLayout swizzled(const std::vector<std::int64_t>& extents, const std::vector<int>& order, int element_bytes, const XorSwizzle& swizzle);

  const std::vector<std::int64_t>& extents() const { return extents_; }
  const LinearMap& atom() const { return atom_; }
  const std::vector<std::int64_t>& strides() const { return strides_; }

  std::int64_t offset(const std::vector<std::int64_t>& coordinates) const;
  // Elements of memory from the first to the last of the tile.
  std::int64_t size() const;

  std::string to_string() const;

 private:
  std::vector<std::int64_t> extents_;
  LinearMap atom_;
  std::vector<std::int64_t> strides_;
};

// The offset of the element that each slot of `layout` holds. Nullopt if a repetition that threads count, and that is no power of two, lies below the atom's size.
std::optional<IndexExpression> offset_expression(const Layout& layout, const SharedLayout& shared);

}  // namespace tilewright::layout
