// Two layouts of the same tile brought to a common form, in which a conversion between them can be planned.
//
// Per axis, the coordinate is cut so that below the cut both layouts are linear over bits, and above it both are grids whose digits match one to one. Digits that
// are powers of two become bits as needed; where the grids do not match, the last digit of each is padded to a power of two *for the planning only*: a padded
// register does not exist, and what it would hold is outside the tile.
//
//   60 elements as 4 * 15 registers, and as 16 lanes * 4 registers: no common cut but 4, above which one has bits and the other a digit of 15. With 15 padded to 16
//   both are linear on 6 bits; virtual register 15 of the first has no real register.
//
// This is a part of conversion planning, not meant for other users.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/layout/layout.h"

namespace tilewright::layout {

// The value number(place) / divisor % count, where number(register) of a virtual register is its real one.
struct DigitSource {
  Place place = Place::kRegister;
  int divisor = 1;
  friend bool operator==(const DigitSource&, const DigitSource&) = default;
};

// A digit of the grid common to both layouts.
struct CellDigit {
  int count = 1;
  DigitSource source, target;
};

// One of the two layouts, on the linear part.
struct AlignedSide {
  // Columns: the bits of virtual registers, lanes, warps, blocks; rows: the linear bits of all axes. Bits of the warp (block) number that are no linear bits have
  // column 0.
  BitMatrix registers, lanes, warps, blocks;
  // What each bit of a virtual register adds to the real register's number.
  std::vector<int> increments;
  // Bits of a virtual register that make up a padded digit: together, as a number, they stay below `limit`.
  struct Padding {
    int first, bits, limit;
  };
  std::vector<Padding> paddings;

  // The real register of a virtual one, in the cell 0 of the grid; -1 if there is none.
  int real_register(Bits virtual_register) const;
  // Bits of virtual registers that take no part in a padding.
  Bits solid() const;
};

struct Alignment {
  int bits = 0;  // rows of all matrices
  AlignedSide source, target;
  std::vector<CellDigit> digits;
  // Whether some threads of the source hold nothing, by a digit that is not in the common grid.
  bool idle_threads = false;
};

// What becomes of bits of the source that lead outside the tile. Kept, they show which threads hold nothing. Dropped, these threads look as if they held copies of
// elements, and must be kept from writing. In the target such bits are always dropped: reading something unneeded does no harm.
enum class Outside : std::uint8_t { kKeep, kDrop };

// Nullopt where some axis has no common form.
std::optional<Alignment> align(const Layout& source, const Layout& target, Outside outside);

}  // namespace tilewright::layout
