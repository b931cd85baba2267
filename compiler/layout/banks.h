// The cost of one access of a warp to shared memory.
//
// Shared memory is divided into banks of a few bytes each; bank = address / bank_bytes % banks. A warp's access is served in phases, of as many consecutive lanes
// as together ask for one line (banks * bank_bytes). A phase takes one *wavefront*, plus one more for each further word that some bank has to deliver: lanes that
// meet in one bank and want the same word do not conflict, lanes that want different words of it do.
#pragma once

#include <cstdint>
#include <vector>

namespace tilewright::layout {

struct BankModel {
  int banks = 32;
  int bank_bytes = 4;
  int line_bytes() const { return banks * bank_bytes; }
  // Consecutive lanes served together when each asks for `bytes`.
  int phase_lanes(int bytes) const { return line_bytes() / (bytes < bank_bytes ? bank_bytes : bytes); }
};

struct AccessCost {
  std::int64_t accesses = 0;    // instructions, summed over warps
  std::int64_t wavefronts = 0;  // what they take
  std::int64_t least = 0;       // what they would take without conflicts
  std::int64_t conflicts() const { return wavefronts - least; }
  AccessCost& operator+=(const AccessCost& other);
};

// One access: the byte address of each lane (negative: the lane takes no part) and the bytes each asks for, a power of two to which addresses are aligned.
AccessCost access_cost(const BankModel& model, const std::vector<std::int64_t>& addresses, int bytes);

}  // namespace tilewright::layout
