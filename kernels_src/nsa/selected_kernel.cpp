#include "kernels_src/nsa/selected_kernel.h"

#include "dsl/nvidia/sm90.h"
#include "kernels_src/attention/query_tile.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/nsa/nsa.h"
#include "runtime/support/error.h"

#include <limits>

namespace tilewright::kernels {

namespace {

// Each query has its own blocks, so the rows of a product are the heads of its group; a program takes several queries.
struct NsaSelected {
  Tune<int> tokens{"tokens", {8, 4, 16, 1}};
  Tune<int> block_n{"block_n", {32, 64, 16}};  // keys of a tile, where it divides a block
  Tune<int> stages{"stages", {2, 3, 4, 5}};
  Tune<int> warps{"warps", {2, 4, 1, 8}};
  Tune<int> by_hand{"schedule", {0, 1}};
  Tune<int> programs{"programs", {132}};  // of the schedule, which stay
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, block_size{"block_size"}, slots{"slots"};
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
      const Index used = counted ? Index(min(Index(load(queries.of(counts), {queries.batch, token, head})), slots)) : Index(slots);
      OnlineSoftmax softmax(group, value_dim, scale);
      const Tile rows_q = softmax.queries(tile.load_rows(queries.of(q), queries.batch, dim));
      for (Index part : range(0, used * parts, Pipeline{stages})) {
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

  // Neighbouring tokens share blocks. By hand, a team is a token, and a block that any of the teams' tokens has chosen is brought to shared memory once, for all of them: the producer makes the list of these
  // blocks, and the teams go through it, each passing by what its token has not chosen. Programs stay, so that the next tokens' first blocks are on their way before these tokens are done.
  static constexpr int kTeams = 8, kReserve = 1280, kNone = std::numeric_limits<std::int32_t>::max();

  Grid schedule_grid(nvidia::Sm90, In q, In k) const { return {min(tiles_of_head(q) * k.size(2) * q.size(0), programs)}; }

  void schedule(nvidia::Sm90, In q, In k, In v, In indices, In counts, In starts_q, In starts_k, Scalar scale, Scalar longest_q, Out o, Out lse) const {
    nvidia::require(!packed, "packed sequences are parts of a tensor");
    nvidia::require(k.dtype() == DType::F16 || k.dtype() == DType::BF16, "rows of blocks are no multiples of 128 bytes");
    nvidia::require(dim % 64 == 0 && value_dim % 64 == 0 && block_size % 16 == 0 && block_size <= 256, "a block is no tile of a channel");
    nvidia::require(warps == 1 && group == 16, "a token is not 16 heads, the rows of one warp's products");
    nvidia::require(slots <= 64, "a list of blocks is longer than a warp sorts in its registers");
    // As many blocks ahead as there is room beside two lists, what the producer needs to make one, and queries and outputs on their way between memory and registers.
    const int entries = kTeams * slots, room = nvidia::kSharedBytes - 3 * entries * 4 - kTeams * group * max(dim, value_dim) * 2 - kReserve;
    const int turns = max(2, min(stages, room / (2 * block_size * (dim + value_dim))));
    const nvidia::Channel keys = nvidia::channel(k.dtype(), {block_size, dim}, turns), values = nvidia::channel(v.dtype(), {block_size, value_dim}, turns);
    const nvidia::Channel lists = nvidia::channel(i32, {entries}, 2);
    const Index ahead = k.size(1) - q.size(1);

    const auto for_each_tile = [&](auto work) {
      const Index of_head = tiles_of_head(q);
      for (Index tile : range(program_id(0), of_head * k.size(2) * q.size(0), num_programs(0))) work(tile / (of_head * k.size(2)), tile / of_head % k.size(2), tile % of_head * kTeams);
    };
    // The blocks in slots that count, at or before the position; others -1.
    const auto chosen = [&](const Tile& blocks, const Tile& slot, const Tile& used, const Tile& position) { return where((slot < used) & (blocks * block_size <= position), blocks, -1); };
    const auto length_of = [&](const Tile& list) { return Index(sum(cast(list != kNone, i32), 0)); };
    nvidia::roles(
        {.producer = 56, .consumers = 224, .teams = kTeams},
        [&] {
          for_each_tile([&](const Index& batch, const Index& head, const Index& first) {
            const Tile blocks = load_or(-1, indices, {batch, span(first, kTeams), head, span(0, slots)});
            const Tile used = counted ? load(counts, {batch, span(first, kTeams), head}) : full(i32, {kTeams}, slots);
            const Tile mine = reshape(chosen(blocks, arange(slots)(None, _), used(_, None), (arange(kTeams) + cast(first + ahead, i32))(_, None)), {entries});
            const Tile sorted = sort(where(mine < 0, kNone, mine), 0), number = arange(entries);
            const Tile once = sort(where((number > 0) & (sorted == take(sorted, max(number - 1, 0), 0)), kNone, sorted), 0);
            const nvidia::SharedTile list = nvidia::send(lists, once);
            for (Index i : range(0, length_of(once))) {
              const Index start = nvidia::element(list, i) * block_size;
              nvidia::send(keys, k, {batch, span(start, block_size), head, span(0, dim)});
              nvidia::send(values, v, {batch, span(start, block_size), head, span(0, value_dim)});
            }
          });
        },
        [&] {
          for_each_tile([&](const Index& batch, const Index& head, const Index& first) {
            const Index token = first + nvidia::team(), position = token + ahead;
            const QueryTile tile{1, group, token, position, head};
            OnlineSoftmax softmax(group, value_dim, scale);
            const Tile rows_q = tile.load_rows(q, batch, dim);
            const Tile mine = chosen(load_or(-1, indices, {batch, token, head, span(0, slots)}), arange(slots), counted ? load(counts, {batch, token, head}) : scalar(i32, slots), cast(position, i32));
            const nvidia::SharedTile list = nvidia::receive(lists);
            for (Index i : range(0, length_of(nvidia::read(list)))) {
              const Index block = nvidia::element(list, i), start = block * block_size;
              const nvidia::SharedTile key = nvidia::receive(keys), value = nvidia::receive(values);
              const Index times = sum(cast(mine == cast(block, i32), i32), 0);  // a block that stands twice counts twice
              for ([[maybe_unused]] Index time : range(0, times)) {
                const auto seen = [&] { return (arange(block_size) <= cast(position - start, i32))(None, _); };
                softmax.add(softmax.scores(dot(rows_q, nvidia::read(nvidia::trans(key)))), start + block_size <= position + 1, seen, nvidia::read(value));
              }
              nvidia::release(key);
              nvidia::release(value);
            }
            nvidia::release(list);
            tile.store_rows(o, batch, softmax.output(), value_dim);
            tile.store_row_scalars(lse, batch, softmax.lse());
          });
        });
  }

  Index tiles_of_head(const In& q) const { return ceil_div(q.size(1), kTeams); }
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
         {{"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", q.sizes[2] / k.sizes[2]}, {"block_size", options.geometry.block_size}, {"slots", indices.sizes[3]},
          {"packed", sequences.packed}, {"counted", counts.has_value()}},
         options.tunables);
  return result;
}

}  // namespace tilewright::kernels
