#include "kernels_src/attention/decode_kernel.h"

#include "dsl/nvidia/sm90.h"
#include "kernels_src/attention/decode.h"
#include "kernels_src/attention/query_tile.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/common/online_softmax.h"
#include "runtime/support/error.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

constexpr std::int64_t kProgramsWanted = 264;  // two for each multiprocessor of a large GPU
constexpr std::int64_t kLeastKeys = 128;       // of a part: with fewer, combining costs more than the part
constexpr int kGroupRows = 64;                 // of a product by a group of warps

// A part of the keys of one sequence and kv head, for all new tokens and all heads of the group.
struct FlashDecodeSplit {
  Tune<int> block_k{"block_k", {64, 32, 128}};
  Tune<int> stages{"stages", {3, 2, 4}};
  Tune<int> warps{"warps", {4, 2, 8}};
  Tune<int> by_hand{"schedule", {0, 1}};
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"}, tokens{"tokens"}, page{"page"};  // page 0: the cache is in one piece
  Const<bool> lengths_given{"lengths_given"};

  // Keys of a tile; a tile lies in one page.
  int keys_of_tile() const {
    if (page == 0) return block_k;
    int keys = min(block_k, page);
    while (page % keys != 0) --keys;
    return keys;
  }

  Grid grid(In q, In k, In v, In block_table, In lengths, Scalar capacity, Scalar part, Scalar parts, Scalar scale) const { return {k.size(2), parts, q.size(0)}; }

  void body(In q, In k, In v, In block_table, In lengths, Scalar capacity, Scalar part, Scalar parts, Scalar scale, Out o, Out lse) const {
    // Heads first: programs that run at once then read what lies together in memory, a token's keys of all heads.
    const Index split = program_id(1), batch = program_id(2);
    const Index length = lengths_given ? Index(load(lengths, {batch})) : Index(capacity);
    const QueryTile tile{tokens, group, 0, length - tokens, program_id(0)};
    const Index first = split * part, end = min(first + part, length);

    OnlineSoftmax softmax(tile.rows(), value_dim, scale);
    const Tile rows_q = softmax.queries(tile.load_rows(q, batch, dim));
    for (Index key : range(first, end, keys_of_tile(), Pipeline{stages})) {
      const auto load_tile = [&](const View& view, int width) {
        if (page == 0) return load(view.narrow(1, 0, length), {batch, span(key, keys_of_tile()), tile.kv_head, span(0, width)});
        const Index number = key / page;
        const View filled = view.narrow(1, 0, min(length - number * page, page));
        return load(filled, {Index(load(block_table, {batch, number})), span(key % page, keys_of_tile()), tile.kv_head, span(0, width)});
      };
      softmax.add(dot(rows_q, trans(load_tile(k, dim))), sees_all(tile, key, keys_of_tile()), [&] { return seen(tile, key, keys_of_tile()); }, load_tile(v, value_dim));
    }
    store_part(o, lse, batch, split, tile, softmax);
  }

  // For a cache that is read from end to end: one thread keeps copies of all stages on their way, from the first moment on. Its products have more rows than there are queries, which costs nothing that memory does not.
  void schedule(nvidia::Sm90, In q, In k, In v, In block_table, In lengths, Scalar capacity, Scalar part, Scalar parts, Scalar scale, Out o, Out lse) const {
    nvidia::require(page == 0 && !lengths_given, "pages and tokens behind a sequence's length are parts of a tensor");
    nvidia::require(k.dtype() == DType::F16 || k.dtype() == DType::BF16, "other dtypes have no group products here");
    nvidia::require(dim % 64 == 0 && value_dim % 64 == 0 && value_dim <= 256 && block_k % 8 == 0, "a row of a head is no multiple of 128 bytes");
    nvidia::require(warps == 4 && kGroupRows % group == 0 && tokens * group <= kGroupRows, "the queries are not the rows of one group of warps");
    const Index split = program_id(1), batch = program_id(2);
    // Tokens behind the new ones read as zeros, and are not stored.
    const QueryTile tile{kGroupRows / group, group, 0, capacity - tokens, program_id(0)};
    const Index first = split * part, end = min(first + part, capacity);

    const nvidia::Channel keys = nvidia::channel(k.dtype(), {block_k, dim}, stages), values = nvidia::channel(v.dtype(), {block_k, value_dim}, stages);
    const nvidia::SharedTile rows = nvidia::shared_tile(q.dtype(), {tile.rows(), dim});
    nvidia::roles(
        {},
        [&] {
          for (Index key : range(first, end, block_k)) {
            nvidia::send(keys, k, {batch, span(key, block_k), tile.kv_head, span(0, dim)});
            nvidia::send(values, v, {batch, span(key, block_k), tile.kv_head, span(0, value_dim)});
          }
        },
        [&] {
          OnlineSoftmax softmax(tile.rows(), value_dim, scale);
          nvidia::write(rows, softmax.queries(tile.load_rows(q, batch, dim)));
          const Tile none = zeros(f32, {tile.rows(), block_k});
          for (Index key : range(first, end, block_k)) {
            const nvidia::SharedTile tile_k = nvidia::receive(keys);
            const Tile scores = nvidia::group_dot(rows, nvidia::trans(tile_k), none);
            nvidia::release(tile_k);
            softmax.add_product(scores, sees_all(tile, key, block_k), [&] { return seen(tile, key, block_k); }, [&](const Tile& p, const Tile& sums) {
              const nvidia::SharedTile value = nvidia::receive(values);
              const Tile more = nvidia::group_dot(cast(p, v.dtype()), value, sums);
              nvidia::release(value);
              return more;
            });
          }
          store_part(o, lse, batch, split, tile, softmax);
        });
  }

  // Whether all of `keys` keys from `key` on are seen by every row, and the mask where they are not.
  static Tile sees_all(const QueryTile& tile, const Index& key, int keys) { return key + keys <= tile.position + 1; }
  static Tile seen(const QueryTile& tile, const Index& key, int keys) { return arange(keys)(None, _) <= (tile.token_of_row() + cast(tile.position - key, i32))(_, None); }

  void store_part(const View& o, const View& lse, const Index& batch, const Index& split, const QueryTile& tile, const OnlineSoftmax& softmax) const {
    store(o, {batch, span(0, tile.tokens), span(tile.kv_head * group, group), split, span(0, value_dim)}, reshape(softmax.output(), {tile.tokens, group, value_dim}));
    store(lse, {batch, span(0, tile.tokens), span(tile.kv_head * group, group), split}, reshape(softmax.lse(), {tile.tokens, group}));
  }
};
TW_KERNEL(FlashDecodeSplit, "flash_decode_split", "q", "k", "v", "block_table", "lengths", "capacity", "part", "parts", "scale", "o", "lse")

// Some columns of one head of one token: its parts weigh as much as their sums of exponentials.
struct FlashDecodeCombine {
  Tune<int> block{"block", {64, 32, 16}};          // parts of a tile
  Tune<int> columns{"columns", {32, 16, 64, 128}};  // few: nothing but waiting takes time here, and many programs wait at once
  Tune<int> warps{"warps", {1, 2, 4}};
  Const<int> value_dim{"value_dim"}, limit{"limit"};  // limit: no fewer than there are parts

  int slices() const { return (value_dim + columns - 1) / columns; }

  Grid grid(In parts, In sums) const { return {sums.size(2) * slices(), sums.size(1), sums.size(0)}; }

  void body(In parts, In sums, Out o, Out lse) const {
    const Index head = program_id(0) / slices(), slice = program_id(0) % slices(), token = program_id(1), batch = program_id(2), count = sums.size(3);
    const int rows = min(block, limit), width = min(columns, value_dim);
    const auto of_slice = span(slice * width, width);
    const auto sums_of = [&](const Index& first, int size) { return load_or(-inf, sums, {batch, token, head, span(first, size)}); };
    const auto part_of = [&](const Index& first) { return load(parts, {batch, token, head, span(first, rows), of_slice}); };
    const Tile first_part = part_of(0), first_sums = sums_of(0, rows);  // on their way before anything is told from sums
    const Tile all = limit <= rows ? first_sums : sums_of(0, limit);
    const Tile largest = reduce_max(all, 0);
    const Tile shift = where(largest == -inf, 0.0, largest);
    const Tile total = sum(exp2((all - shift) * kLog2E), 0);

    const auto weighed = [&](const Tile& of_parts, const Tile& part) {
      const Tile weight = exp2((of_parts - shift) * kLog2E);
      return sum(where((weight == 0.0)(_, None), 0.0, part * weight(_, None)), 0);
    };
    Var value = weighed(first_sums, first_part);
    if (limit > rows)
      for (Index first : range(rows, count, rows)) value += weighed(sums_of(first, rows), part_of(first));
    store(o, {batch, token, head, of_slice}, cast(where(total == 0.0, 0.0, value / total), o.dtype()));
    when(slice == 0, [&] { store(lse, {batch, token, head}, shift + log2(total) * kLn2); });
  }
};
TW_KERNEL(FlashDecodeCombine, "flash_decode_combine", "parts", "sums", "o", "lse")

std::int64_t next_power_of_two(std::int64_t number) {
  std::int64_t power = 1;
  while (power < number) power *= 2;
  return power;
}

}  // namespace

const program::TraceableKernel& flash_decode_split_kernel() { return kernel_of<FlashDecodeSplit>(); }
const program::TraceableKernel& flash_decode_combine_kernel() { return kernel_of<FlashDecodeCombine>(); }

AttentionResult flash_decode(Session& session, const TensorView& q, const KeyValueCache& cache, const DecodeOptions& options) {
  const TensorView &k = cache.k, &v = cache.v;
  expect_view("q", q, 4, q.dtype);
  expect_view("k", k, 4, q.dtype);
  expect_view("v", v, 4, q.dtype);
  const std::int64_t batch = q.sizes[0], tokens = q.sizes[1], q_heads = q.sizes[2], heads = k.sizes[2], value_dim = v.sizes[3];
  if (heads < 1 || q_heads % heads != 0) throw Error(3111, "q has " + std::to_string(q_heads) + " heads, no multiple of the " + std::to_string(heads) + " heads of k");
  expect_sizes("k", k, {cache.block_table ? k.sizes[0] : batch, k.sizes[1], heads, q.sizes[3]}, q.dtype);
  expect_sizes("v", v, {k.sizes[0], k.sizes[1], heads, value_dim}, q.dtype);
  std::int64_t capacity = k.sizes[1];
  if (cache.block_table) {
    expect_sizes("block_table", *cache.block_table, {batch, cache.block_table->sizes[1]}, DType::I32);
    if (!cache.lengths) throw Error(3110, "pages need lengths: the last page of a sequence is rarely full");
    capacity *= cache.block_table->sizes[1];
  }
  if (cache.lengths) expect_sizes("lengths", *cache.lengths, {batch}, DType::I32);

  AttentionResult result{allocate(session, q.dtype, {batch, tokens, q_heads, value_dim}), allocate(session, DType::F32, {batch, tokens, q_heads})};
  if (result.lse.view().elements() == 0) return result;
  std::int64_t parts = options.splits > 0 ? options.splits : std::clamp<std::int64_t>(kProgramsWanted / (batch * heads), 1, std::max<std::int64_t>(1, capacity / kLeastKeys));
  std::int64_t part = (std::max<std::int64_t>(capacity, 1) + parts - 1) / parts;
  const std::int64_t whole = cache.block_table ? k.sizes[1] : kLeastKeys;  // no tile spans two parts
  part = (part + whole - 1) / whole * whole;
  parts = std::max<std::int64_t>(1, (capacity + part - 1) / part);

  const DeviceTensor unused = unused_argument(session, DType::I32), unused_table = allocate(session, DType::I32, {1, 1});
  const DeviceTensor partial = allocate(session, DType::F32, {batch, tokens, q_heads, parts, value_dim}), sums = allocate(session, DType::F32, {batch, tokens, q_heads, parts});
  launch(session, flash_decode_split_kernel(),
         {q, k, v, cache.block_table.value_or(unused_table.view()), cache.lengths.value_or(unused.view()), capacity, part, parts, options.scale, partial.view(), sums.view()},
         {{"dim", q.sizes[3]}, {"value_dim", value_dim}, {"group", q_heads / heads}, {"tokens", tokens}, {"page", cache.block_table ? k.sizes[1] : 0},
          {"lengths_given", cache.lengths.has_value()}},
         options.tunables);
  launch(session, flash_decode_combine_kernel(), {partial.view(), sums.view(), result.output.view(), result.lse.view()}, {{"value_dim", value_dim}, {"limit", next_power_of_two(parts)}},
         options.tunables);
  return result;
}

}  // namespace tilewright::kernels
