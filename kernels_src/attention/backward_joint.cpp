#include "kernels_src/attention/backward_joint.h"

#include "kernels_src/common/launch.h"
#include "kernels_src/common/online_softmax.h"

namespace tilewright::kernels {

namespace {

// Sums of dq lie as programs add to them: [B, HQ, tiles of queries, dims, queries of a tile] where that product has more rows for the warps, else with the last two axes exchanged. So the neighbours that a thread holds are
// neighbours in memory.
constexpr bool has_dims_first(int dim, int block_m) { return dim >= block_m; }

// A tile of keys and their values against all queries that see any of them. Keys are rows of every product but that of dq, so that probabilities and their gradients are where the next product takes them from registers;
// for dq alone they go through memory of the program. Queries come from the last to the first, with the heads of a group innermost: programs that begin together touch the same queries and sums at the same time.
struct FlashBackwardJoint {
  Tune<int> block_n{"block_n", {128, 64, 32}};  // keys of a tile
  Tune<int> stages{"stages", {2, 3}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  Const<int> block_m{"block_m"};  // queries of a tile
  Const<int> dim{"dim"}, value_dim{"value_dim"}, group{"group"};
  Const<int> together{"together"};  // kv heads whose programs begin together
  Const<bool> causal{"causal"}, windowed{"windowed"};

  Grid grid(In q, In k, In v, In d_o, In log_sum, In delta, Scalar scale, Scalar window) const { return {ceil_div(k.size(1), block_n) * together, k.size(2) / together, k.size(0)}; }

  void body(In q, In k, In v, In d_o, In log_sum, In delta, Scalar scale, Scalar window, InOut dq_sums, Out dk, Out dv) const {
    const Index batch = program_id(2), kv_head = program_id(1) * together + program_id(0) % together, key = program_id(0) / together * block_n;
    const auto of_keys = [&](const View& x, int width) { return load(x, {batch, span(key, block_n), kv_head, span(0, width)}); };
    const Tile k_tile = of_keys(k, dim), v_tile = of_keys(v, value_dim);

    // Token t sees keys up to t + ahead, and with a window those above t + ahead - window.
    const Index queries = q.size(1), ahead = k.size(1) - queries;
    const Index first = causal ? Index(max(key - ahead, 0) / block_m) : Index(0);
    const Index end = ceil_div(windowed ? Index(min(key + (block_n - 1) + window - ahead, queries)) : queries, block_m);
    Var dk_sum = zeros(f32, {block_n, dim}), dv_sum = zeros(f32, {block_n, value_dim});
    for (Index n : range(0, (end - first) * group, Pipeline{stages, warp_specialize})) {
      const Index tile = end - 1 - n / group, token = tile * block_m, head = kv_head * group + n % group;
      const auto rows = [&](const View& x, int width) { return load(x, {batch, span(token, block_m), head, span(0, width)}); };
      const Tile q_tile = rows(q, dim), d_o_tile = rows(d_o, value_dim);
      // Behind the last query all is zero: probabilities are one and add nothing to products with zeros.
      const Tile log_sums = load(log_sum, {batch, head, span(token, block_m)}), deltas = load(delta, {batch, head, span(token, block_m)});
      Var p = exp2(fma(dot(k_tile, trans(q_tile)), scale * kLog2E, -log_sums(None, _)));
      const Tile below = causal ? key + (block_n - 1) <= token + ahead : key + block_n <= k.size(1);
      const Tile all = windowed ? below & (key > token + (block_m - 1) + ahead - window) : below;
      when(!all, [&] {
        const Tile row = arange(block_n)(_, None);
        if (causal) {
          const Tile last = (arange(block_m) + cast(token + ahead - key, i32))(None, _);
          p = where(windowed ? (row <= last) & (row > last - cast(window, i32)) : row <= last, p, 0.0);
        } else {
          p = where(row < cast(k.size(1) - key, i32), p, 0.0);
        }
      });
      dv_sum = dot(cast(p, v.dtype()), d_o_tile, dv_sum);
      const Tile ds = cast(p * (dot(v_tile, trans(d_o_tile)) - deltas(None, _)), q.dtype());
      dk_sum = dot(ds, q_tile, dk_sum);
      const Tile dq = has_dims_first(dim, block_m) ? dot(trans(k_tile), ds) : dot(trans(ds), k_tile);
      atomic_add(dq_sums, {batch, head, tile, span(0, dq.extent(0)), span(0, dq.extent(1))}, dq);
    }
    store(dk, {batch, span(key, block_n), kv_head, span(0, dim)}, cast(dk_sum * scale, dk.dtype()));
    store(dv, {batch, span(key, block_n), kv_head, span(0, value_dim)}, cast(dv_sum, dv.dtype()));
  }
};
TW_KERNEL(FlashBackwardJoint, "flash_backward_joint", "q", "k", "v", "d_o", "log_sum", "delta", "scale", "window", "dq_sums", "dk", "dv")

struct GradientSumsClear {
  Tune<int> block{"block", {4096, 1024}};
  Tune<int> warps{"warps", {4, 8}};

  Grid grid(Scalar count) const { return {ceil_div(count, block)}; }
  void body(Scalar count, Out sums) const { store(sums, {span(program_id(0) * block, block)}, zeros(f32, {block})); }
};
TW_KERNEL(GradientSumsClear, "gradient_sums_clear", "count", "sums")

// Sums of dq, to [B, TQ, HQ, K] in the dtype of queries.
struct GradientSumsRound {
  Tune<int> warps{"warps", {4, 8}};
  Const<int> block_m{"block_m"}, dim{"dim"};

  Grid grid(In sums, Scalar scale) const { return {sums.size(2), sums.size(1), sums.size(0)}; }

  void body(In sums, Scalar scale, Out dq) const {
    const Index tile = program_id(0), head = program_id(1), batch = program_id(2);
    const bool dims_first = has_dims_first(dim, block_m);
    const Tile sum = cast(load(sums, {batch, head, tile, span(0, dims_first ? dim : block_m), span(0, dims_first ? block_m : dim)}) * scale, dq.dtype());
    store(dq, {batch, span(tile * block_m, block_m), head, span(0, dim)}, dims_first ? trans(sum) : sum);
  }
};
TW_KERNEL(GradientSumsRound, "gradient_sums_round", "sums", "scale", "dq")

// 16 to 128 queries, as many as keep a tile of them small: keys and values, their gradients and the products of a turn take most of the registers and of shared memory.
std::int64_t queries_of_tile(const AttentionOptions& options, std::int64_t dim) {
  constexpr std::int64_t kElements = 8192;
  if (const auto given = options.tunables.find("block_m"); given != options.tunables.end()) return given->second;
  std::int64_t queries = 16;
  while (queries < 128 && 2 * queries * dim <= kElements) queries *= 2;
  return queries;
}

// Where programs have much to do, those of several kv heads begin together, the longest first; where they have little, those of one head, which share its queries.
std::int64_t heads_together(std::int64_t kv_heads, std::int64_t group) {
  std::int64_t together = 1;
  while (2 * together <= group / 4 && together < 4 && kv_heads % (2 * together) == 0) together *= 2;
  return together;
}

}  // namespace

const program::TraceableKernel& flash_backward_joint_kernel() { return kernel_of<FlashBackwardJoint>(); }
const program::TraceableKernel& gradient_sums_clear_kernel() { return kernel_of<GradientSumsClear>(); }
const program::TraceableKernel& gradient_sums_round_kernel() { return kernel_of<GradientSumsRound>(); }

TensorView RowScalars::view(const DeviceTensor& rows, std::int64_t tokens) const {
  TensorView view = rows.view();
  view.sizes[2] = tokens;
  return view;
}

RowScalars allocate_row_scalars(Session& session, std::int64_t batch, std::int64_t heads, std::int64_t tokens) {
  constexpr std::int64_t kRun = 4;  // of 16 bytes
  const std::vector<std::int64_t> shape = {batch, heads, (tokens + kRun - 1) / kRun * kRun};
  return {allocate(session, DType::F32, shape), allocate(session, DType::F32, shape)};
}

void launch_flash_backward_joint(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& d_o, const RowScalars& rows, const AttentionOptions& options,
                                 const AttentionGradients& result) {
  const std::int64_t tokens = q.sizes[1], group = q.sizes[2] / k.sizes[2], block_m = queries_of_tile(options, q.sizes[3]);
  const bool dims_first = has_dims_first(static_cast<int>(q.sizes[3]), static_cast<int>(block_m));
  const DeviceTensor sums =
      allocate(session, DType::F32, {q.sizes[0], q.sizes[2], (tokens + block_m - 1) / block_m, dims_first ? q.sizes[3] : block_m, dims_first ? block_m : q.sizes[3]});
  const std::int64_t count = sums.view().elements();
  TensorView flat = sums.view();
  flat.rank = 1;
  flat.sizes[0] = count;
  flat.strides[0] = 1;
  if (count > 0) launch(session, gradient_sums_clear_kernel(), {count, flat}, {}, options.tunables);
  if (k.elements() > 0) {
    launch(session, flash_backward_joint_kernel(),
           {q, k, v, d_o, rows.view(rows.log_sum, tokens), rows.view(rows.delta, tokens), options.scale, options.window, sums.view(), result.dk.view(), result.dv.view()},
           {{"block_m", block_m}, {"dim", q.sizes[3]}, {"value_dim", v.sizes[3]}, {"group", group}, {"together", heads_together(k.sizes[2], group)}, {"causal", options.causal}, {"windowed", options.window > 0}},
           options.tunables);
  }
  if (count > 0) launch(session, gradient_sums_round_kernel(), {sums.view(), options.scale, result.dq.view()}, {{"block_m", block_m}, {"dim", q.sizes[3]}}, options.tunables);
}

}  // namespace tilewright::kernels
