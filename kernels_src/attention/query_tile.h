// A tile of queries inside a kernel: some tokens of a sequence with all query heads of one kv head, stacked as rows. They share keys and values, so one product
// serves them all.
#pragma once

#include "dsl/tilewright.h"
#include "kernels_src/common/online_softmax.h"
#include "kernels_src/common/sequence_view.h"

namespace tilewright::kernels {

// How many tokens a tile of about `rows` rows has, where no sequence has more than `limit`.
constexpr int tokens_of_tile(int rows, int group, int limit) { return max(1, min(rows / group, limit)); }

// The first token of a program's tile, the last tile first: where later tokens see more keys, programs that take long should not be the last to start.
inline Index first_token(const Index& longest, int tokens) { return (ceil_div(longest, tokens) - 1 - program_id(0)) * tokens; }

struct QueryTile {
  int tokens, group;  // rows: token by token, heads of the group innermost
  Index token;        // the first one, from the start of the sequence
  Index position;     // its position among the keys
  Index kv_head;

  int rows() const { return tokens * group; }

  // 0, 0, .., 1, 1, ..: the token of each row, from the tile's first. i32.
  Tile token_of_row() const { return arange(rows()) / group; }

  // q [B, TQ, HQ, K] cut to the sequence -> [rows, K].
  Tile load_rows(const View& q, const Index& batch, int dim) const {
    return reshape(load(q, {batch, span(token, tokens), span(kv_head * group, group), span(0, dim)}), {rows(), dim});
  }

  // x [B, TQ, HQ] cut to the sequence -> [rows].
  Tile load_row_scalars(const View& x, const Index& batch) const {
    return reshape(load(x, {batch, span(token, tokens), span(kv_head * group, group)}), {rows()});
  }

  // The same of x [B, HQ, TQ].
  Tile load_row_scalars_by_head(const View& x, const Index& batch) const {
    return reshape(trans(load(x, {batch, span(kv_head * group, group), span(token, tokens)})), {rows()});
  }

  void store_rows(const View& o, const Index& batch, const Tile& value, int dim) const {
    store(o, {batch, span(token, tokens), span(kv_head * group, group), span(0, dim)}, cast(reshape(value, {tokens, group, dim}), o.dtype()));
  }

  void store_row_scalars(const View& x, const Index& batch, const Tile& value) const {
    store(x, {batch, span(token, tokens), span(kv_head * group, group)}, reshape(value, {tokens, group}));
  }
};

// The keys of a sequence for one kv head: views cut to the sequence.
struct KeyTiles {
  View k, v;
  Index batch, kv_head;
  int dim, value_dim, block;

  Tile keys(const Index& first) const { return load(k, {batch, span(first, block), kv_head, span(0, dim)}); }
  Tile values(const Index& first) const { return load(v, {batch, span(first, block), kv_head, span(0, value_dim)}); }
};

}  // namespace tilewright::kernels
