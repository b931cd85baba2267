// The operators vector_add, softmax and rms_norm.
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/elementwise/elementwise.h"
#include "kernels_src/elementwise/kernel.h"
#include "kernels_src/elementwise/reference.h"
#include "runtime/random.h"

#include <algorithm>
#include <cmath>

namespace tilewright::kernels {

namespace {

constexpr std::int64_t kCheckedElements = 4'000'000;

// The rows of a [rows, columns] tensor that are checked.
std::vector<std::int64_t> checked_rows(const HostTensor& tensor) {
  return choose_numbers(tensor.shape()[0], std::max<std::int64_t>(16, kCheckedElements / std::max<std::int64_t>(tensor.shape()[1], 1)));
}

class VectorAddOperator final : public Operator {
 public:
  std::string name() const override { return "vector_add"; }
  std::string summary() const override { return "The sum of two vectors"; }
  std::vector<OperatorSetting> settings() const override { return {{"size", "1048576", "number of elements"}, {"dtype", "f32", "f32, f16 or bf16"}}; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&vector_add_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t size = settings.integer("size", 1);
    return {{"a", random_normal(float_dtype(settings), {size}, Philox(seed, "a"))}, {"b", random_normal(float_dtype(settings), {size}, Philox(seed, "b"))}};
  }

  void validate(const OperatorSettings&, const TensorMap& inputs) const override {
    const HostTensor &a = input(inputs, "a"), &b = input(inputs, "b");
    expect_rank("a", a, 1);
    expect_float_dtype("a", a);
    expect_dtype("b", b, a.dtype());
    expect_shape("b", b, a.shape(), "that of a");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const DeviceTensor a = session.upload(input(inputs, "a")), b = session.upload(input(inputs, "b"));
    return {{"c", session.download(vector_add(session, a, b, settings.tunables))}};
  }

  CheckReport check(const OperatorSettings&, const TensorMap& inputs, const TensorMap& outputs) const override {
    std::vector<double> sum = input(inputs, "a").to_doubles();
    const std::vector<double> b = input(inputs, "b").to_doubles();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += b[i];
    const HostTensor& c = input(outputs, "c");
    return compare("c", c, sum, tolerance_for(c.dtype()));
  }

  double flops(const OperatorSettings&, const TensorMap& inputs) const override { return static_cast<double>(input(inputs, "a").elements()); }
  double bytes(const OperatorSettings&, const TensorMap& inputs) const override { return 3 * static_cast<double>(input(inputs, "a").bytes()); }
};

class SoftmaxOperator final : public Operator {
 public:
  std::string name() const override { return "softmax"; }
  std::string summary() const override { return "Softmax along the last axis"; }
  std::vector<OperatorSetting> settings() const override {
    return {{"rows", "4096", "rows"}, {"columns", "1024", "elements of a row"}, {"dtype", "f32", "f32, f16 or bf16"}};
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&softmax_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    return {{"x", random_normal(float_dtype(settings), {settings.integer("rows", 1), settings.integer("columns", 1)}, Philox(seed, "x"), 0, 2)}};
  }

  void validate(const OperatorSettings&, const TensorMap& inputs) const override {
    expect_rank("x", input(inputs, "x"), 2);
    expect_float_dtype("x", input(inputs, "x"));
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    return {{"y", session.download(softmax(session, session.upload(input(inputs, "x")), settings.tunables))}};
  }

  CheckReport check(const OperatorSettings&, const TensorMap& inputs, const TensorMap& outputs) const override {
    const HostTensor &x = input(inputs, "x"), &y = input(outputs, "y");
    const std::vector<std::int64_t> rows = checked_rows(x);
    std::vector<double> expected;
    double largest = 0;
    for (std::int64_t row : rows) {
      const std::vector<double> values = row_of(x, row), result = reference::softmax_row(values);
      for (double value : values) largest = std::isfinite(value) ? std::max(largest, std::fabs(value)) : largest;
      expected.insert(expected.end(), result.begin(), result.end());
    }
    return compare_rows("y", y, rows, x.shape()[1], expected, tolerance_for_logits(y.dtype(), largest));
  }

  double flops(const OperatorSettings&, const TensorMap& inputs) const override { return 5 * static_cast<double>(input(inputs, "x").elements()); }
  double bytes(const OperatorSettings&, const TensorMap& inputs) const override { return 2 * static_cast<double>(input(inputs, "x").bytes()); }
};

class RmsNormOperator final : public Operator {
 public:
  std::string name() const override { return "rms_norm"; }
  std::string summary() const override { return "Root-mean-square normalisation along the last axis, with a weight"; }
  std::vector<OperatorSetting> settings() const override {
    return {{"rows", "4096", "rows"}, {"columns", "1024", "elements of a row"}, {"epsilon", "1e-6", "added to the mean square"}, {"dtype", "f32", "f32, f16 or bf16"}};
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&rms_norm_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t columns = settings.integer("columns", 1);
    return {{"x", random_normal(float_dtype(settings), {settings.integer("rows", 1), columns}, Philox(seed, "x"))},
            {"weight", random_normal(float_dtype(settings), {columns}, Philox(seed, "weight"), 1, 0.2)}};
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const HostTensor &x = input(inputs, "x"), &weight = input(inputs, "weight");
    expect_rank("x", x, 2);
    expect_float_dtype("x", x);
    expect_dtype("weight", weight, x.dtype());
    expect_shape("weight", weight, {x.shape()[1]}, "[columns]");
    settings.number("epsilon");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const DeviceTensor x = session.upload(input(inputs, "x")), weight = session.upload(input(inputs, "weight"));
    return {{"y", session.download(rms_norm(session, x, weight, settings.number("epsilon"), settings.tunables))}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const HostTensor &x = input(inputs, "x"), &y = input(outputs, "y");
    const std::vector<double> weight = input(inputs, "weight").to_doubles();
    const std::vector<std::int64_t> rows = checked_rows(x);
    std::vector<double> expected;
    for (std::int64_t row : rows) {
      const std::vector<double> result = reference::rms_norm_row(row_of(x, row), weight, settings.number("epsilon"));
      expected.insert(expected.end(), result.begin(), result.end());
    }
    return compare_rows("y", y, rows, x.shape()[1], expected, tolerance_for(y.dtype()));
  }

  double flops(const OperatorSettings&, const TensorMap& inputs) const override { return 4 * static_cast<double>(input(inputs, "x").elements()); }
  double bytes(const OperatorSettings&, const TensorMap& inputs) const override { return 2 * static_cast<double>(input(inputs, "x").bytes()); }
};

const RegisterOperator registered_vector_add(std::make_unique<VectorAddOperator>());
const RegisterOperator registered_softmax(std::make_unique<SoftmaxOperator>());
const RegisterOperator registered_rms_norm(std::make_unique<RmsNormOperator>());

}  // namespace

}  // namespace tilewright::kernels
