// The operator matmul.
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/matmul/kernel.h"
#include "kernels_src/matmul/matmul.h"
#include "kernels_src/matmul/reference.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <utility>

namespace tilewright::kernels {

namespace {

constexpr double kCheckedWork = 2e8;

DType multiplied_dtype(const OperatorSettings& settings, const std::string& name) {
  const DType dtype = settings.dtype(name);
  if (dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16 || is_float8(dtype)) return dtype;
  throw Error(3002, "setting '" + name + "' is '" + settings.text(name) + "', expected f32, f16, bf16, f8e4m3 or f8e5m2");
}

TensorView transposed(const TensorView& view) {
  TensorView exchanged = view;
  std::swap(exchanged.sizes[0], exchanged.sizes[1]);
  std::swap(exchanged.strides[0], exchanged.strides[1]);
  return exchanged;
}

class MatmulOperator final : public Operator {
 public:
  std::string name() const override { return "matmul"; }
  std::string summary() const override { return "The product of two matrices"; }
  std::vector<OperatorSetting> settings() const override {
    return {{"m", "1024", "rows of a and c"}, {"n", "1024", "columns of b and c"}, {"k", "1024", "columns of a, rows of b"}, {"dtype", "f32", "f32, f16, bf16, f8e4m3 or f8e5m2"},
            {"b_dtype", "", "of b, where both are 8-bit floats; none: as a"}, {"b_transposed", "false", "b is given as [n, k], and its transpose is multiplied"}};
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&matmul_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t m = settings.integer("m", 1), n = settings.integer("n", 1), k = settings.integer("k", 1);
    const std::vector<std::int64_t> b_shape = settings.flag("b_transposed") ? std::vector{n, k} : std::vector{k, n};
    const DType a_dtype = multiplied_dtype(settings, "dtype"), b_dtype = settings.text("b_dtype").empty() ? a_dtype : multiplied_dtype(settings, "b_dtype");
    return {{"a", random_normal(a_dtype, {m, k}, Philox(seed, "a"))}, {"b", random_normal(b_dtype, b_shape, Philox(seed, "b"))}};
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const HostTensor &a = input(inputs, "a"), &b = input(inputs, "b");
    expect_rank("a", a, 2);
    expect_rank("b", b, 2);
    if (!is_float8(a.dtype())) expect_float_dtype("a", a);
    if (!is_float8(a.dtype()) || !is_float8(b.dtype())) expect_dtype("b", b, a.dtype());
    if (settings.flag("b_transposed")) expect_shape("b", b, {b.shape()[0], a.shape()[1]}, "[N, K]");
    else expect_shape("b", b, {a.shape()[1], b.shape()[1]}, "[K, N]");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const DeviceTensor a = session.upload(input(inputs, "a")), b = session.upload(input(inputs, "b"));
    return {{"c", session.download(matmul(session, a, settings.flag("b_transposed") ? transposed(b) : b.view(), settings.tunables))}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const HostTensor &a = input(inputs, "a"), &c = input(outputs, "c");
    const bool b_transposed = settings.flag("b_transposed");
    const DoubleRows b(input(inputs, "b"));
    const std::int64_t n = columns_of(settings, inputs);
    const double work_per_row = static_cast<double>(std::max<std::int64_t>(input(inputs, "b").elements(), 1));
    const std::vector<std::int64_t> rows = choose_numbers(a.shape()[0], std::max<std::int64_t>(16, static_cast<std::int64_t>(kCheckedWork / work_per_row)));
    std::vector<double> expected;
    for (std::int64_t row : rows) {
      const std::vector<double> product = b_transposed ? reference::matmul_row_transposed(row_of(a, row), b, n) : reference::matmul_row(row_of(a, row), b);
      expected.insert(expected.end(), product.begin(), product.end());
    }
    return compare_rows("c", c, rows, n, expected, tolerance_for(c.dtype()));
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    return 2 * static_cast<double>(input(inputs, "a").elements()) * static_cast<double>(columns_of(settings, inputs));
  }
  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const HostTensor &a = input(inputs, "a"), &b = input(inputs, "b");
    return static_cast<double>(a.bytes() + b.bytes()) + static_cast<double>(a.shape()[0] * columns_of(settings, inputs)) * static_cast<double>(size_of(matmul_result(a.dtype())));
  }

 private:
  static std::int64_t columns_of(const OperatorSettings& settings, const TensorMap& inputs) { return input(inputs, "b").shape()[settings.flag("b_transposed") ? 0 : 1]; }
};

const RegisterOperator registered(std::make_unique<MatmulOperator>());

}  // namespace

}  // namespace tilewright::kernels
