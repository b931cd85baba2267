// Random selections, to try the selected branch on: independent of each other, or much like those of the token before, as in trained models.
#pragma once

#include "kernels_src/attention/problem.h"
#include "kernels_src/nsa/geometry.h"
#include "runtime/operator.h"
#include "runtime/tensor.h"

#include <cstdint>
#include <vector>

namespace tilewright::kernels {

struct RandomBlocks {
  std::int64_t init_blocks = 0;   // first blocks that every query has; these and the local ones as long as there are slots
  std::int64_t local_blocks = 1;  // last blocks up to its own; its own is always there
  double redraw = 1;              // share of the other blocks that a query draws; the rest it takes over from the query before it, of the same sequence and head
};

// Settings `redraw`, and `init_blocks` and `local_blocks` of the geometry where they are given. Throws Error TW3002 for a share outside of 0 to 1.
OperatorSetting redraw_setting();
RandomBlocks random_blocks_of(const OperatorSettings& settings);

// indices [B, TQ, H, slots] i32: distinct blocks of each query's past, as many as there are slots where there are so many, ascending; -1 behind.
HostTensor random_blocks(const AttentionProblem& problem, const NsaGeometry& geometry, const RandomBlocks& blocks, std::uint64_t seed);

}  // namespace tilewright::kernels
