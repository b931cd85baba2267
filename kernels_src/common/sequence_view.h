// Sequences inside a kernel: where the tokens of the n-th one lie in tensors [B, T, ...], batched or packed.
#pragma once

#include "dsl/tilewright.h"

namespace tilewright::kernels {

// The tokens of one sequence along the second axis of a tensor; `batch` is the coordinate of the first.
struct TokenSpan {
  Index batch, start, length;
  bool packed;

  // The tensor with the axis of its tokens cut to the sequence.
  View of(const View& view, int axis = 1) const { return packed ? view.narrow(axis, start, length) : view; }
};

// Sequence n of `view`. Packed: starts [N + 1] says where it begins and ends.
inline TokenSpan tokens_of(const View& view, const View& starts, const Index& n, bool packed) {
  if (!packed) return {n, 0, view.size(1), false};
  const Index first = load(starts, {n});
  return {0, first, load(starts, {n + 1}) - first, true};
}

// How many sequences there are.
inline Index sequence_count(const View& view, const View& starts, bool packed) { return packed ? Index(starts.size(0) - 1) : view.size(0); }

}  // namespace tilewright::kernels
