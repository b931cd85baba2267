// The geometry of Native Sparse Attention: how tokens are compressed to windows, which blocks are selected, and how far the sliding window reaches.
// All positions count from the start of a sequence.
#pragma once

#include "runtime/operator.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::kernels {

struct NsaGeometry {
  std::int64_t compress_length = 64;  // l: tokens in one compression window
  std::int64_t compress_stride = 64;  // d: distance of the starts of neighbouring windows; divides l and block_size
  bool partial_window = true;         // store a last window over fewer than l tokens (never attended); else drop it
  std::int64_t block_size = 64;       // l': tokens in one selection block
  std::int64_t slots = 16;            // n: blocks selected for a query
  std::int64_t init_blocks = 1;       // blocks at the start of the sequence that are always selected
  std::int64_t local_blocks = 2;      // blocks up to the query's own that are always selected; 0: none
  std::int64_t window = 512;          // sliding window: keys seen, the query's own among them; 0: no sliding branch
  bool window_scale_default = false;  // the sliding branch uses dim^-1/2 whatever the scale of the other branches

  // Windows stored for a sequence of `length` tokens.
  std::int64_t windows(std::int64_t length) const;
  // Windows that a query at `position` sees: those that end at it or before. They are the first ones.
  std::int64_t visible_windows(std::int64_t position) const;
  // Blocks of a sequence of `length` tokens, the last one perhaps partial.
  std::int64_t blocks(std::int64_t length) const;

  // Throws Error TW3121 unless the strides divide and all counts are in range.
  void validate() const;
};

// The geometry of the `fla` column of the README's table: windows are blocks, mean pooling, partial windows stored.
NsaGeometry fla_geometry(std::int64_t block_size = 64);
// The geometry of the `xl` column: overlapping windows (32 by 16) and blocks of 64; its sliding branch sees one key more than its window says.
NsaGeometry xl_geometry();

// Throws Error TW3121 when there is no sliding window.
void expect_window(const NsaGeometry& geometry);

// Settings `preset`, `compress_length`, `compress_stride`, `block_size`, `slots`, `init_blocks`, `local_blocks`, `window`; empty ones are the preset's.
std::vector<OperatorSetting> geometry_settings();
NsaGeometry geometry_of(const OperatorSettings& settings);

}  // namespace tilewright::kernels
