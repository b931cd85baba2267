// A kernel that takes the context with it. In a program of its own: nothing works on the device afterwards.
#include "tests/runtime/cuda_fixture.h"

namespace tilewright::testing {
namespace {

class CudaFaultTest : public CudaFixture {};

TEST_P(CudaFaultTest, FaultsNameTheKernelAndItsArguments) {
  const auto stream = device_->make_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("fault")));
  std::int64_t* x = upload(*stream, std::vector<std::int64_t>(7, 0));
  stream->launch(*executable, {3, 2, 1}, view_slots(x, 7));
  const std::vector<std::string> words = {"'cuda:0'",        "CUDA_ERROR_ILLEGAL_ADDRESS (700)", "'fault'", "grid 3 x 2 x 1", "x = view i64 at 0x",
                                          "[7] strides [1]", "help: start the process again"};
  expect_error(3410, words, [&] { stream->synchronize(); });
  // It stays so.
  EXPECT_EQ(error_code([&] { stream->synchronize(); }), 3410);
  EXPECT_EQ(error_code([&] { device_->allocate(100); }), 3410);
  EXPECT_EQ(error_code([&] { device_->load(artifact_of(ptx_kernel("vector_add"))); }), 3410);
  if (simulated()) Simulation().repair();
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaFaultTest, ::testing::Values(kSimulation, std::string()), library_name);

}  // namespace
}  // namespace tilewright::testing
