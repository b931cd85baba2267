#include "kernels_src/attention/kernel.h"

#include "kernels_src/attention/attention.h"
#include "kernels_src/attention/query_tile.h"
#include "kernels_src/attention/visible_keys.h"
#include "kernels_src/common/launch.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

struct FlashForward {
  Tune<int> rows{"rows", {128, 64, 256}};        // of a tile of queries, about: tokens times heads of a group
  Tune<int> block_k{"block_k", {64, 128, 32}};
  Tune<int> stages{"stages", {3, 2}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, query_limit{"query_limit"};
  Const<bool> causal{"causal"}, windowed{"windowed"}, packed{"packed"};

  int tokens() const { return tokens_of_tile(rows, group, query_limit); }

  Grid grid(In q, In k, In v, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_q) const {
    return {ceil_div(longest_q, tokens()), k.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k, In v, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_q, Out o, Out lse) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), keys = tokens_of(k, starts_k, program_id(2), packed);
    const Index token = first_token(longest_q, tokens());
    when(token < queries.length, [&] {
      const QueryTile tile{tokens(), group, token, token + keys.length - queries.length, program_id(1)};
      const KeyTiles kv{keys.of(k), keys.of(v), keys.batch, tile.kv_head, dim, value_dim, block_k};

      const VisibleKeys visible{causal, windowed, keys.length, window, block_k};
      OnlineSoftmax softmax(tile.rows(), value_dim, scale);
      const Tile rows_q = softmax.queries(tile.load_rows(queries.of(q), queries.batch, dim));
      for (Index j : range(visible.first(tile), visible.end(tile), block_k, Pipeline{stages, warp_specialize})) {
        softmax.add(dot(rows_q, trans(kv.keys(j))), visible.all(tile, j), [&] { return visible.mask(tile, j); }, kv.values(j));
      }
      tile.store_rows(queries.of(o), queries.batch, softmax.output(), value_dim);
      tile.store_row_scalars(queries.of(lse), queries.batch, softmax.lse());
    });
  }
};
TW_KERNEL(FlashForward, "flash_forward", "q", "k", "v", "starts_q", "starts_k", "scale", "window", "longest_q", "o", "lse")

}  // namespace

const program::TraceableKernel& flash_forward_kernel() { return kernel_of<FlashForward>(); }

AttentionResult flash_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const Sequences& sequences,
                              const AttentionOptions& options) {
  if (options.window > 0 && !options.causal) throw Error(3123, "window is " + std::to_string(options.window) + " without causal");
  AttentionResult result = allocate_attention(session, q, k, v);
  if (result.lse.view().elements() == 0) return result;
  const DeviceStarts starts = upload_starts(session, sequences);
  launch(session, flash_forward_kernel(),
         {q, k, v, starts.queries.view(), starts.keys.view(), options.scale, options.window, sequences.longest_q(), result.output.view(), result.lse.view()},
         {{"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", q.sizes[2] / k.sizes[2]}, {"query_limit", query_limit(sequences)}, {"causal", options.causal},
          {"windowed", options.window > 0}, {"packed", sequences.packed}},
         options.tunables);
  return result;
}

void expect_attention(const TensorView& q, const TensorView& k, const TensorView& v) {
  expect_view("q", q, 4, q.dtype);
  expect_view("k", k, 4, q.dtype);
  expect_view("v", v, 4, q.dtype);
  if (k.sizes[2] < 1 || q.sizes[2] % k.sizes[2] != 0) {
    throw Error(3111, "q has " + std::to_string(q.sizes[2]) + " heads, no multiple of the " + std::to_string(k.sizes[2]) + " heads of k");
  }
  expect_sizes("k", k, {q.sizes[0], k.sizes[1], k.sizes[2], q.sizes[3]}, q.dtype);
  expect_sizes("v", v, {q.sizes[0], k.sizes[1], k.sizes[2], v.sizes[3]}, q.dtype);
}

AttentionResult allocate_attention(Session& session, const TensorView& q, const TensorView& k, const TensorView& v) {
  expect_attention(q, k, v);
  return {allocate(session, q.dtype, {q.sizes[0], q.sizes[1], q.sizes[2], v.sizes[3]}), allocate(session, DType::F32, {q.sizes[0], q.sizes[1], q.sizes[2]})};
}

}  // namespace tilewright::kernels
