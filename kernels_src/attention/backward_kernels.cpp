#include "kernels_src/attention/backward_kernels.h"

#include "kernels_src/attention/backward.h"
#include "kernels_src/attention/backward_joint.h"
#include "kernels_src/attention/query_tile.h"
#include "kernels_src/attention/visible_keys.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/common/online_softmax.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

// What the other kernels need of each row, [B, HQ, TQ]: delta, and lse in units of log2, +inf for rows without keys so that their probabilities are zero.
struct AttentionDelta {
  Tune<int> tokens{"tokens", {4, 8, 2}};
  Tune<int> heads{"heads", {16, 8, 4}};
  Tune<int> warps{"warps", {4, 8}};
  Const<int> value_dim{"value_dim"};
  Const<bool> lse_counts{"lse_counts"};

  Grid grid(In o, In d_o, In lse, In d_lse) const { return {ceil_div(o.size(1), tokens), ceil_div(o.size(2), heads), o.size(0)}; }

  void body(In o, In d_o, In lse, In d_lse, Out delta, Out log_sum) const {
    const Index token = program_id(0) * tokens, head = program_id(1) * heads, batch = program_id(2);
    const auto rows = [&](const View& x) { return cast(load(x, {batch, span(token, tokens), span(head, heads), span(0, value_dim)}), f32); };
    const auto scalars = [&](const View& x) { return load(x, {batch, span(token, tokens), span(head, heads)}); };
    const auto write = [&](const View& x, const Tile& value) { store(x, {batch, span(head, heads), span(token, tokens)}, trans(value)); };
    const Tile products = sum(rows(o) * rows(d_o), 2);
    write(delta, lse_counts ? products - scalars(d_lse) : products);
    const Tile natural = scalars(lse);
    write(log_sum, where(natural == -inf, inf, natural * kLog2E));
  }
};
TW_KERNEL(AttentionDelta, "attention_delta", "o", "d_o", "lse", "d_lse", "delta", "log_sum")

// A tile of keys and their values against all queries that see any of them, head by head of the group.
struct FlashBackwardKeys {
  Tune<int> block_m{"block_m", {32, 64, 128}};  // queries of a tile
  Tune<int> block_n{"block_n", {64, 32, 128}};  // keys of a tile
  Tune<int> stages{"stages", {2, 3}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"};
  Const<bool> causal{"causal"}, windowed{"windowed"}, packed{"packed"};

  Grid grid(In q, In k, In v, In d_o, In log_sum, In delta, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_k) const {
    return {ceil_div(longest_k, block_n), k.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k, In v, In d_o, In log_sum, In delta, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_k, Out dk, Out dv) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), keys = tokens_of(k, starts_k, program_id(2), packed);
    const Index key = program_id(0) * block_n, kv_head = program_id(1);
    when(key < keys.length, [&] {
      const auto of_keys = [&](const View& x, int width) { return load(keys.of(x), {keys.batch, span(key, block_n), kv_head, span(0, width)}); };
      const Tile k_tile = of_keys(k, dim), v_tile = of_keys(v, value_dim);

      // Token t sees keys up to t + ahead, and with a window those above t + ahead - window.
      const Index ahead = keys.length - queries.length;
      const Index first = causal ? Index(max(key - ahead, 0)) : Index(0);
      const Index end = windowed ? Index(min(key + (block_n - 1) + window - ahead, queries.length)) : queries.length;
      Var dk_sum = zeros(f32, {block_n, dim}), dv_sum = zeros(f32, {block_n, value_dim});
      for (Index member : range(0, group)) {
        const Index head = kv_head * group + member;
        for (Index token : range(first, end, block_m, Pipeline{stages, warp_specialize})) {
          const auto rows = [&](const View& x, int width) { return load(queries.of(x), {queries.batch, span(token, block_m), head, span(0, width)}); };
          const Tile q_tile = rows(q, dim), d_o_tile = rows(d_o, value_dim);
          // Behind the last query all is zero: probabilities are one and add nothing to products with zeros.
          const auto scalars = [&](const View& x) { return load(queries.of(x, 2), {queries.batch, head, span(token, block_m)}); };
          const Tile log_sums = scalars(log_sum), deltas = scalars(delta);
          Var p = exp2(fma(dot(k_tile, trans(q_tile)), scale * kLog2E, -log_sums(None, _)));
          if (causal) {
            const Tile below = key + (block_n - 1) <= token + ahead;
            const Tile all = windowed ? below & (key > token + (block_m - 1) + ahead - window) : below;
            when(!all, [&] {
              const Tile last = (arange(block_m) + cast(token + ahead - key, i32))(None, _), row = arange(block_n)(_, None);
              p = where(windowed ? (row <= last) & (row > last - cast(window, i32)) : row <= last, p, 0.0);
            });
          }
          dv_sum = dot(cast(p, v.dtype()), d_o_tile, dv_sum);
          const Tile ds = p * (dot(v_tile, trans(d_o_tile)) - deltas(None, _));
          dk_sum = dot(cast(ds, q.dtype()), q_tile, dk_sum);
        }
      }
      store(keys.of(dk), {keys.batch, span(key, block_n), kv_head, span(0, dim)}, cast(dk_sum * scale, dk.dtype()));
      store(keys.of(dv), {keys.batch, span(key, block_n), kv_head, span(0, value_dim)}, cast(dv_sum, dv.dtype()));
    });
  }
};
TW_KERNEL(FlashBackwardKeys, "flash_backward_keys", "q", "k", "v", "d_o", "log_sum", "delta", "starts_q", "starts_k", "scale", "window", "longest_k", "dk", "dv")

// A tile of queries against all keys that any of them sees.
struct FlashBackwardQueries {
  Tune<int> rows{"rows", {128, 64}};  // of a tile of queries, about: tokens times heads of a group
  Tune<int> block_k{"block_k", {32, 64}};
  Tune<int> stages{"stages", {3, 2}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, query_limit{"query_limit"};
  Const<bool> causal{"causal"}, windowed{"windowed"}, packed{"packed"};

  int tokens() const { return tokens_of_tile(rows, group, query_limit); }

  Grid grid(In q, In k, In v, In d_o, In log_sum, In delta, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_q) const {
    return {ceil_div(longest_q, tokens()), k.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k, In v, In d_o, In log_sum, In delta, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_q, Out dq) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), keys = tokens_of(k, starts_k, program_id(2), packed);
    const Index token = first_token(longest_q, tokens());
    when(token < queries.length, [&] {
      const QueryTile tile{tokens(), group, token, token + keys.length - queries.length, program_id(1)};
      const KeyTiles kv{keys.of(k), keys.of(v), keys.batch, tile.kv_head, dim, value_dim, block_k};
      const Tile rows_q = tile.load_rows(queries.of(q), queries.batch, dim), rows_d_o = tile.load_rows(queries.of(d_o), queries.batch, value_dim);
      const Tile log_sums = tile.load_row_scalars_by_head(queries.of(log_sum, 2), queries.batch), deltas = tile.load_row_scalars_by_head(queries.of(delta, 2), queries.batch);
      const VisibleKeys visible{causal, windowed, keys.length, window, block_k};
      Var dq_sum = zeros(f32, {tile.rows(), dim});
      for (Index j : range(visible.first(tile), visible.end(tile), block_k, Pipeline{stages, warp_specialize})) {
        const Tile k_tile = kv.keys(j);
        Var p = exp2(fma(dot(rows_q, trans(k_tile)), scale * kLog2E, (-log_sums)(_, None)));
        when(!visible.all(tile, j), [&] { p = where(visible.mask(tile, j), p, 0.0); });
        const Tile ds = p * (dot(rows_d_o, trans(kv.values(j))) - deltas(_, None));
        dq_sum = dot(cast(ds, k.dtype()), k_tile, dq_sum);
      }
      tile.store_rows(queries.of(dq), queries.batch, dq_sum * scale, dim);
    });
  }
};
TW_KERNEL(FlashBackwardQueries, "flash_backward_queries", "q", "k", "v", "d_o", "log_sum", "delta", "starts_q", "starts_k", "scale", "window", "longest_q", "dq")

std::vector<std::int64_t> sizes_of(const TensorView& view) { return {view.sizes.begin(), view.sizes.begin() + view.rank}; }

}  // namespace

const program::TraceableKernel& attention_delta_kernel() { return kernel_of<AttentionDelta>(); }
const program::TraceableKernel& flash_backward_keys_kernel() { return kernel_of<FlashBackwardKeys>(); }
const program::TraceableKernel& flash_backward_queries_kernel() { return kernel_of<FlashBackwardQueries>(); }

AttentionGradients flash_backward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& o, const TensorView& lse,
                                  const TensorView& d_o, const std::optional<TensorView>& d_lse, const Sequences& sequences, const AttentionOptions& options) {
  if (options.window > 0 && !options.causal) throw Error(3123, "window is " + std::to_string(options.window) + " without causal");
  expect_attention(q, k, v);
  const std::vector<std::int64_t> row = {q.sizes[0], q.sizes[1], q.sizes[2]}, output = {q.sizes[0], q.sizes[1], q.sizes[2], v.sizes[3]};
  expect_sizes("o", o, output, q.dtype);
  expect_sizes("d_o", d_o, output, q.dtype);
  expect_sizes("lse", lse, row, DType::F32);
  if (d_lse) expect_sizes("d_lse", *d_lse, row, DType::F32);

  const AttentionGradients result{allocate(session, q.dtype, sizes_of(q)), allocate(session, q.dtype, sizes_of(k)), allocate(session, q.dtype, sizes_of(v))};
  const RowScalars rows = allocate_row_scalars(session, row[0], row[2], row[1]);
  const TensorView delta = rows.view(rows.delta, row[1]), log_sum = rows.view(rows.log_sum, row[1]);
  if (lse.elements() > 0)
    launch(session, attention_delta_kernel(), {o, d_o, lse, d_lse.value_or(lse), delta, log_sum}, {{"value_dim", v.sizes[3]}, {"lse_counts", d_lse.has_value()}}, options.tunables);
  if (!options.deterministic && !sequences.packed) {
    launch_flash_backward_joint(session, q, k, v, d_o, rows, options, result);
    return result;
  }
  const DeviceStarts starts = upload_starts(session, sequences);
  const std::int64_t group = q.sizes[2] / k.sizes[2];
  if (lse.elements() > 0) {
    launch(session, flash_backward_queries_kernel(),
           {q, k, v, d_o, log_sum, delta, starts.queries.view(), starts.keys.view(), options.scale, options.window, sequences.longest_q(), result.dq.view()},
           {{"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", group}, {"query_limit", query_limit(sequences)}, {"causal", options.causal}, {"windowed", options.window > 0},
            {"packed", sequences.packed}},
           options.tunables);
  }
  if (result.dk.view().elements() > 0) {
    launch(session, flash_backward_keys_kernel(),
           {q, k, v, d_o, log_sum, delta, starts.queries.view(), starts.keys.view(), options.scale, options.window, sequences.longest_k(), result.dk.view(), result.dv.view()},
           {{"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", group}, {"causal", options.causal}, {"windowed", options.window > 0}, {"packed", sequences.packed}},
           options.tunables);
  }
  return result;
}

}  // namespace tilewright::kernels
