#include "kernels_src/nsa/compress_kernel.h"

#include "dsl/tilewright.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/common/sequence_view.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/nsa.h"
#include "runtime/support/error.h"

namespace tilewright::kernels {

namespace {

// A tile of windows of one head of one sequence: the coordinates of their r-th tokens.
struct WindowTile {
  int windows;
  Index first;   // window
  Index tokens;  // of the sequence
  int length, stride;

  Tile token(const Index& r) const { return (arange(windows) + cast(first, i32)) * stride + cast(r, i32); }
  Tile inside(const Tile& token) const { return token < cast(tokens, i32); }
  // How many tokens each window has: fewer than `length` at the end of the sequence.
  Tile counts() const { return min(max(cast(tokens, i32) - token(0), 1), length); }
};

struct CompressConstants {
  Const<int> dim{"dim"}, length{"length"}, stride{"stride"};
  Const<bool> packed{"packed"}, positions{"positions"};
};

struct NsaCompress : CompressConstants {
  Tune<int> windows{"windows", {32, 16, 64}};
  Tune<int> warps{"warps", {4, 8}};
  Const<bool> weighted{"weighted"};

  Grid grid(In x, In starts, Scalar longest) const { return {ceil_div(longest, windows), x.size(2), sequence_count(x, starts, packed)}; }

  void body(In x, In starts, Scalar longest, In starts_c, In weights, In pe, Out y) const {
    const Index head = program_id(1), first = program_id(0) * windows;
    const TokenSpan tokens = tokens_of(x, starts, program_id(2), packed), result = tokens_of(y, starts_c, program_id(2), packed);
    when(first < result.length, [&] {
      const WindowTile tile{windows, first, tokens.length, length, stride};
      const View source = tokens.of(x);
      Var sum = zeros(f32, {windows, dim});
      for (Index r : range(0, length)) {
        const Tile token = tile.token(r);
        Var part = cast(load(source, {tokens.batch, token, head, span(0, dim)}), f32);
        if (positions) {
          const Tile position = cast(load(pe, {head, r, span(0, dim)}), f32);
          part = where(tile.inside(token)(_, None), part + position(None, _), 0.0);
        }
        if (weighted) part = part * cast(load(weights, {head, r}), f32);
        sum += part;
      }
      if (!weighted) sum = sum / cast(tile.counts(), f32)(_, None);
      store(result.of(y), {result.batch, span(first, windows), head, span(0, dim)}, cast(sum, y.dtype()));
    });
  }
};
TW_KERNEL(NsaCompress, "nsa_compress", "x", "starts", "longest", "starts_c", "weights", "pe", "y")

struct NsaCompressLinear : CompressConstants {
  Tune<int> windows{"windows", {32, 16, 64}};
  Tune<int> stages{"stages", {2, 3}};
  Tune<int> warps{"warps", {4, 8}};

  Grid grid(In x, In starts, Scalar longest) const { return {ceil_div(longest, windows), x.size(2), sequence_count(x, starts, packed)}; }

  void body(In x, In starts, Scalar longest, In starts_c, In weights, In pe, Out y) const {
    const Index head = program_id(1), first = program_id(0) * windows;
    const TokenSpan tokens = tokens_of(x, starts, program_id(2), packed), result = tokens_of(y, starts_c, program_id(2), packed);
    when(first < result.length, [&] {
      const WindowTile tile{windows, first, tokens.length, length, stride};
      const View source = tokens.of(x);
      Var sum = zeros(f32, {windows, dim});
      for (Index r : range(0, length, Pipeline{stages})) {
        const Tile token = tile.token(r);
        Var part = load(source, {tokens.batch, token, head, span(0, dim)});
        if (positions) {
          const Tile position = load(pe, {head, r, span(0, dim)});
          part = where(tile.inside(token)(_, None), part + position(None, _), 0.0);
        }
        sum = dot(part, load(weights, {head, span(r * dim, dim), span(0, dim)}), sum);
      }
      store(result.of(y), {result.batch, span(first, windows), head, span(0, dim)}, cast(sum, y.dtype()));
    });
  }
};
TW_KERNEL(NsaCompressLinear, "nsa_compress_linear", "x", "starts", "longest", "starts_c", "weights", "pe", "y")

}  // namespace

const program::TraceableKernel& nsa_compress_kernel() { return kernel_of<NsaCompress>(); }
const program::TraceableKernel& nsa_compress_linear_kernel() { return kernel_of<NsaCompressLinear>(); }

DeviceTensor nsa_compress(Session& session, const TensorView& x, const Sequences& sequences, const NsaGeometry& geometry, const PoolingOptions& pooling,
                          const KernelSettings& tunables) {
  geometry.validate();
  expect_view("x", x, 4, x.dtype);
  const std::int64_t heads = x.sizes[2], dim = x.sizes[3], length = geometry.compress_length;
  const bool weighted = pooling.kind == Pooling::Weighted, linear = pooling.kind == Pooling::Linear;
  if ((weighted || linear) != pooling.weights.has_value()) {
    throw Error(3110, pooling.weights ? "mean pooling takes no weights" : "weighted and linear pooling need weights");
  }
  if (weighted) expect_sizes("weights", *pooling.weights, {heads, length}, x.dtype);
  if (linear) expect_sizes("weights", *pooling.weights, {heads, length * dim, dim}, x.dtype);
  if (pooling.positions) expect_sizes("positions", *pooling.positions, {heads, length, dim}, x.dtype);

  const Sequences windows = window_sequences(sequences, geometry);
  const DeviceTensor y = allocate(session, x.dtype, {x.sizes[0], windows.packed ? windows.total_k() : windows.longest_k(), heads, dim});
  if (y.view().elements() == 0) return y;
  const DeviceStarts starts = upload_starts(session, sequences), window_starts = upload_starts(session, windows);
  const DeviceTensor unused_weights = allocate(session, x.dtype, {1, 1, 1}), unused_flat = allocate(session, x.dtype, {1, 1});
  KernelSettings constants = {{"dim", dim}, {"length", length}, {"stride", geometry.compress_stride}, {"packed", sequences.packed},
                              {"positions", pooling.positions.has_value()}};
  if (!linear) constants["weighted"] = weighted;
  launch(session, linear ? nsa_compress_linear_kernel() : nsa_compress_kernel(),
         {x, starts.keys.view(), windows.longest_k(), window_starts.keys.view(), pooling.weights.value_or(unused_flat.view()),
          pooling.positions.value_or(unused_weights.view()), y.view()},
         constants, tunables);
  return y;
}

}  // namespace tilewright::kernels
