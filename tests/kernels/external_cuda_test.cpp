// A function in CUDA C++ called from a kernel, beside the same function said with tiles.
#include "dsl/tilewright.h"
#include "runtime/support/error.h"
#include "tests/cuda_linker.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tilewright::kernels::testing {
namespace {

// gelu by tanh, as both sides write it.
const ExternFunction gelu = extern_cuda(R"(
__device__ float bend(float x) { return 0.7978845608f * (x + 0.044715f * x * x * x); }
__device__ float gelu(float x) { return 0.5f * x * (1 + tanhf(bend(x))); }
)", "gelu", f32);
const ExternFunction pick = extern_cuda("__device__ signed char pick(signed char a, unsigned char b, bool first, long long shift) { return (first ? a : b) + (shift >> 40); }", "pick", i8);

struct Gelu {
  Grid grid(In x) const { return {ceil_div(x.size(0), 1024)}; }

  void body(In x, Out called, Out written) const {
    Index start = program_id(0) * 1024;
    Tile t = load(x, {start}, {1024});
    store(called, {start}, gelu(t));
    store(written, {start}, 0.5 * t * (1 + tanh(0.7978845608 * (t + 0.044715 * t * t * t))));
  }
};
TW_KERNEL(Gelu, "gelu_both", "x", "called", "written")

// Small integers and a bool, through the words they cross in.
struct Pick {
  Grid grid(In x) const { return {1}; }

  void body(In x, Out y) const {
    Tile t = load(x, {0}, {256});
    Tile far = cast(t, i64) << 40;
    store(y, {0}, cast(pick(cast(t, i8), cast(t, u8), t < 0, far), i32));
  }
};
TW_KERNEL(Pick, "pick", "x", "y")

class ExternalCuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = missing_cuda_linker(); !missing.empty()) GTEST_SKIP() << missing;
  }
};

TEST_F(ExternalCuda, ComputesWhatTilesCompute) {
  constexpr int kCount = 5001;
  HostTensor x(DType::F32, {kCount});
  for (int i = 0; i < kCount; ++i) x.set(i, 12.0 * i / kCount - 6);
  const DeviceTensor in = session().upload(x), called = session().upload(HostTensor(DType::F32, {kCount})), written = session().upload(HostTensor(DType::F32, {kCount}));
  session().launch(kernel_of<Gelu>(), std::vector<Argument>{in.view(), called.view(), written.view()}, {});
  const std::vector<double> a = session().download(called).to_doubles(), b = session().download(written).to_doubles();
  for (int i = 0; i < kCount; ++i) {
    const double at = x.to_doubles()[i], expected = 0.5 * at * (1 + std::tanh(0.7978845608 * (at + 0.044715 * at * at * at)));
    ASSERT_NEAR(a[i], expected, 2e-6 * (1 + std::abs(at))) << at;
    ASSERT_NEAR(a[i], b[i], 2e-6 * (1 + std::abs(at))) << at;
  }
}

TEST_F(ExternalCuda, NarrowIntegersKeepTheirSign) {
  HostTensor x(DType::I32, {256});
  for (int i = 0; i < 256; ++i) x.set(i, i - 128);
  const DeviceTensor in = session().upload(x), out = session().upload(HostTensor(DType::I32, {256}));
  session().launch(kernel_of<Pick>(), std::vector<Argument>{in.view(), out.view()}, {});
  const std::vector<double> y = session().download(out).to_doubles();
  for (int i = 0; i < 256; ++i) {
    const int t = i - 128, sum = (t < 0 ? static_cast<signed char>(t) : static_cast<unsigned char>(t)) + t;
    EXPECT_EQ(y[i], static_cast<signed char>(sum)) << t;
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
