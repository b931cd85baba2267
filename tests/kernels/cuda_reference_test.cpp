// Operators against naive CUDA C++, compiled by NVRTC and run on the same GPU: one thread an output element, in f32, and nothing shared with the compiler or with the host's references.
#include "dsl/program/builder.h"
#include "runtime/device.h"
#include "runtime/support/cuda/nvrtc.h"
#include "runtime/support/error.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tilewright::kernels::testing {
namespace {

constexpr int kThreads = 128;

const char* const kSource = R"(
typedef long long i64;

__device__ i64 element() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void softmax(const float* x, i64 rows, i64 columns, float* y) {
  const i64 i = element();
  if (i >= rows * columns) return;
  const float* row = x + i / columns * columns;
  float largest = row[0], total = 0;
  for (i64 j = 1; j < columns; ++j) largest = fmaxf(largest, row[j]);
  for (i64 j = 0; j < columns; ++j) total += expf(row[j] - largest);
  y[i] = expf(x[i] - largest) / total;
}

extern "C" __global__ void rms_norm(const float* x, const float* weight, i64 rows, i64 columns, float* y) {
  const i64 i = element();
  if (i >= rows * columns) return;
  const float* row = x + i / columns * columns;
  float squares = 0;
  for (i64 j = 0; j < columns; ++j) squares += row[j] * row[j];
  y[i] = x[i] / sqrtf(squares / columns + 1e-6f) * weight[i % columns];
}

extern "C" __global__ void matmul(const float* a, const float* b, i64 m, i64 n, i64 k, float* c) {
  const i64 i = element();
  if (i >= m * n) return;
  float sum = 0;
  for (i64 j = 0; j < k; ++j) sum += a[i / n * k + j] * b[j * n + i % n];
  c[i] = sum;
}

// q [batch, seq, heads, dim], k and v [batch, seq, kv_heads, dim]; causal.
extern "C" __global__ void attention(const float* q, const float* k, const float* v, i64 batch, i64 seq, i64 heads, i64 kv_heads, i64 dim, float* o) {
  const i64 i = element();
  if (i >= batch * seq * heads * dim) return;
  const i64 token = i / (heads * dim) % seq, b = i / (seq * heads * dim), head = i / dim % heads, kv_head = head / (heads / kv_heads);
  const float* query = q + i / dim * dim;
  float largest = __int_as_float(0xff800000), total = 0, sum = 0;
  for (i64 j = 0; j <= token; ++j) {
    const i64 row = ((b * seq + j) * kv_heads + kv_head) * dim;
    float logit = 0;
    for (i64 d = 0; d < dim; ++d) logit += query[d] * k[row + d];
    logit *= rsqrtf((float)dim);
    const float next = fmaxf(largest, logit), faded = expf(largest - next), weight = expf(logit - next);
    total = total * faded + weight;
    sum = sum * faded + weight * v[row + i % dim];
    largest = next;
  }
  o[i] = sum / total;
}
)";

// The device, and the source compiled for it.
class Naive {
 public:
  Naive() : device_(open_device("cuda:0")), stream_(device_->make_stream()) {
    ptx_ = load_nvrtc()->compile({"naive.cu", kSource, {}}, device_->properties().compile_target);
  }

  // Runs a kernel with the tensors' elements in f32, then the numbers, then the output; the elements of the output.
  std::vector<double> run(const std::string& kernel, const std::vector<const HostTensor*>& tensors, const std::vector<std::int64_t>& numbers, std::int64_t outputs) {
    std::vector<std::uint64_t> slots;
    std::vector<std::shared_ptr<void>> memory;
    const auto allocate = [&](std::int64_t elements) {
      memory.emplace_back(device_->allocate(static_cast<std::size_t>(elements) * sizeof(float)), [device = device_](void* address) { device->release(address); });
      return memory.back().get();
    };
    for (const HostTensor* tensor : tensors) {
      const std::vector<double> elements = tensor->to_doubles();
      const std::vector<float> floats(elements.begin(), elements.end());
      void* there = allocate(tensor->elements());
      stream_->copy_to_device(there, floats.data(), floats.size() * sizeof(float));
      stream_->synchronize();
      slots.push_back(reinterpret_cast<std::uintptr_t>(there));
    }
    slots.insert(slots.end(), numbers.begin(), numbers.end());
    void* output = allocate(outputs);
    slots.push_back(reinterpret_cast<std::uintptr_t>(output));

    stream_->launch(*device_->load(artifact(kernel, slots.size())), {(outputs + kThreads - 1) / kThreads, 1, 1}, slots);
    std::vector<float> floats(static_cast<std::size_t>(outputs));
    stream_->copy_to_host(floats.data(), output, floats.size() * sizeof(float));
    stream_->synchronize();
    return {floats.begin(), floats.end()};
  }

 private:
  Artifact artifact(const std::string& kernel, std::size_t slots) const {
    program::Builder b(kernel);
    for (std::size_t i = 0; i < slots; ++i) b.add_param("p" + std::to_string(i), program::ParamKind::Scalar, {DType::I64, {}, false}, {});
    b.begin_grid();
    b.end_grid({b.integer(DType::I64, 1)});
    Artifact artifact;
    artifact.kernel = artifact.entry = kernel;
    artifact.target = device_->properties().compile_target;
    artifact.code.assign(ptx_.begin(), ptx_.end());
    artifact.program = std::make_shared<const program::Program>(std::move(b).finish());
    artifact.launch.threads = kThreads;
    return artifact;
  }

  std::shared_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::string ptx_;
};

class CudaReference : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      naive_ = std::make_unique<Naive>();
    } catch (const Error& error) {
      if (error.code() != 3310) throw;
      GTEST_SKIP() << error.what();
    }
  }

  Outcome of(const std::string& name, Settings changes) { return expect_ok(name, changes + Settings{{"dtype", GetParam()}}); }

  // The operator's output and ours, both computed from the same inputs.
  void compare_with(const Outcome& outcome, const std::string& output, const std::vector<double>& naive, double tolerance) {
    const CheckReport report = compare(output, outcome.outputs.at(output), naive, tolerance);
    EXPECT_TRUE(report.ok) << ::testing::PrintToString(report.notes);
  }

  std::unique_ptr<Naive> naive_;
};

// Below the tolerances of f32 lies what a naive sum in f32 loses itself.
double tolerance(const HostTensor& output) { return std::max(tolerance_for(output.dtype()), 1e-4); }

TEST_P(CudaReference, Softmax) {
  for (const auto& [rows, columns] : {std::pair{33, 1000}, {5, 4096}, {3, 20000}}) {
    const Outcome outcome = of("softmax", {{"rows", std::to_string(rows)}, {"columns", std::to_string(columns)}});
    const HostTensor& x = outcome.inputs.at("x");
    compare_with(outcome, "y", naive_->run("softmax", {&x}, {rows, columns}, rows * columns), tolerance(outcome.outputs.at("y")));
  }
}

TEST_P(CudaReference, RmsNorm) {
  for (const auto& [rows, columns] : {std::pair{33, 1000}, {5, 4096}, {3, 20000}}) {
    const Outcome outcome = of("rms_norm", {{"rows", std::to_string(rows)}, {"columns", std::to_string(columns)}, {"epsilon", "1e-6"}});
    const HostTensor &x = outcome.inputs.at("x"), &weight = outcome.inputs.at("weight");
    compare_with(outcome, "y", naive_->run("rms_norm", {&x, &weight}, {rows, columns}, rows * columns), tolerance(outcome.outputs.at("y")));
  }
}

TEST_P(CudaReference, Matmul) {
  const int m = 257, n = 130, k = 384;
  const Outcome outcome = of("matmul", {{"m", std::to_string(m)}, {"n", std::to_string(n)}, {"k", std::to_string(k)}});
  const HostTensor &a = outcome.inputs.at("a"), &b = outcome.inputs.at("b");
  compare_with(outcome, "c", naive_->run("matmul", {&a, &b}, {m, n, k}, m * n), tolerance(outcome.outputs.at("c")));
}

TEST_P(CudaReference, FlashForward) {
  const int batch = 2, seq = 300, heads = 4, kv_heads = 2, dim = 64;
  const Outcome outcome = of("flash_forward", {{"batch", "2"}, {"seq", "300"}, {"heads", "4"}, {"kv_heads", "2"}, {"dim", "64"}});
  const HostTensor &q = outcome.inputs.at("q"), &k = outcome.inputs.at("k"), &v = outcome.inputs.at("v");
  const std::vector<double> naive = naive_->run("attention", {&q, &k, &v}, {batch, seq, heads, kv_heads, dim}, batch * seq * heads * dim);
  compare_with(outcome, "o", naive, tolerance(outcome.outputs.at("o")));
}

INSTANTIATE_TEST_SUITE_P(Naive, CudaReference, ::testing::Values("f32", "bf16"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tilewright::kernels::testing
