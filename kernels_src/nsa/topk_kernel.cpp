#include "kernels_src/nsa/topk_kernel.h"

#include "kernels_src/attention/query_tile.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/nsa.h"
#include "kernels_src/nsa/visible_windows.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

constexpr int kNoBlock = INT32_MAX;

// Blocks are scored a tile at a time, from the probabilities of the windows that start in it; the best `slots` so far are kept. Nothing of the size of all windows or
// all blocks is stored.
struct NsaTopk {
  Tune<int> rows{"rows", {128, 64, 256}};
  Tune<int> block_c{"block_c", {64, 128, 256}};  // windows of a tile, about
  Tune<int> stages{"stages", {2, 3}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {4, 8}};
  Const<int> dim{"dim"}, group{"group"}, query_limit{"query_limit"}, length{"length"}, stride{"stride"}, block_size{"block_size"};
  Const<int> slots{"slots"}, init_blocks{"init_blocks"}, local_blocks{"local_blocks"};
  Const<bool> packed{"packed"}, lse_given{"lse_given"};

  int tokens() const { return tokens_of_tile(rows, group, query_limit); }
  // In chunks of `stride` tokens: a block, a window.
  int block_chunks() const { return block_size / stride; }
  int window_chunks() const { return length / stride; }
  int blocks() const { return max(1, block_c / block_chunks()); }
  int windows() const { return blocks() * block_chunks(); }
  bool windows_are_blocks() const { return block_chunks() == 1 && window_chunks() == 1; }
  // How many blocks behind a tile its last window reaches into.
  int spilled() const { return ceil_div(window_chunks() - 1, block_chunks()); }

  Grid grid(In q, In k_cmp, In lse, In starts_q, In starts_k, In starts_c, Scalar key_length, Scalar scale, Scalar longest_q) const {
    return {ceil_div(longest_q, tokens()), k_cmp.size(2), sequence_count(q, starts_q, packed)};
  }

  void body(In q, In k_cmp, In lse, In starts_q, In starts_k, In starts_c, Scalar key_length, Scalar scale, Scalar longest_q, Out indices, Out counts) const {
    const TokenSpan queries = tokens_of(q, starts_q, program_id(2), packed), all = tokens_of(k_cmp, starts_c, program_id(2), packed);
    const Index keys = key_count(key_length, starts_k, program_id(2), packed);
    const Index token = first_token(longest_q, tokens());
    when(token < queries.length, [&] {
      const QueryTile tile{tokens(), group, token, token + keys - queries.length, program_id(1)};
      const KeyTiles windows_k{all.of(k_cmp), all.of(k_cmp), all.batch, tile.kv_head, dim, dim, windows()};
      const Tile rows_q = tile.load_rows(queries.of(q), queries.batch, dim);
      const Tile visible = visible_windows(cast(tile.position, i32) + tile.token_of_row(), length, stride);
      const auto seen = [&](const Index& c) { return arange(windows())(None, _) < (visible - cast(c, i32))(_, None); };
      const auto scores = [&](const Index& c) { return dot(rows_q, trans(windows_k.keys(c))); };
      const Tile factor = scale * kLog2E;

      Var log_sum = lse_given ? tile.load_row_scalars(queries.of(lse), queries.batch) * kLog2E : zeros(f32, {tile.rows()});
      if (!lse_given) {
        const Index end = min(visible_windows(tile.position + (tokens() - 1), length, stride), all.length);
        Var largest = full(f32, {tile.rows()}, -inf), total = zeros(f32, {tile.rows()});
        for (Index c : range(0, end, windows(), Pipeline{stages, warp_specialize})) {
          const Tile s = where(seen(c), scores(c) * factor, -inf);
          const Tile next = max(largest, reduce_max(s, 1));
          const Tile shift = where(next == -inf, 0.0, next);
          total = total * exp2(largest - shift) + sum(exp2(s - shift(_, None)), 1);
          largest = next;
        }
        log_sum = largest + log2(total);
      }

      const Tile own = (cast(tile.position, i32) + arange(tokens())) / block_size;
      Var best = full(f32, {tokens(), slots}, -inf), best_blocks = full(i32, {tokens(), slots}, kNoBlock);
      Var spill = zeros(f32, {tokens(), max(1, spilled())});
      const Index end = (tile.position + (tokens() - 1)) / block_size + 1;
      for (Index block : range(0, end, blocks(), Pipeline{stages, warp_specialize})) {
        const Index c = block * block_chunks();
        const Tile p = where(seen(c), exp2(fma(scores(c), factor, (-log_sum)(_, None))), 0.0);
        const Tile p_group = sum(reshape(p, {tokens(), group, windows()}), 1);
        // Scores are never negative: a negative one marks a NaN, and reaches the blocks of its window only.
        const Tile importance = where(isnan(p_group), -1e30, p_group);
        const Tile score = windows_are_blocks() ? importance : scores_of_blocks(importance, spill);
        const Tile number = (arange(blocks()) + cast(block, i32))(None, _);
        const Tile candidate = number <= own(_, None);
        const Tile forced = (number < init_blocks) | (number > (own - local_blocks)(_, None));
        const Tile rank = where(candidate & forced, inf, where(candidate & (score >= 0.0), score, -inf));

        const TopK top = top_k(concat({best, rank}, 1), slots, 1);
        best_blocks = take(concat({best_blocks, broadcast_to(number, {tokens(), blocks()})}, 1), top.indices, 1);
        best = top.values;
      }
      const Tile taken = best > -inf;
      const Tile ascending = sort(where(taken, best_blocks, kNoBlock), 1);
      store(queries.of(indices), {queries.batch, span(token, tokens()), tile.kv_head, span(0, slots)}, where(ascending == kNoBlock, -1, ascending));
      store(queries.of(counts), {queries.batch, span(token, tokens()), tile.kv_head}, sum(cast(taken, i32), 1));
    });
  }

  // Each block's sum over the tile's windows, and over those before that reached into it; `spill` passes from tile to tile.
  Tile scores_of_blocks(const Tile& importance, Var& spill) const {
    Var shared = dot(importance, shared_chunks());
    if (spilled() > 0) {
      shared = shared + concat({spill, zeros(f32, {tokens(), blocks()})}, 1);
      spill = slice(shared, 1, blocks(), spilled());
    }
    return slice(shared, 1, 0, blocks());
  }

  // [windows, blocks + spilled] f32: how many chunks a window of the tile and a block share, the blocks behind the tile that its windows reach into included.
  Tile shared_chunks() const {
    const Tile window = arange(windows())(_, None), block = (arange(blocks() + spilled()) * block_chunks())(None, _);
    return cast(max(min(window + window_chunks(), block + block_chunks()) - max(window, block), 0), f32);
  }
};
TW_KERNEL(NsaTopk, "nsa_topk", "q", "k_cmp", "lse", "starts_q", "starts_k", "starts_c", "key_length", "scale", "longest_q", "indices", "counts")

}  // namespace

const program::TraceableKernel& nsa_topk_kernel() { return kernel_of<NsaTopk>(); }

NsaSelection nsa_topk(Session& session, const TensorView& q, const TensorView& k_cmp, const std::optional<TensorView>& lse, const Sequences& sequences,
                      const NsaOptions& options) {
  const NsaGeometry& geometry = options.geometry;
  geometry.validate();
  expect_view("q", q, 4, q.dtype);
  expect_view("k_cmp", k_cmp, 4, q.dtype);
  expect_sizes("k_cmp", k_cmp, {q.sizes[0], k_cmp.sizes[1], k_cmp.sizes[2], q.sizes[3]}, q.dtype);
  if (k_cmp.sizes[2] < 1 || q.sizes[2] % k_cmp.sizes[2] != 0) {
    throw Error(3111, "q has " + std::to_string(q.sizes[2]) + " heads, no multiple of the " + std::to_string(k_cmp.sizes[2]) + " heads of k_cmp");
  }
  if (lse) expect_sizes("lse", *lse, {q.sizes[0], q.sizes[1], q.sizes[2]}, DType::F32);

  const std::int64_t heads = k_cmp.sizes[2];
  NsaSelection result{allocate(session, DType::I32, {q.sizes[0], q.sizes[1], heads, geometry.slots}), allocate(session, DType::I32, {q.sizes[0], q.sizes[1], heads})};
  if (result.counts.view().elements() == 0) return result;
  const DeviceStarts starts = upload_starts(session, sequences), windows = upload_starts(session, window_sequences(sequences, geometry));
  const DeviceTensor unused_lse = allocate(session, DType::F32, {1, 1, 1});
  KernelSettings tile = options.tunables;
  if (size_of(q.dtype) > 2) tile.insert({"warps", 8});  // without matrix instructions a thread keeps more of the tile in registers
  launch(session, nsa_topk_kernel(),
         {q, k_cmp, lse.value_or(unused_lse.view()), starts.queries.view(), starts.keys.view(), windows.keys.view(), sequences.longest_k(), options.scale,
          sequences.longest_q(), result.indices.view(), result.counts.view()},
         {{"dim", q.sizes[3]}, {"group", q.sizes[2] / heads}, {"query_limit", query_limit(sequences)}, {"length", geometry.compress_length},
          {"stride", geometry.compress_stride}, {"block_size", geometry.block_size}, {"slots", geometry.slots}, {"init_blocks", geometry.init_blocks},
          {"local_blocks", geometry.local_blocks}, {"packed", sequences.packed}, {"lse_given", lse.has_value()}},
         tile);
  return result;
}

}  // namespace tilewright::kernels
