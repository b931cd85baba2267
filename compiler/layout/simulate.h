// Conversion plans carried out on host arrays: what a plan means, and the check that it is right.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/layout/conversion.h"

namespace tilewright::layout {

// The registers of all threads. A slot that holds nothing has some value, too.
class RegisterFile {
 public:
  RegisterFile(const Layout& layout, std::uint64_t fill);
  std::uint64_t& at(const Slot& slot) { return values_[index(slot)]; }
  std::uint64_t at(const Slot& slot) const { return values_[index(slot)]; }

 private:
  std::size_t index(const Slot& slot) const {
    return slot.reg + static_cast<std::size_t>(registers_) *
                          (slot.lane + static_cast<std::size_t>(lanes_) * (slot.warp + static_cast<std::size_t>(warps_) * slot.block));
  }
  int registers_, lanes_, warps_;
  std::vector<std::uint64_t> values_;
};

struct Simulation {
  RegisterFile registers;
  // As observed: accesses with all their lanes, one count an access of a warp.
  AccessCost write_cost, read_cost;
};

// Registers of the target that the plan does not fill have the value `poison`, as does shared memory before a write. Reading outside the scratch memory, a warp
// that publishes from a register outside its own, and the like throw Error TW9505.
Simulation simulate(const ConversionPlan& plan, const Layout& source, const Layout& target, const ConversionOptions& options,
                    const RegisterFile& input, std::uint64_t poison);

}  // namespace tilewright::layout
