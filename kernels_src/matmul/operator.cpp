// The operator matmul.
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/matmul/kernel.h"
#include "kernels_src/matmul/matmul.h"
#include "kernels_src/matmul/reference.h"
#include "runtime/random.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

constexpr double kCheckedWork = 2e8;

class MatmulOperator final : public Operator {
 public:
  std::string name() const override { return "matmul"; }
  std::string summary() const override { return "The product of two matrices"; }
  std::vector<OperatorSetting> settings() const override {
    return {{"m", "1024", "rows of a and c"}, {"n", "1024", "columns of b and c"}, {"k", "1024", "columns of a, rows of b"}, {"dtype", "f32", "f32, f16 or bf16"}};
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&matmul_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t m = settings.integer("m", 1), n = settings.integer("n", 1), k = settings.integer("k", 1);
    return {{"a", random_normal(float_dtype(settings), {m, k}, Philox(seed, "a"))}, {"b", random_normal(float_dtype(settings), {k, n}, Philox(seed, "b"))}};
  }

  void validate(const OperatorSettings&, const TensorMap& inputs) const override {
    const HostTensor &a = input(inputs, "a"), &b = input(inputs, "b");
    expect_rank("a", a, 2);
    expect_rank("b", b, 2);
    expect_float_dtype("a", a);
    expect_dtype("b", b, a.dtype());
    expect_shape("b", b, {a.shape()[1], b.shape()[1]}, "[K, N]");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const DeviceTensor a = session.upload(input(inputs, "a")), b = session.upload(input(inputs, "b"));
    return {{"c", session.download(matmul(session, a, b, settings.tunables))}};
  }

  CheckReport check(const OperatorSettings&, const TensorMap& inputs, const TensorMap& outputs) const override {
    const HostTensor &a = input(inputs, "a"), &c = input(outputs, "c");
    const DoubleRows b(input(inputs, "b"));
    const std::int64_t n = input(inputs, "b").shape()[1];
    const double work_per_row = static_cast<double>(std::max<std::int64_t>(input(inputs, "b").elements(), 1));
    const std::vector<std::int64_t> rows = choose_numbers(a.shape()[0], std::max<std::int64_t>(16, static_cast<std::int64_t>(kCheckedWork / work_per_row)));
    std::vector<double> expected;
    for (std::int64_t row : rows) {
      const std::vector<double> product = reference::matmul_row(row_of(a, row), b);
      expected.insert(expected.end(), product.begin(), product.end());
    }
    return compare_rows("c", c, rows, n, expected, tolerance_for(c.dtype()));
  }

  double flops(const OperatorSettings&, const TensorMap& inputs) const override {
    return 2 * static_cast<double>(input(inputs, "a").elements()) * static_cast<double>(input(inputs, "b").shape()[1]);
  }
  double bytes(const OperatorSettings&, const TensorMap& inputs) const override {
    const HostTensor &a = input(inputs, "a"), &b = input(inputs, "b");
    return static_cast<double>(a.bytes() + b.bytes()) + static_cast<double>(a.shape()[0] * b.shape()[1]) * static_cast<double>(size_of(a.dtype()));
  }
};

const RegisterOperator registered(std::make_unique<MatmulOperator>());

}  // namespace

}  // namespace tilewright::kernels
