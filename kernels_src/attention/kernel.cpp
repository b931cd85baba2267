#include "kernels_src/attention/kernel.h"

#include "dsl/nvidia/sm90.h"
#include "kernels_src/attention/attention.h"
#include "kernels_src/attention/query_tile.h"
#include "kernels_src/attention/visible_keys.h"
#include "kernels_src/common/launch.h"
#include "runtime/support/error.h"

#include <optional>

namespace tilewright::kernels {

namespace {

struct FlashForward {
  Tune<int> rows{"rows", {128, 64, 256}};        // of a tile of queries, about: tokens times heads of a group
  Tune<int> block_k{"block_k", {64, 128, 32}};
  Tune<int> stages{"stages", {3, 2}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Tune<int> by_hand{"schedule", {0, 1, 2}};        // 1: the next product goes on beside the softmax of these keys; 2: groups of warps multiply in turns
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

  // The same by hand. A warp's arithmetic on the scores of some keys hides behind products: its own with the next keys, or those of the other group of warps.
  void schedule(nvidia::Sm90, In q, In k, In v, In starts_q, In starts_k, Scalar scale, Scalar window, Scalar longest_q, Out o, Out lse) const {
    nvidia::require(!packed, "packed sequences are parts of a tensor");
    nvidia::require(k.dtype() == DType::F16 || k.dtype() == DType::BF16, "other dtypes have no group products here");
    nvidia::require(dim % 64 == 0 && value_dim % 64 == 0 && block_k % 8 == 0, "a row of a head is no multiple of 128 bytes");
    nvidia::require(warps % 4 == 0 && tokens() * group % (16 * warps) == 0, "the tile of queries is not 16 rows for each warp");
    nvidia::require((2 * block_k + value_dim) * tokens() * group / (32 * warps) <= 200, "the scores of two tiles of keys and the output do not fit registers");
    const Index batch = program_id(2), token = first_token(longest_q, tokens());
    const QueryTile tile{tokens(), group, token, token + k.size(1) - q.size(1), program_id(1)};
    const VisibleKeys visible{causal, windowed, k.size(1), window, block_k};
    const Index first = visible.first(tile), end = visible.end(tile);

    const nvidia::Channel keys = nvidia::channel(k.dtype(), {block_k, dim}, stages), values = nvidia::channel(v.dtype(), {block_k, value_dim}, stages);
    const nvidia::SharedTile rows = nvidia::shared_tile(q.dtype(), {tile.rows(), dim});
    const nvidia::Turns turns = nvidia::turns();
    const bool in_turns = by_hand == 2;
    nvidia::roles(
        {},
        [&] {
          const auto send_keys = [&](const Index& j) { nvidia::send(keys, k, {batch, span(j, block_k), tile.kv_head, span(0, dim)}); };
          send_keys(first);
          for (Index j : range(first, end, block_k)) {
            send_keys(j + block_k);  // the last ones are multiplied and not looked at
            nvidia::send(values, v, {batch, span(j, block_k), tile.kv_head, span(0, value_dim)});
          }
        },
        [&] {
          OnlineSoftmax softmax(tile.rows(), value_dim, scale);
          const Tile none = zeros(f32, {tile.rows(), block_k});
          nvidia::write(rows, softmax.queries(tile.load_rows(q, batch, dim)));
          const auto begin_scores = [&](const nvidia::SharedTile& of) { return nvidia::begin_group_dot(rows, nvidia::trans(of), none); };
          const nvidia::SharedTile first_keys = nvidia::receive(keys);
          Var scores = nvidia::wait(begin_scores(first_keys));
          nvidia::release(first_keys);
          for (Index j : range(first, end, block_k)) {
            std::optional<nvidia::SharedTile> next;
            std::optional<nvidia::Product> begun;
            const auto begin_next = [&] {
              next = nvidia::receive(keys);
              begun = begin_scores(*next);
            };
            if (!in_turns) begin_next();
            softmax.add_product(scores, visible.all(tile, j), [&] { return visible.mask(tile, j); }, [&](const Tile& p, const Tile& sums) {
              const Tile weights = cast(p, v.dtype());
              if (in_turns) nvidia::take_turn(turns);
              if (in_turns) begin_next();
              const nvidia::SharedTile value = nvidia::receive(values);
              const Tile more = nvidia::group_dot(weights, value, sums);
              if (in_turns) nvidia::pass_turn(turns);
              nvidia::release(value);
              return more;
            });
            scores = nvidia::wait(*begun);
            nvidia::release(*next);
          }
          tile.store_rows(o, batch, softmax.output(), value_dim);
          tile.store_row_scalars(lse, batch, softmax.lse());
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
