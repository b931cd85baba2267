#include "kernels_src/nsa/compressed_kernel.h"

#include "kernels_src/attention/query_tile.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/nsa.h"
#include "kernels_src/nsa/visible_windows.h"

namespace tilewright::kernels {

namespace {

struct NsaCompressed {
  Tune<int> rows{"rows", {128, 64, 256}};
  Tune<int> block_k{"block_k", {64, 128, 32}};
  Tune<int> stages{"stages", {2, 3}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, query_limit{"query_limit"}, length{"length"}, stride{"stride"};
  Const<bool> packed{"packed"};

  int tokens() const { return tokens_of_tile(rows, group, query_limit); }

  Grid grid(In q, In k_cmp, In v_cmp, In starts_q, In starts_k, In starts_c, Scalar key_length, Scalar scale, Scalar longest_q) const {
    return {ceil_div(longest_q, tokens()), k_cmp.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k_cmp, In v_cmp, In starts_q, In starts_k, In starts_c, Scalar key_length, Scalar scale, Scalar longest_q, Out o, Out lse) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), windows = tokens_of(k_cmp, starts_c, program_id(2), packed);
    const Index keys = key_count(key_length, starts_k, program_id(2), packed);
    const Index token = first_token(longest_q, tokens());
    when(token < queries.length, [&] {
      const QueryTile tile{tokens(), group, token, token + keys - queries.length, program_id(1)};
      const KeyTiles kv{windows.of(k_cmp), windows.of(v_cmp), windows.batch, tile.kv_head, dim, value_dim, block_k};
      const Tile visible = visible_windows(cast(tile.position, i32) + tile.token_of_row(), length, stride);
      const Index end = min(visible_windows(tile.position + (tokens() - 1), length, stride), windows.length);
      OnlineSoftmax softmax(tile.rows(), value_dim, scale);
      const Tile rows_q = softmax.queries(tile.load_rows(queries.of(q), queries.batch, dim));
      const Index seen_by_all = visible_windows(tile.position, length, stride);
      for (Index c : range(0, end, block_k, Pipeline{stages, warp_specialize})) {
        const auto seen = [&] { return arange(block_k)(None, _) < (visible - cast(c, i32))(_, None); };
        softmax.add(dot(rows_q, trans(kv.keys(c))), c + block_k <= seen_by_all, seen, kv.values(c));
      }
      tile.store_rows(queries.of(o), queries.batch, softmax.output(), value_dim);
      tile.store_row_scalars(queries.of(lse), queries.batch, softmax.lse());
    });
  }
};
TW_KERNEL(NsaCompressed, "nsa_compressed_forward", "q", "k_cmp", "v_cmp", "starts_q", "starts_k", "starts_c", "key_length", "scale", "longest_q", "o", "lse")

}  // namespace

const program::TraceableKernel& nsa_compressed_kernel() { return kernel_of<NsaCompressed>(); }

AttentionResult nsa_compressed_forward(Session& session, const TensorView& q, const TensorView& k_cmp, const TensorView& v_cmp, const Sequences& sequences,
                                       const NsaOptions& options) {
  options.geometry.validate();
  AttentionResult result = allocate_attention(session, q, k_cmp, v_cmp);
  if (result.lse.view().elements() == 0) return result;
  const DeviceStarts starts = upload_starts(session, sequences), windows = upload_starts(session, window_sequences(sequences, options.geometry));
  launch(session, nsa_compressed_kernel(),
         {q, k_cmp, v_cmp, starts.queries.view(), starts.keys.view(), windows.keys.view(), sequences.longest_k(), options.scale, sequences.longest_q(),
          result.output.view(), result.lse.view()},
         {{"dim", q.sizes[3]}, {"value_dim", v_cmp.sizes[3]}, {"group", q.sizes[2] / k_cmp.sizes[2]}, {"query_limit", query_limit(sequences)},
          {"length", options.geometry.compress_length}, {"stride", options.geometry.compress_stride}, {"packed", sequences.packed}},
         options.tunables);
  return result;
}

}  // namespace tilewright::kernels
