// What happens where libcuda is missing, too old or fails: on the simulation, which fails on demand and counts what is alive.
#include "tests/runtime/cuda_fixture.h"

#include "runtime/drivers/cuda/cuda_library.h"
#include "runtime/session.h"
#include "tests/runtime/test_kernels.h"

#include <filesystem>
#include <thread>

#include <unistd.h>

namespace tilewright::testing {
namespace {

TEST(CudaLibrary, MissingLibraryIsNoDevice) {
  const auto driver = make_cuda_driver({"/nowhere/libcuda.so.1"});
  EXPECT_EQ(driver->name(), "cuda");
  EXPECT_TRUE(driver->enumerate().empty());
  expect_error(3301, {"'cuda:0'", "the NVIDIA driver is not installed", "/nowhere/libcuda.so.1"}, [&] { driver->open(0); });
}

TEST(CudaLibrary, LibraryWithoutFunctionsIsNoDevice) {
  const auto driver = make_cuda_driver({"libm.so.6"});
  EXPECT_TRUE(driver->enumerate().empty());
  expect_error(3301, {"too old", "libm", "cuInit"}, [&] { driver->open(0); });
}

TEST(CudaLibrary, LibraryWithoutDevicesSaysWhy) {
  // A copy is another library to the loader, with a state of its own.
  const std::string copy = (std::filesystem::temp_directory_path() / ("libcuda-" + std::to_string(getpid()) + ".so")).string();
  std::filesystem::copy_file(kSimulation, copy, std::filesystem::copy_options::overwrite_existing);
  std::string problem;
  const auto library = DynamicLibrary::open(std::vector{copy}, problem);
  ASSERT_NE(library, nullptr) << problem;
  reinterpret_cast<void (*)(const char*, int, int)>(library->find("simulation_fail"))("cuInit", 100, 0);
  setenv("CUDA_VISIBLE_DEVICES", "7", 1);
  const auto driver = make_cuda_driver({copy});
  EXPECT_TRUE(driver->enumerate().empty());
  expect_error(3301, {"'cuda:1'", copy, "cuInit", "CUDA_ERROR_NO_DEVICE (100)", "CUDA_VISIBLE_DEVICES is '7'"}, [&] { driver->open(1); });
  unsetenv("CUDA_VISIBLE_DEVICES");
  std::filesystem::remove(copy);
}

TEST(CudaLibrary, SessionsSayWhatIsMissing) {
  const auto compiler = std::make_shared<NativeCompiler>();
  if (!make_cuda_driver()->enumerate().empty()) GTEST_SKIP() << "this machine has a device";
  expect_error(3301, {"'cuda:0'", "NVIDIA driver", "devices here: cpu, null"}, [&] { make_session("cuda:0", compiler); });
  expect_error(3301, {"'cuda:0'", "NVIDIA driver"}, [&] { make_session("cuda", compiler); });
  expect_error(3301, {"'cuda:3'", "NVIDIA driver"}, [&] { make_session("cuda:3", compiler); });
  expect_error(3301, {"'cuda:x'", "devices here: cpu, null"}, [&] { make_session("cuda:x", compiler); });
}

class CudaSimulationTest : public CudaFixture {
 protected:
  void SetUp() override {
    CudaFixture::SetUp();
    stream_ = device_->make_cuda_stream();
    vector_add_ = device_->load(artifact_of(ptx_kernel("vector_add")));
  }
  void TearDown() override { simulation_.repair(); }

  Simulation simulation_;
  std::unique_ptr<CudaStream> stream_;
  std::shared_ptr<Executable> vector_add_;
  const std::vector<std::uint64_t> nothing_ = {0, 0, 1, 0, 0, 1, 0, 0, 1};
};

TEST_P(CudaSimulationTest, FailedLaunchesNameKernelGridAndArguments) {
  simulation_.fail("cuLaunchKernelEx", 1, 1);
  stream_->launch(*vector_add_, {2, 1, 1}, nothing_);
  expect_error(3411,
               {"cuLaunchKernelEx of kernel 'vector_add'", "'cuda:0'", "(1)", "grid 5 x 3 x 1", "blocks of 128 threads",
                "b = view f32 at 0x0 [0] strides [1]"},
               [&] {
                 stream_->launch(*vector_add_, {5, 3, 1}, nothing_);
               });
  stream_->synchronize();
}

TEST_P(CudaSimulationTest, ScalarArgumentsAreShown) {
  PtxKernel kernel = ptx_kernel("bound");
  kernel.program = std::make_shared<const program::Program>(
      bound_kernel().trace({{{DType::I64, {-1}, true}, {DType::I64, {}, false}}, std::vector<program::ArgumentFacts>(2), {}}));
  const auto bound = device_->load(artifact_of(kernel));
  simulation_.fail("cuLaunchKernelEx", 1, 0);
  expect_error(3411, {"'bound'", "x = view i64 at 0x10 [4] strides [-2], limit = -7"}, [&] {
    stream_->launch(*bound, {1, 1, 1}, std::vector<std::uint64_t>{16, 4, std::uint64_t(-2), std::uint64_t(-7)});
  });
}

TEST_P(CudaSimulationTest, FailedCopiesNameTheirAddresses) {
  char host[8] = {};
  void* there = memory(8);
  simulation_.fail("cuMemcpyHtoDAsync_v2", 1, 0);
  expect_error(3411, {"cuMemcpyHtoDAsync of 8 bytes from 0x", " to 0x", "'cuda:0'"}, [&] { stream_->copy_to_device(there, host, 8); });
  simulation_.fail("cuMemsetD8Async", 1, 0);
  expect_error(3411, {"cuMemsetD8Async of 8 bytes at 0x"}, [&] { stream_->fill(there, 0, 8); });
  simulation_.fail("cuMemAlloc_v2", 1, 0);
  expect_error(3411, {"cuMemAlloc of 77 bytes on device 'cuda:0'"}, [&] { device_->allocate(77); });
}

TEST_P(CudaSimulationTest, FaultsNameTheLaunchesSinceTheStreamWasWaitedFor) {
  const auto fault = device_->load(artifact_of(ptx_kernel("fault")));
  for (int i = 0; i < 5; ++i) stream_->launch(*vector_add_, {i + 1, 1, 1}, nothing_);
  stream_->synchronize();
  for (int i = 0; i < 6; ++i) stream_->launch(*vector_add_, {1, i + 1, 1}, nothing_);
  stream_->launch(*fault, {1, 1, 1}, std::vector<std::uint64_t>{8, 1, 1});
  const Error error = error_of([&] { stream_->synchronize(); });
  EXPECT_EQ(error.code(), 3410);
  const std::string text = error.what();
  EXPECT_NE(text.find("since it was synchronized: 7"), std::string::npos) << text;
  EXPECT_NE(text.find("kernel 'fault'"), std::string::npos) << text;
  EXPECT_NE(text.find("grid 1 x 6 x 1"), std::string::npos) << text;
  EXPECT_EQ(text.find("grid 1 x 2 x 1"), std::string::npos) << text;
  simulation_.repair();
}

TEST_P(CudaSimulationTest, FailedGraphsAreErrors) {
  stream_->begin_recording();
  stream_->launch(*vector_add_, {1, 1, 1}, nothing_);
  simulation_.fail("cuGraphInstantiateWithFlags", 1, 0);
  expect_error(3411, {"cuGraphInstantiate of a graph of 'vector_add'"}, [&] { stream_->end_recording(); });
  stream_->begin_recording();
  simulation_.fail("cuStreamEndCapture", 901, 0);
  expect_error(3411, {"cuStreamEndCapture", "(901)"}, [&] { stream_->end_recording(); });
}

TEST_P(CudaSimulationTest, FailedLoadsLeaveNothingBehind) {
  const int modules = simulation_.alive("modules");
  for (const char* call : {"cuModuleGetFunction", "cuFuncLoad", "cuFuncGetAttribute", "cuOccupancyMaxActiveBlocksPerMultiprocessor"}) {
    simulation_.fail(call, 1, 0);
    EXPECT_EQ(error_code([&] { device_->load(artifact_of(ptx_kernel("vector_add"))); }), 3411) << call;
    EXPECT_EQ(simulation_.alive("modules"), modules) << call;
  }
}

TEST_P(CudaSimulationTest, DevicesThatCannotBeAskedAreNotOffered) {
  simulation_.fail("cuDeviceGetAttribute", 46, 0);
  EXPECT_TRUE(make_cuda_driver(options_)->enumerate().empty());
  EXPECT_EQ(make_cuda_driver(options_)->enumerate().size(), 2u);
  simulation_.fail("cuDevicePrimaryCtxRetain", 46, 0);
  expect_error(3411, {"cuDevicePrimaryCtxRetain", "'cuda:0'", "(46)"}, [&] { make_cuda_driver(options_)->open(0); });
}

TEST_P(CudaSimulationTest, DevicesWithoutClustersSaySo) {
  PtxKernel kernel = ptx_kernel("vector_add");
  kernel.launch.cluster = 2;
  device_->load(artifact_of(kernel));
  expect_error(2312, {"'cuda:1'", "Simulated Ampere", "has no clusters"}, [&] { open_cuda_device(1, options_)->load(artifact_of(kernel)); });
}

TEST_P(CudaSimulationTest, ClustersMultiplyTheBlocksOfAnAxis) {
  PtxKernel kernel = ptx_kernel("vector_add");
  kernel.launch.cluster = 4;
  const auto executable = device_->load(artifact_of(kernel));
  EXPECT_EQ(device_->usage(*executable).active_clusters, 8);
  float* out = upload(*stream_, std::vector<float>(200, 0));
  const float* ones = upload(*stream_, std::vector<float>(200, 1));
  stream_->launch(*executable, {2, 1, 1}, joined({view_slots(ones, 200), view_slots(ones, 200), view_slots(out, 200)}));
  EXPECT_EQ(download(*stream_, out, 200), std::vector<float>(200, 2));
  expect_error(3305, {"axis 0", std::to_string(2147483647 / 4)}, [&] { stream_->launch(*executable, {2147483647, 1, 1}, nothing_); });
}

TEST_P(CudaSimulationTest, NothingIsLeftBehind) {
  const std::vector<const char*> kinds = {"memory", "host memory", "streams", "events", "modules", "graphs", "contexts"};
  const auto counts = [&] {
    std::vector<int> all;
    for (const char* kind : kinds) all.push_back(simulation_.alive(kind));
    return all;
  };
  const std::vector<int> before = counts();
  std::thread([&] {
    {
      const auto device = open_cuda_device(0, options_);
      const auto stream = device->make_cuda_stream();
      const auto event = device->make_event();
      void* block = device->allocate(100);
      PtxKernel kernel = ptx_kernel("bound");
      kernel.program = std::make_shared<const program::Program>(
          bound_kernel().trace({{{DType::I64, {-1}, true}, {DType::I64, {}, false}}, std::vector<program::ArgumentFacts>(2), {}}));
      const auto bound = device->load(artifact_of(kernel));
      stream->fill(block, 0, 100);
      const auto slots = joined({view_slots(block, 1), {5}});
      stream->launch(*bound, {1, 1, 1}, slots);
      stream->begin_recording();
      stream->launch(*bound, {1, 1, 1}, slots);
      const auto graph = stream->end_recording();
      stream->launch(graph);
      stream->record(*event);
      stream->begin_recording();
      EXPECT_NE(counts(), before);
      device->release(block);
    }
    EXPECT_EQ(simulation_.context_depth(), 0);
    EXPECT_EQ(simulation_.capture_mode(), cuda::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  }).join();
  EXPECT_EQ(counts(), before);
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaSimulationTest, ::testing::Values(kSimulation), library_name);

}  // namespace
}  // namespace tilewright::testing
