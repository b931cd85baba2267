#include "kernels_src/matmul/kernel.h"

#include "dsl/tilewright.h"
#include "kernels_src/common/launch.h"
#include "kernels_src/matmul/matmul.h"

#include <utility>

namespace tilewright::kernels {

namespace {

struct Matmul {
  Const<bool> b_transposed{"b_transposed", false};  // b is [n, k]: columns of the right operand are contiguous
  Tune<int> block_m{"block_m", {128, 64, 256}};
  Tune<int> block_n{"block_n", {128, 96, 64, 256}};
  Tune<int> block_k{"block_k", {64, 32, 128, 256}};
  Tune<int> group{"group", {8, 4, 16}};
  Tune<int> stages{"stages", {3, 2, 4}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};

  Grid grid(In a, In b) const { return {ceil_div(a.size(0), block_m) * ceil_div(columns_of(b), block_n)}; }

  // Programs near each other share rows of a and columns of b: they walk `group` rows of tiles down before they go to the next column.
  void body(In a, In b, Out c) const {
    const Index tiles_m = ceil_div(a.size(0), block_m), tiles_n = ceil_div(columns_of(b), block_n);
    const Index per_group = tiles_n * group;
    const Index first = program_id(0) / per_group * group;
    const Index height = min(tiles_m - first, group);
    const Index inside = program_id(0) % per_group;
    const Index row = (first + inside % height) * block_m, column = inside / height * block_n;

    Var product = zeros(f32, {block_m, block_n});
    for (Index k : range(0, a.size(1), block_k, Pipeline{stages, warp_specialize})) {
      const Tile left = load(a, {row, k}, {block_m, block_k});
      const Tile right = b_transposed ? trans(load(b, {column, k}, {block_n, block_k})) : load(b, {k, column}, {block_k, block_n});
      product = dot(left, right, product);
    }
    store(c, {row, column}, cast(product, c.dtype()));
  }

  Index columns_of(const In& b) const { return b.size(b_transposed ? 0 : 1); }
};
TW_KERNEL(Matmul, "matmul", "a", "b", "c")

}  // namespace

const program::TraceableKernel& matmul_kernel() { return kernel_of<Matmul>(); }

DType matmul_result(DType operand) { return is_float8(operand) ? DType::BF16 : operand; }

DeviceTensor matmul(Session& session, const TensorView& a, const TensorView& b, const KernelSettings& tunables) {
  expect_view("a", a, 2, a.dtype);
  expect_view("b", b, 2, is_float8(a.dtype) && is_float8(b.dtype) ? b.dtype : a.dtype);
  expect_sizes("b", b, {a.sizes[1], b.sizes[1]}, b.dtype);
  const DeviceTensor c = allocate(session, matmul_result(a.dtype), {a.sizes[0], b.sizes[1]});
  // Where the columns are contiguous and the rows are not, the kernel reads columns.
  const bool transposed = b.strides[0] == 1 && b.strides[1] != 1;
  TensorView right = b;
  if (transposed) {
    std::swap(right.sizes[0], right.sizes[1]);
    std::swap(right.strides[0], right.strides[1]);
  }
  if (c.view().elements() > 0) launch(session, matmul_kernel(), {a, right, c.view()}, {{"b_transposed", transposed}}, tunables);
  return c;
}

}  // namespace tilewright::kernels
