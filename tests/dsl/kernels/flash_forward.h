// Flash attention as an author writes it: the example the tests of the language look at.
#pragma once

#include "dsl/tilewright.h"

namespace example {

using namespace tilewright;

struct FlashForward {
  Tune<int> block_q{"block_q", {64, 128}}, block_kv{"block_kv", {64, 128}}, stages{"stages", {2, 3}};
  Const<int> head_dim{"head_dim"};
  Const<bool> causal{"causal", true};

  Grid grid(In q) const { return {ceil_div(q.size(1), block_q), q.size(0)}; }

  void body(In q, In k, In v, Out o, Scalar scale) const {
    Index head = program_id(1), row = program_id(0) * block_q;
    Tile qt = load(q, {head, row, 0}, {block_q, head_dim});
    Var m = full(f32, {block_q}, -inf), l = zeros(f32, {block_q}), acc = zeros(f32, {block_q, head_dim});
    for (Index j : range(0, causal ? row + block_q : k.size(1), block_kv, Pipeline{stages})) {
      Tile s = dot(qt, trans(load(k, {head, j, 0}, {block_kv, head_dim}))) * scale;
      Tile cols = j + arange(block_kv), rows = row + arange(block_q);
      Tile seen = cols(None, _) < k.size(1);
      Tile masked = where(causal ? seen & (cols(None, _) <= rows(_, None)) : seen, s, -inf);
      Tile m_new = max(m, reduce_max(masked, 1));
      Tile p = exp(masked - m_new(_, None)), alpha = exp(m - m_new);
      l = l * alpha + sum(p, 1);
      acc = dot(cast(p, v.dtype()), load(v, {head, j, 0}, {block_kv, head_dim}), acc * alpha(_, None));
      m = m_new;
    }
    store(o, {head, row, 0}, cast(acc / l(_, None), o.dtype()));
  }
};
TW_KERNEL(FlashForward, "flash_forward", "q", "k", "v", "o", "scale")

}  // namespace example
