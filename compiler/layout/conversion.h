// Plans for converting a tile from one layout to another, from the cheapest kind that does:
//
//   kNone       every thread has its elements, in the registers where they belong
//   kRegisters  every thread has its elements, in other registers (the same ones in every thread)
//   kShuffle    every warp has its elements: rounds of shuffles, in each of which a lane publishes some registers and reads what another lane publishes
//   kShared     through shared memory: write, barrier, read; in an arrangement of the memory without bank conflicts
//
// A plan names registers and lanes; it says nothing of element types beyond their size, and simulate() (simulate.h) carries it out on host arrays.
//
// How shuffles are found. Let S and T be the source's and the target's matrices, restricted to one warp. Solving S x = T (register, lane) tells for every register
// and lane of the target where its element is: source register and lane are linear in both. It remains to choose, for every round, a register for each lane so
// that no lane has to publish two things at once. That is a linear map F from lanes to registers (lane l receives register e ^ F l in round e) for which the lane read from
// depends on l injectively (or where it does not, lanes want the same thing). A transposition of 4 lanes by 4 registers has F = identity: in round e, lane l
// exchanges with lane l ^ e.
//
// How memory is arranged. Registers that both layouts hold as neighbours (or one of them, if it has more) become vectors. The rest of an address is the bank and the
// line; two lanes of a phase conflict if they differ in the line only. So the coordinates that make up the line are chosen as a common complement of the
// coordinates that the phases of the write and of the read span: s1 + t1, s2 + t2, ... pairs what only one of them spans with what only the other does. This is an
// xor swizzle; it exists for every pair of layouts.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/layout/banks.h"
#include "compiler/layout/index_expression.h"
#include "compiler/layout/layout.h"

namespace tilewright::layout {

// What a conversion is estimated to take, in issue slots of a warp.
struct ConversionCosts {
  double shuffle = 1.0;    // of one 4-byte word
  double select = 0.25;    // of a register by a condition on the lane
  double wavefront = 1.0;  // of shared memory
  double barrier = 12.0;   // of the block, with the wait for memory
};

struct ConversionOptions {
  int element_bytes = 4;  // 1, 2, 4 or 8
  BankModel banks = {};
  int max_vector_bytes = 16;  // of one access to shared memory; a power of two
  // Shared memory that may be used, per block. A larger tile goes in several passes where both layouts have registers to hold back, else it is an error.
  std::int64_t max_scratch_bytes = std::numeric_limits<std::int64_t>::max();
  bool allow_shuffles = true;
  ConversionCosts costs = {};
};

// A register for each thread. Threads are numbered lane + lanes * (warp + warps * block); a table may be shorter (all warps or all blocks do the same): index it by
// the thread modulo its size.
struct ShuffleRound {
  std::uint32_t lane_constant = 0;  // thread x reads from lane_constant ^ (xor of ShufflePlan::lane_columns over the set bits of x)
  bool local = false;               // every thread that receives reads from itself: no shuffle, only selects
  // [thread * packet + i]: the source register published as element i, -1 if nobody needs it; the target register that receives element i, -1 for none.
  std::vector<int> send, receive;
};
struct ShufflePlan {
  int packet = 1;                           // elements that a round moves together: as many as fit in 4 bytes, if both layouts keep them together
  int threads = 1;                          // size of the tables
  std::vector<std::uint32_t> lane_columns;  // for each bit of the lane, then of the warp, then of the block number
  std::vector<ShuffleRound> rounds;
  int shuffles = 0;  // rounds that are not local
  int selects = 0;   // conditional moves, when trees of selects are shared between rounds
};

// The lane that a thread reads from in a round.
int shuffle_lane(const ShufflePlan& plan, const ShuffleRound& round, int lanes, int warps, const Slot& slot);

// A table over threads written as a choice by as few bits of the thread's number as possible; negative entries may become anything.
struct ThreadChoice {
  std::vector<int> bits;    // positions in lane, warp, block number concatenated
  std::vector<int> values;  // by the value of those bits, first bit lowest
};
ThreadChoice choose_by_bits(const std::vector<int>& table);

struct SharedPass {
  std::vector<RegisterGroup> writes, reads;
};
struct SharedPlan {
  std::int64_t elements = 0;  // of scratch memory, per block
  // Element offsets; an access is at the offset of its first register, and aligned to its size.
  IndexExpression write, read;
  int write_vector = 1, read_vector = 1;  // elements
  // Passes follow each other with a barrier between a write and its read, and between a read and the next write.
  std::vector<SharedPass> passes;
  // Where no register of a write holds an element (queries.h, bounds()) it must not take place. False: it may, in memory that nobody reads.
  bool guard_writes = false;
  AccessCost write_cost, read_cost;  // of all warps, every lane taking part
};

struct ConversionPlan {
  enum class Kind : std::uint8_t { kNone, kRegisters, kShuffle, kShared };
  Kind kind = Kind::kNone;
  // kNone, kRegisters: the source register of each target register; -1 for registers of the target that hold nothing.
  std::vector<int> registers;
  std::optional<ShufflePlan> shuffle;
  std::optional<SharedPlan> shared;
  // After shuffles and reads: target registers that hold the same element as others, {copy, original}.
  std::vector<std::pair<int, int>> copies;
  double cost = 0;  // of one warp

  // A line for reports: kind, rounds or vectors, conflicts.
  std::string to_string() const;
};

// The layouts have the same number of elements, lanes, warps and blocks. Where their extents differ, elements correspond in row-major order (a reshape).
// Errors: TW9503 for layouts or options that do not fit together, TW2501 for a conversion that needs data of another block, TW2502 for one that does not fit in
// max_scratch_bytes.
ConversionPlan plan_conversion(const Layout& source, const Layout& target, const ConversionOptions& options);

}  // namespace tilewright::layout
