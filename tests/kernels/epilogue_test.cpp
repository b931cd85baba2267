// A kernel of one's own around matmul's tiles, on the device of these tests: relu(a b + bias), with numbers of which every sum is exact.
#include "kernels_src/matmul/tiles.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tilewright::kernels::testing {
namespace {

struct BiasedProduct : MatmulTiles {
  auto finish(const In& bias, const Out& c) const {
    return [bias, c, columns = static_cast<int>(block_n)](const Tile& product, const Index& row, const Index& column) {
      store(c, {row, column}, cast(max(product + load(bias, {column}, {columns})(None, _), 0.0), c.dtype()));
    };
  }

  Grid grid(In a, In b) const { return grid_of(a, b); }
  void body(In a, In b, In bias, Out c) const { multiply(a, b, finish(bias, c)); }

  Grid schedule_grid(nvidia::Sm90 level, In a, In b) const { return grid_of(level, a, b); }
  void schedule(nvidia::Sm90 level, In a, In b, In bias, Out c) const { multiply(level, a, b, c.dtype(), finish(bias, c)); }
};
TW_KERNEL(BiasedProduct, "biased_product", "a", "b", "bias", "c")

HostTensor filled(DType dtype, std::vector<std::int64_t> shape, std::int64_t factor) {
  HostTensor tensor(dtype, std::move(shape));
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, static_cast<double>((i * factor + i / 7) % 5 - 2));
  return tensor;
}

TEST(Epilogue, BiasAndReluOfAProduct) {
  constexpr std::int64_t kRows = 70, kColumns = 136, kDepth = 72;
  const HostTensor a = filled(DType::BF16, {kRows, kDepth}, 3), b = filled(DType::BF16, {kDepth, kColumns}, 11), bias = filled(DType::F32, {kColumns}, 2);
  const DeviceTensor left = session().upload(a), right = session().upload(b), added = session().upload(bias);
  for (int schedule : {0, 1, 2}) {
    const DeviceTensor c = session().upload(filled(DType::F32, {kRows, kColumns}, 1));
    const KernelSettings settings{{"schedule", schedule}, {"block_m", 64}, {"block_n", 128}, {"block_k", 64}, {"stages", 2}, {"warps", 4}, {"programs", 2}};
    session().launch(kernel_of<BiasedProduct>(), std::vector<Argument>{left.view(), right.view(), added.view(), c.view()}, settings);
    const HostTensor result = session().download(c);
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t column = 0; column < kColumns; ++column) {
        double sum = bias.at(column);
        for (std::int64_t k = 0; k < kDepth; ++k) sum += a.at(row * kDepth + k) * b.at(k * kColumns + column);
        ASSERT_EQ(result.at(row * kColumns + column), std::max(sum, 0.0)) << "schedule " << schedule << ", row " << row << ", column " << column;
      }
    }
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
