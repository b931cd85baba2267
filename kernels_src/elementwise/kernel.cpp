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

struct Softmax {
  Tune<int> rows{"rows", {4, 16, 8, 1}};
  Tune<int> columns{"columns", {1024, 256, 512, 4096}};
  Tune<int> warps{"warps", {4, 8}};

  Grid grid(In x) const { return {ceil_div(x.size(0), rows)}; }

  // Two walks along the row: the largest element and the sum of exponentials, then the result.
  void body(In x, Out y) const {
    const Index row = program_id(0) * rows;
    const auto logits = [&](const Index& column) {
      const Tile inside = arange(columns) < cast(x.size(1) - column, i32);
      return where(inside(None, _), cast(load(x, {row, column}, {rows, columns}), f32) * kLog2E, -inf);
    };
    Var largest = full(f32, {rows}, -inf), total = zeros(f32, {rows});
    for (Index column : range(0, x.size(1), columns)) {
      const Tile s = logits(column);
      const Tile next = max(largest, reduce_max(s, 1));
      const Tile shift = where(next == -inf, 0.0, next);
      total = total * exp2(largest - shift) + sum(exp2(s - shift(_, None)), 1);
      largest = next;
    }
    for (Index column : range(0, x.size(1), columns)) {
      store(y, {row, column}, cast(exp2(logits(column) - largest(_, None)) / total(_, None), y.dtype()));
    }
  }
};
TW_KERNEL(Softmax, "softmax", "x", "y")

struct RmsNorm {
  Tune<int> rows{"rows", {4, 16, 8, 1}};
  Tune<int> columns{"columns", {1024, 256, 512, 4096}};
  Tune<int> warps{"warps", {4, 8}};

  Grid grid(In x) const { return {ceil_div(x.size(0), rows)}; }

  void body(In x, In weight, Scalar epsilon, Out y) const {
    const Index row = program_id(0) * rows;
    Var squares = zeros(f32, {rows});
    for (Index column : range(0, x.size(1), columns)) {
      const Tile part = cast(load(x, {row, column}, {rows, columns}), f32);
      squares += sum(part * part, 1);
    }
    const Tile scale = rsqrt(squares / cast(x.size(1), f32) + cast(epsilon, f32));
    for (Index column : range(0, x.size(1), columns)) {
      const Tile part = cast(load(x, {row, column}, {rows, columns}), f32) * scale(_, None);
      store(y, {row, column}, cast(part * cast(load(weight, {column}, {columns}), f32), y.dtype()));
    }
  }
};
TW_KERNEL(RmsNorm, "rms_norm", "x", "weight", "epsilon", "y")

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
  if (x.elements() > 0) launch(session, softmax_kernel(), {x, y.view()}, {}, tunables);
  return y;
}

DeviceTensor rms_norm(Session& session, const TensorView& x, const TensorView& weight, double epsilon, const KernelSettings& tunables) {
  expect_view("x", x, 2, x.dtype);
  expect_sizes("weight", weight, {x.sizes[1]}, x.dtype);
  const DeviceTensor y = allocate(session, x.dtype, {x.sizes[0], x.sizes[1]});
  if (x.elements() > 0) launch(session, rms_norm_kernel(), {x, weight, epsilon, y.view()}, {}, tunables);
  return y;
}

}  // namespace tilewright::kernels
