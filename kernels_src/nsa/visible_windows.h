// Inside a kernel: which compression windows a query sees, and how long a sequence is where its keys are not at hand.
#pragma once

#include "dsl/tilewright.h"

namespace tilewright::kernels {

// The number of windows that end at `position` (an integer tile or scalar) or before: window c ends at c * stride + length - 1.
inline Tile visible_windows(const Tile& position, int length, int stride) {
  const Tile after = position + (1 - length);
  return where(after < 0, 0, after / stride + 1);
}

// The keys of sequence n: the same number for all in a batch, else by their starts.
inline Index key_count(const Tile& key_length, const View& starts_k, const Index& n, bool packed) {
  if (!packed) return key_length;
  return load(starts_k, {n + 1}) - load(starts_k, {n});
}

}  // namespace tilewright::kernels
