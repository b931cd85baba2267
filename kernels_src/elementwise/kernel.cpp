#include "kernels_src/elementwise/kernel.h"

#include "dsl/tilewright.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/common/online_softmax.h"
#include "kernels_src/elementwise/elementwise.h"

namespace tilewright::kernels {

namespace {

struct VectorAdd {
  Tune<int> block{"block", {1024, 2048, 4096}};
  Tune<int> warps{"warps", {4, 8}};

  Grid grid(In a) const { return {ceil_div(a.size(0), block)}; }

  void body(In a, In b, Out c) const {
    const Index i = program_id(0) * block;
    store(c, {i}, load(a, {i}, {block}) + load(b, {i}, {block}));
  }
};
TW_KERNEL(VectorAdd, "vector_add", "a", "b", "c")

// How the rows of a matrix are cut into tiles. A row that fits in two tiles of the tunables is one tile, loaded once; others are walked over as often as
// the computation needs them.
struct RowTiles {
  Tune<int> rows{"rows", {4, 16, 8, 1}};
  Tune<int> columns{"columns", {1024, 256, 512, 4096}};
  Tune<int> warps{"warps", {4, 8}};
  Const<int> row_length{"row_length", 0};  // rounded up, see row_length_limit; 0: longer than any limit

  bool whole() const { return row_length > 0 && row_length <= 2 * rows * columns; }
  int tile_columns() const { return whole() ? row_length : columns; }
  int tile_rows() const {
    if (!whole()) return rows;
    int fitting = 1;
    while (2 * fitting * row_length <= rows * columns) fitting *= 2;
    return fitting;
  }
};

struct Softmax : RowTiles {
  Grid grid(In x) const { return {ceil_div(x.size(0), tile_rows())}; }

  void body(In x, Out y) const {
    const int height = tile_rows(), width = tile_columns();
    const Index row = program_id(0) * height;
    // What is outside the row counts nothing.
    const Tile outside = scalar(x.dtype(), -inf);
    const auto logits = [&](const Index& column) { return cast(load_or(outside, x, {row, column}, {height, width}), f32) * kLog2E; };
    if (whole()) {
      const Tile s = logits(0);
      const Tile exponentials = exp2(s - reduce_max(s, 1)(_, None));
      store(y, {row, 0}, cast(exponentials * (1.0 / sum(exponentials, 1))(_, None), y.dtype()));
      return;
    }
    // Two walks along the row: the largest element and the sum of exponentials, then the result.
    Var largest = full(f32, {height}, -inf), total = zeros(f32, {height});
    for (Index column : range(0, x.size(1), width)) {
      const Tile s = logits(column);
      const Tile next = max(largest, reduce_max(s, 1));
      const Tile shift = where(next == -inf, 0.0, next);
      total = total * exp2(largest - shift) + sum(exp2(s - shift(_, None)), 1);
      largest = next;
    }
    const Tile scale = 1.0 / total;
    for (Index column : range(0, x.size(1), width)) store(y, {row, column}, cast(exp2(logits(column) - largest(_, None)) * scale(_, None), y.dtype()));
  }
};
TW_KERNEL(Softmax, "softmax", "x", "y")

struct RmsNorm : RowTiles {
  Grid grid(In x) const { return {ceil_div(x.size(0), tile_rows())}; }

  // The weight is a matrix of one row.
  void body(In x, In weight, Scalar epsilon, Out y) const {
    const int height = tile_rows(), width = tile_columns();
    const Index row = program_id(0) * height;
    const auto part = [&](const Index& column) { return cast(load(x, {row, column}, {height, width}), f32); };
    const auto scale = [&](const Tile& squares) { return rsqrt(squares / cast(x.size(1), f32) + cast(epsilon, f32)); };
    const auto finish = [&](const Index& column, const Tile& values, const Tile& factor) {
      const Tile weights = cast(load(weight, {0, column}, {width}), f32);
      store(y, {row, column}, cast(values * factor(_, None) * weights, y.dtype()));
    };
    if (whole()) {
      const Tile values = part(0);
      finish(0, values, scale(sum(values * values, 1)));
      return;
    }
    Var squares = zeros(f32, {height});
    for (Index column : range(0, x.size(1), width)) {
      const Tile values = part(column);
      squares += sum(values * values, 1);
    }
    const Tile factor = scale(squares);
    for (Index column : range(0, x.size(1), width)) finish(column, part(column), factor);
  }
};
TW_KERNEL(RmsNorm, "rms_norm", "x", "weight", "epsilon", "y")

// The constant row_length of rows of so many columns: few different values, at most an eighth too large but for short rows.
std::int64_t row_length_limit(std::int64_t columns) {
  constexpr std::int64_t kLongest = 1 << 14;
  if (columns > kLongest) return 0;
  std::int64_t step = 16;
  while (8 * step < columns) step *= 2;
  return (columns + step - 1) / step * step;
}

}  // namespace

const program::TraceableKernel& vector_add_kernel() { return kernel_of<VectorAdd>(); }
const program::TraceableKernel& softmax_kernel() { return kernel_of<Softmax>(); }
const program::TraceableKernel& rms_norm_kernel() { return kernel_of<RmsNorm>(); }

DeviceTensor vector_add(Session& session, const TensorView& a, const TensorView& b, const KernelSettings& tunables) {
  expect_view("a", a, 1, a.dtype);
  expect_sizes("b", b, {a.sizes[0]}, a.dtype);
  const DeviceTensor c = allocate(session, a.dtype, {a.sizes[0]});
  if (a.sizes[0] > 0) launch(session, vector_add_kernel(), {a, b, c.view()}, {}, tunables);
  return c;
}

DeviceTensor softmax(Session& session, const TensorView& x, const KernelSettings& tunables) {
  expect_view("x", x, 2, x.dtype);
  const DeviceTensor y = allocate(session, x.dtype, {x.sizes[0], x.sizes[1]});
  if (x.elements() > 0) launch(session, softmax_kernel(), {x, y.view()}, {{"row_length", row_length_limit(x.sizes[1])}}, tunables);
  return y;
}

DeviceTensor rms_norm(Session& session, const TensorView& x, const TensorView& weight, double epsilon, const KernelSettings& tunables) {
  expect_view("x", x, 2, x.dtype);
  expect_sizes("weight", weight, {x.sizes[1]}, x.dtype);
  const DeviceTensor y = allocate(session, x.dtype, {x.sizes[0], x.sizes[1]});
  TensorView row = weight;
  row.rank = 2;
  row.sizes = {1, weight.sizes[0]};
  row.strides = {weight.sizes[0] * weight.strides[0], weight.strides[0]};
  if (x.elements() > 0) launch(session, rms_norm_kernel(), {x, row, epsilon, y.view()}, {{"row_length", row_length_limit(x.sizes[1])}}, tunables);
  return y;
}

}  // namespace tilewright::kernels
