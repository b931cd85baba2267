// The arguments of a case in memory: filled or poisoned tensors between guard pages, and the slots a program is called with.
#pragma once

#include "tests/fuzz/case.h"
#include "tests/fuzz/guarded.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::fuzz {

// Where tensors lie, and what outputs hold before. Two settings, so that a result cannot equal its poison in both.
struct Layout {
  Placement placement;
  std::uint8_t poison;
};
inline constexpr Layout kLayouts[] = {{Placement::AtEnd, 0xff}, {Placement::AtStart, 0x5a}};

class Memory {
 public:
  Memory(const Case& test, const Layout& layout);

  const std::uint64_t* slots() const { return slots_.data(); }
  std::size_t slot_count() const { return slots_.size(); }

  // Every byte from the lowest to the highest element of an argument's tensor, gaps included; empty for scalars.
  const std::vector<Guarded>& tensors() const { return tensors_; }

  // Makes tensors a program may not write to read-only.
  void protect_inputs(const program::Program& program);

  // Names the argument an address belongs to, or lies beside; empty when none.
  std::string name_of(const void* address, const program::Program& program) const;

 private:
  std::vector<Guarded> tensors_;  // one an argument
  std::vector<std::uint64_t> slots_;
};

// The first elements that differ beyond what the case allows, as text; empty when the memories agree.
std::string difference(const Case& test, const Memory& expected, const Memory& actual);

}  // namespace tilewright::fuzz
