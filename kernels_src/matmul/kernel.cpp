#include "kernels_src/matmul/kernel.h"

#include "kernels_src/common/launch.h"
#include "kernels_src/matmul/matmul.h"
#include "kernels_src/matmul/tiles.h"

#include <utility>

namespace tilewright::kernels {

namespace {

struct Matmul : MatmulTiles {
  Tune<bool> stores_boxes{"stores_boxes", {false, true}};  // of schedules: by the copy engine, while the next product begins

  static auto stored_to(const Out& c) {
    return [c](const Tile& product, const Index& row, const Index& column) { store(c, {row, column}, cast(product, c.dtype())); };
  }

  Grid grid(In a, In b) const { return grid_of(a, b); }
  void body(In a, In b, Out c) const { multiply(a, b, stored_to(c)); }

  Grid schedule_grid(nvidia::Sm90 level, In a, In b) const { return grid_of(level, a, b); }
  void schedule(nvidia::Sm90 level, In a, In b, Out c) const {
    if (!stores_boxes) return multiply(level, a, b, c.dtype(), stored_to(c));
    nvidia::require(block_n * static_cast<int>(size_of(c.dtype())) % 128 == 0, "a row of a tile of the product is no multiple of 128 bytes");
    const nvidia::SharedTile result = nvidia::shared_tile(c.dtype(), {block_m, block_n});
    multiply(level, a, b, c.dtype(), [&](const Tile& product, const Index& row, const Index& column) {
      nvidia::write(result, cast(product, c.dtype()));
      nvidia::copy_out(c, {row, column}, result);
    });
  }
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
