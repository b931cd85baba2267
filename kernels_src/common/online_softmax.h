// Softmax attention over keys that come tile by tile: the running maximum, sum and weighted values of a tile of rows.
#pragma once

#include "dsl/tilewright.h"

namespace tilewright::kernels {

inline constexpr double kLog2E = 1.4426950408889634074;
inline constexpr double kLn2 = 0.69314718055994530942;

// Rows without keys end with output zero and lse -inf. `scale` multiplies the products of queries and keys; what is above zero keeps the order of scores, so the maximum is taken before it is
// applied and the scaling, the subtraction of the maximum and the change to base 2 are one multiply-add.
class OnlineSoftmax {
 public:
  OnlineSoftmax(int rows, int value_dim, const Scalar& scale)
      : negative_(scale < 0.0), factor_(max(abs(scale), 1e-30) * kLog2E), largest_(full(f32, {rows}, -inf)), total_(zeros(f32, {rows})), values_(zeros(f32, {rows, value_dim})) {}

  // Queries take the sign of the scale.
  Tile queries(const Tile& q) const { return where(negative_, -q, q); }

  // Or products with queries as they are do.
  Tile scores(const Tile& products) const {
    Var scores = products;
    when(negative_, [&] { scores = -scores; });
    return scores;
  }

  // scores [rows, keys] f32, products of queries() and keys; v [keys, value_dim]. Probabilities take the dtype of v before they multiply it. `seen` makes the mask of the keys that a row sees,
  // where `all` does not say that every row sees every key.
  template <typename Seen>
  void add(const Tile& scores, const Tile& all, Seen seen, const Tile& v) {
    add_product(scores, all, seen, [&](const Tile& p, const Tile& values) { return dot(cast(p, v.dtype()), v, values); });
  }

  // The same with a product of one's own: multiply(p, values) gives p v + values, of f32.
  template <typename Seen, typename Multiply>
  void add_product(const Tile& scores, const Tile& all, Seen seen, Multiply multiply) {
    Var visible = scores;
    when(!all, [&] { visible = where(seen(), visible, -inf); });
    const Tile largest = max(largest_, reduce_max(visible, 1));
    const Tile shift = where(largest == -inf, 0.0, largest);  // -inf minus itself would be NaN
    const Tile p = exp2(fma(visible, factor_, (-shift * factor_)(_, None)));
    const Tile decay = exp2((largest_ - shift) * factor_);
    total_ = total_ * decay + sum(p, 1);
    values_ = multiply(p, values_ * decay(_, None));
    largest_ = largest;
  }

  // [rows, value_dim] f32.
  Tile output() const { return where((total_ == 0.0)(_, None), 0.0, values_ * (1.0 / total_)(_, None)); }

  // [rows] f32, in natural units.
  Tile lse() const { return (largest_ * factor_ + log2(total_)) * kLn2; }

 private:
  Tile negative_, factor_;
  Var largest_, total_, values_;
};

}  // namespace tilewright::kernels
