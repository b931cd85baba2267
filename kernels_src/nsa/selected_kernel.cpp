#include "kernels_src/nsa/selected_kernel.h"

#include "kernels_src/attention/query_tile.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/nsa.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

// Each query has its own blocks, so the rows of a product are the heads of its group; a program takes several queries.
struct NsaSelected {
  Tune<int> tokens{"tokens", {8, 4, 16, 1}};
  Tune<int> block_n{"block_n", {32, 64, 16}};  // keys of a tile, where it divides a block
  Tune<int> stages{"stages", {2, 3, 4}};
  Tune<int> warps{"warps", {2, 4, 1, 8}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, block_size{"block_size"};
  Const<bool> packed{"packed"}, counted{"counted"};

  int keys_of_tile() const { return block_size % block_n == 0 ? block_n : block_size; }

  Grid grid(In q, In k, In v, In indices, In counts, In starts_q, In starts_k, Scalar scale, Scalar longest_q) const {
    return {ceil_div(longest_q, tokens), k.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k, In v, In indices, In counts, In starts_q, In starts_k, Scalar scale, Scalar longest_q, Out o, Out lse) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), keys = tokens_of(k, starts_k, program_id(2), packed);
    const Index first = program_id(0) * tokens, head = program_id(1);
    const KeyTiles kv{keys.of(k), keys.of(v), keys.batch, head, dim, value_dim, keys_of_tile()};
    const int parts = block_size / keys_of_tile();
    const View blocks = queries.of(indices);
    for (Index token : range(first, min(first + tokens, queries.length))) {
      const QueryTile tile{1, group, token, token + keys.length - queries.length, head};
      const Index width = indices.size(3), slots = counted ? Index(min(Index(load(queries.of(counts), {queries.batch, token, head})), width)) : width;
      OnlineSoftmax softmax(group, value_dim, scale);
      const Tile rows_q = softmax.queries(tile.load_rows(queries.of(q), queries.batch, dim));
      for (Index part : range(0, slots * parts, Pipeline{stages})) {
        const Index block = Index(load(blocks, {queries.batch, token, head, part / parts}));
        const Index start = block * block_size + part % parts * keys_of_tile();
        when((block >= 0) & (start <= tile.position), [&] {
          const auto seen = [&] { return (arange(keys_of_tile()) <= cast(tile.position - start, i32))(None, _); };
          softmax.add(dot(rows_q, trans(kv.keys(start))), start + keys_of_tile() <= tile.position + 1, seen, kv.values(start));
        });
      }
      tile.store_rows(queries.of(o), queries.batch, softmax.output(), value_dim);
      tile.store_row_scalars(queries.of(lse), queries.batch, softmax.lse());
    }
  }
};
TW_KERNEL(NsaSelected, "nsa_selected_forward", "q", "k", "v", "indices", "counts", "starts_q", "starts_k", "scale", "longest_q", "o", "lse")

}  // namespace

const program::TraceableKernel& nsa_selected_kernel() { return kernel_of<NsaSelected>(); }

AttentionResult nsa_selected_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& indices,
                                     const std::optional<TensorView>& counts, const Sequences& sequences, const NsaOptions& options) {
  AttentionResult result = allocate_attention(session, q, k, v);
  expect_view("indices", indices, 4, DType::I32);
  expect_sizes("indices", indices, {q.sizes[0], q.sizes[1], k.sizes[2], indices.sizes[3]}, DType::I32);
  if (counts) expect_sizes("counts", *counts, {q.sizes[0], q.sizes[1], k.sizes[2]}, DType::I32);
  if (result.lse.view().elements() == 0) return result;
  const DeviceStarts starts = upload_starts(session, sequences);
  const DeviceTensor unused_counts = allocate(session, DType::I32, {1, 1, 1});
  launch(session, nsa_selected_kernel(),
         {q, k, v, indices, counts.value_or(unused_counts.view()), starts.queries.view(), starts.keys.view(), options.scale, sequences.longest_q(),
          result.output.view(), result.lse.view()},
         {{"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", q.sizes[2] / k.sizes[2]}, {"block_size", options.geometry.block_size},
          {"packed", sequences.packed}, {"counted", counts.has_value()}},
         options.tunables);
  return result;
}

}  // namespace tilewright::kernels
