// Causal attention with linear biases (ALiBi): the logit of a key falls with its distance from the query, by a slope of its head's own.
#pragma once

#include <tilewright/tilewright.h>

namespace mine {

using namespace tilewright;

struct AlibiAttention {
  Tune<int> block_q{"block_q", {32, 16, 64}}, block_kv{"block_kv", {64, 32, 128}};
  Const<int> head_dim{"head_dim"};

  Grid grid(In q) const { return {ceil_div(q.size(1), block_q), q.size(0)}; }

  // q, k, v, o: [heads, tokens, head_dim]; slopes: [heads] f32.
  void body(In q, In k, In v, In slopes, Out o, Scalar scale) const {
    Index head = program_id(1), row = program_id(0) * block_q;
    Tile queries = load(q, {head, row, 0}, {block_q, head_dim});
    Tile slope = load(slopes, {head});
    Tile rows = arange(block_q) + row;

    Var m = full(f32, {block_q}, -inf), l = zeros(f32, {block_q}), acc = zeros(f32, {block_q, head_dim});
    for (Index j : range(0, row + block_q, block_kv)) {
      Tile distance = rows(_, None) - (arange(block_kv) + j)(None, _);
      Tile logits = dot(queries, trans(load(k, {head, j, 0}, {block_kv, head_dim}))) * cast(scale, f32) - slope * cast(distance, f32);
      Tile s = where(distance >= 0, logits, -inf);

      Tile m_new = max(m, reduce_max(s, 1));
      Tile p = exp(s - m_new(_, None)), decay = exp(m - m_new);
      l = l * decay + sum(p, 1);
      acc = dot(cast(p, v.dtype()), load(v, {head, j, 0}, {block_kv, head_dim}), acc * decay(_, None));
      m = m_new;
    }
    store(o, {head, row, 0}, cast(acc / l(_, None), o.dtype()));
  }
};
TW_KERNEL(AlibiAttention, "alibi_attention", "q", "k", "v", "slopes", "o", "scale")

}  // namespace mine
