// Numbers computed from a slot, in the form in which code is emitted for them: coordinates of elements, offsets in shared memory.
//
//   value(register, lane, warp, block) = sum over words of  stride * ( lane part ^ warp part ^ block part ^ constant of the register )
//                                      + sum over digits of  stride * ( number of the place / divisor % count )
//                                      + constant of the register
//
// The parts of a word are linear over bits, so each is the xor of a few bit fields of the lane (warp, block) number: fields() lists them. The part that depends on
// the thread is computed once; a register then costs one xor or add of a constant, and none at all where the constant can go into an instruction's offset field
// (register_adds()).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/layout/layout.h"

namespace tilewright::layout {

// ((number of the place >> from) & (2^count - 1)) << to
struct BitField {
  Place place;
  int from;
  int count;
  int to;
  friend bool operator==(const BitField&, const BitField&) = default;
};

struct IndexExpression {
  struct Word {
    std::int64_t stride = 1;
    std::vector<std::uint32_t> lane, warp, block;  // what each bit of the number contributes
    std::vector<std::uint32_t> registers;          // the constant of each register

    // What a thread contributes, before the register's constant.
    std::uint32_t of_thread(const Slot& slot) const;
    // All bits that some thread sets.
    std::uint32_t thread_mask() const;
    // The thread's part as fields to be xored; no two of them with the same target overlap unless they have to be xored there.
    std::vector<BitField> fields() const;
  };
  struct Digit {
    Place place;  // kWarp or kBlock
    std::int64_t stride = 0;
    int divisor = 1;
    int count = 1;
  };

  std::vector<Word> words;
  std::vector<Digit> digits;
  std::vector<std::int64_t> registers;  // the constant added for each register

  std::int64_t at(const Slot& slot) const;
  // The part of at() that depends on the thread only: words with constant 0, and digits.
  std::int64_t of_thread(const Slot& slot) const;

  // Whether at(slot) == of_thread(slot) + register_offset(slot.reg) for every slot: no constant of a register meets a bit that threads set.
  bool register_adds() const;
  std::int64_t register_offset(int reg) const;

  // For each register the least and the greatest value over all threads; with several words, bounds of them.
  struct Range {
    std::int64_t least, greatest;
  };
  std::vector<Range> ranges() const;
  // The largest power of two up to `limit` that divides what every thread contributes: registers whose values differ below it are neighbours in every thread.
  std::int64_t thread_alignment(std::int64_t limit) const;

  // For reading, such as `(lane & 3) << 1 ^ (lane >> 2 & 7) << 4 + 8 * (warp / 2 % 3); registers 0, 1, 8, 9`.
  std::string to_string() const;
};

// The coordinate along an axis of the element a slot holds.
IndexExpression coordinate_expression(const Layout& layout, int axis);
// For every axis.
std::vector<IndexExpression> coordinate_expressions(const Layout& layout);

// Registers that one access of a thread moves, in the order of memory.
using RegisterGroup = std::vector<int>;

// Groups of `width` registers (a power of two): in each group, in every thread, the values of `expression` are width consecutive numbers, beginning at a multiple
// of width, in the order of the list, and every expression of `fixed` has one value. Each register is in one group; nullopt if that cannot be.
std::optional<std::vector<std::vector<int>>> consecutive_registers(const IndexExpression& expression, const std::vector<IndexExpression>& fixed,
                                                                   int width);

}  // namespace tilewright::layout
