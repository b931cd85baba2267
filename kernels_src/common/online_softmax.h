// Softmax attention over keys that come tile by tile: the running maximum, sum and weighted values of a tile of rows.
#pragma once

#include "dsl/tilewright.h"

namespace tilewright::kernels {

inline constexpr double kLog2E = 1.4426950408889634074;
inline constexpr double kLn2 = 0.69314718055994530942;

// Logits are in units of log2: natural ones times kLog2E. A logit of -inf is a key that is not there. Rows without keys end with output zero and lse -inf.
class OnlineSoftmax {
 public:
  OnlineSoftmax(int rows, int value_dim) : largest_(full(f32, {rows}, -inf)), total_(zeros(f32, {rows})), values_(zeros(f32, {rows, value_dim})) {}

  // logits [rows, keys] f32, v [keys, value_dim]. Probabilities take the dtype of v before they multiply it.
  void add(const Tile& logits, const Tile& v) {
    const Tile largest = max(largest_, reduce_max(logits, 1));
    const Tile shift = where(largest == -inf, 0.0, largest);  // -inf minus itself would be NaN
    const Tile p = exp2(logits - shift(_, None));
    const Tile decay = exp2(largest_ - shift);
    total_ = total_ * decay + sum(p, 1);
    values_ = dot(cast(p, v.dtype()), v, values_ * decay(_, None));
    largest_ = largest;
  }

  // [rows, value_dim] f32.
  Tile output() const { return where((total_ == 0.0)(_, None), 0.0, values_ / total_(_, None)); }

  // [rows] f32, in natural units.
  Tile lse() const { return (largest_ + log2(total_)) * kLn2; }

 private:
  Var largest_, total_, values_;
};

}  // namespace tilewright::kernels
