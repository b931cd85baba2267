// The driver "cuda" beyond what every driver does: properties, PTX and its errors, limits, launch attributes, streams of other libraries, graphs.
#include "tests/runtime/cuda_fixture.h"

#include "runtime/drivers/cuda/cuda_kernel.h"
#include "tests/runtime/test_kernels.h"

#include <numeric>
#include <thread>

namespace tilewright::testing {
namespace {

class CudaDriverTest : public CudaFixture {
 protected:
  static Artifact count_artifact() {
    return with_program("count", count_kernel(),
                        {{DType::I64, {-1}, true}, {DType::I64, {}, false}, {DType::I64, {}, false}, {DType::I64, {}, false}});
  }
  static Artifact bound_artifact() { return with_program("bound", bound_kernel(), {{DType::I64, {-1}, true}, {DType::I64, {}, false}}); }

  static std::vector<std::uint64_t> count_slots(const void* out, std::uint64_t size) { return joined({view_slots(out, size), {size, 1, 1}}); }

  std::vector<float> numbers(std::size_t count, float first) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
  }

 private:
  static Artifact with_program(const std::string& name, const BuiltKernel& kernel, std::vector<program::Type> types) {
    const std::size_t count = types.size();
    PtxKernel ptx = ptx_kernel(name);
    ptx.program = std::make_shared<const program::Program>(kernel.trace({std::move(types), std::vector<program::ArgumentFacts>(count), {}}));
    return artifact_of(ptx);
  }
};

TEST_P(CudaDriverTest, PropertiesDescribeTheDevice) {
  const CudaDeviceProperties& cuda = device_->cuda_properties();
  EXPECT_EQ(cuda.ordinal, 0);
  EXPECT_FALSE(cuda.model.empty());
  EXPECT_FALSE(cuda.pci_bus_id.empty());
  EXPECT_EQ(cuda.target.rfind("sm_" + std::to_string(cuda.capability_major), 0), 0u);
  EXPECT_EQ(cuda.target.back() == 'a', cuda.capability_major >= 9);
  EXPECT_GE(cuda.driver_version, 11080);
  EXPECT_GT(cuda.multiprocessors, 0);
  EXPECT_GE(cuda.max_threads_per_block, 1024);
  EXPECT_GE(cuda.shared_bytes_per_block, std::uint64_t{48} << 10);
  EXPECT_GT(cuda.registers_per_block, 0);
  EXPECT_GT(cuda.l2_bytes, 0u);
  EXPECT_GT(cuda.memory_bytes, 0u);
  EXPECT_GE(cuda.max_grid[0], 2147483647);
  const DeviceProperties& properties = device_->properties();
  EXPECT_EQ(properties.name, "cuda:0");
  EXPECT_EQ(properties.compile_target, cuda.target);
  EXPECT_EQ(properties.parallelism, cuda.multiprocessors);
  EXPECT_FALSE(properties.host_memory);
}

TEST_P(CudaDriverTest, AddsVectors) {
  const auto stream = device_->make_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("vector_add")));
  const std::size_t size = 1000;
  const float *a = upload(*stream, numbers(size, 0)), *b = upload(*stream, numbers(size, 0.5f));
  float* out = upload(*stream, std::vector<float>(size + 10, -1));
  stream->launch(*executable, {8, 1, 1}, joined({view_slots(a, size), view_slots(b, size), view_slots(out, size)}));
  const auto sums = download(*stream, out, size + 10);
  for (std::size_t i = 0; i < size + 10; ++i) EXPECT_EQ(sums[i], i < size ? 2.0f * static_cast<float>(i) + 0.5f : -1.0f) << i;
}

TEST_P(CudaDriverTest, UsageIsKnownOnceLoaded) {
  const auto executable = device_->load(artifact_of(ptx_kernel("vector_add")));
  const CudaKernelUsage usage = device_->usage(*executable);
  EXPECT_GT(usage.registers, 0);
  EXPECT_EQ(usage.local_bytes, 0u);
  EXPECT_EQ(usage.declared_shared_bytes, 0u);
  EXPECT_GE(usage.max_threads, 128);
  EXPECT_GT(usage.blocks_per_multiprocessor, 0);
  EXPECT_EQ(usage.active_clusters, 0);
}

// ---- code that does not load

TEST_P(CudaDriverTest, BadPtxShowsTheLogOfTheAssembler) {
  PtxKernel bad = ptx_kernel("vector_add");
  bad.text.replace(bad.text.find("%f3, %f1, %f2"), 13, "%f3, %f1, %undeclared");
  expect_error(3303, {"'vector_add'", "'cuda:0'", "cuModuleLoadDataEx", "line ", "%undeclared"}, [&] { device_->load(artifact_of(bad)); });
}

TEST_P(CudaDriverTest, MissingEntryIsAnError) {
  Artifact artifact = artifact_of(ptx_kernel("vector_add"));
  artifact.entry = "vector_sub";
  expect_error(3303, {"'vector_add'", "'vector_sub'"}, [&] { device_->load(artifact); });
}

TEST_P(CudaDriverTest, CodeForOtherDevicesIsRefused) {
  Artifact artifact = artifact_of(ptx_kernel("vector_add"));
  for (const char* target : {"sm_999", "sm_70a", "gfx942", "x86-64-v4", "sm_", "sm_80x"}) {
    artifact.target = target;
    expect_error(3303, {"'vector_add'", std::string("'") + target + "'", device_->cuda_properties().target}, [&] { device_->load(artifact); });
  }
}

TEST_P(CudaDriverTest, CodeWithOtherParametersIsRefused) {
  PtxKernel kernel = ptx_kernel("count");
  kernel.program = ptx_kernel("vector_add").program;
  Artifact artifact = artifact_of(kernel);
  artifact.entry = "count";
  expect_error(3303, {"48", "72"}, [&] { device_->load(artifact); });
  artifact = count_artifact();
  artifact.assertions = {"one more slot"};
  expect_error(3303, {"'count'", "48", "56"}, [&] { device_->load(artifact); });
}

TEST_P(CudaDriverTest, ArtifactsMustSayHowTheyAreLaunched) {
  Artifact artifact = artifact_of(ptx_kernel("vector_add"));
  artifact.launch = {};
  expect_error(3303, {"'vector_add'", "0 threads"}, [&] { device_->load(artifact); });
}

// ---- limits

TEST_P(CudaDriverTest, TooMuchSharedMemoryIsALimit) {
  const std::uint64_t limit = device_->cuda_properties().shared_bytes_per_block;
  PtxKernel kernel = ptx_kernel("vector_add");
  kernel.launch.shared_bytes = limit + 1;
  expect_error(2310, {"'vector_add'", std::to_string(limit + 1), std::to_string(limit)}, [&] { device_->load(artifact_of(kernel)); });
  kernel.launch.shared_bytes = UINT64_MAX;
  EXPECT_EQ(error_code([&] { device_->load(artifact_of(kernel)); }), 2310);
  kernel.launch.shared_bytes = limit;
  device_->load(artifact_of(kernel));
}

TEST_P(CudaDriverTest, DeclaredSharedMemoryCounts) {
  PtxKernel kernel = ptx_kernel("vector_add");
  const std::size_t body = kernel.text.find("{\n") + 2;
  // Stored to, or the assembler would drop it.
  kernel.text.insert(body,
                     "  .shared .align 4 .b8 declared[1024];\n  .reg .b32 %s<2>;\n  mov.u32 %s1, 1;\n  st.volatile.shared.u32 [declared], %s1;\n");
  const std::uint64_t limit = device_->cuda_properties().shared_bytes_per_block;
  kernel.launch.shared_bytes = limit - 1024;
  EXPECT_EQ(device_->usage(*device_->load(artifact_of(kernel))).declared_shared_bytes, 1024u);
  kernel.launch.shared_bytes = limit - 1000;
  expect_error(2310, {std::to_string(limit + 24), "1024 of them"}, [&] { device_->load(artifact_of(kernel)); });
}

TEST_P(CudaDriverTest, TooManyThreadsAreALimit) {
  PtxKernel kernel = ptx_kernel("vector_add");
  kernel.launch.threads = device_->cuda_properties().max_threads_per_block + 32;
  expect_error(2311, {"'vector_add'", std::to_string(kernel.launch.threads)}, [&] { device_->load(artifact_of(kernel)); });
  // The code itself allows no more than 64.
  kernel = ptx_kernel("vector_add");
  if (simulated()) {
    kernel.launch.threads = 1024;
  } else {
    kernel.text.insert(kernel.text.find(")\n{") + 1, " .maxntid 64");
  }
  expect_error(2311, {"'vector_add'", "registers"}, [&] { device_->load(artifact_of(kernel)); });
}

TEST_P(CudaDriverTest, ImpossibleClustersAreALimit) {
  PtxKernel kernel = ptx_kernel("vector_add");
  kernel.launch.cluster = 64;
  expect_error(2312, {"'vector_add'", "64"}, [&] { device_->load(artifact_of(kernel)); });
}

TEST_P(CudaDriverTest, GridsBeyondTheDeviceAreErrors) {
  const auto stream = device_->make_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("vector_add")));
  const auto nothing = joined({view_slots(nullptr, 0), view_slots(nullptr, 0), view_slots(nullptr, 0)});
  expect_error(3305, {"'vector_add'", "axis 1", "70000", "65535"}, [&] { stream->launch(*executable, {1, 70000, 1}, nothing); });
  expect_error(3305, {"'vector_add'", "axis 0", "2147483648"}, [&] { stream->launch(*executable, {2147483648, 1, 1}, nothing); });
  stream->launch(*executable, {1, 65535, 1}, nothing);
  stream->synchronize();
}

TEST_P(CudaDriverTest, OutOfMemorySaysWhatIsFree) {
  const std::uint64_t total = device_->cuda_properties().memory_bytes;
  expect_error(3302, {"'cuda:0'", std::to_string(total), "are free"}, [&] { device_->release(device_->allocate(total)); });
  expect_error(3302, {std::to_string(total + 1)}, [&] { device_->allocate(total + 1); });
  device_->release(device_->allocate(1 << 20));
}

TEST_P(CudaDriverTest, OnlyDeviceMemoryIsAccessible) {
  auto* block = static_cast<std::byte*>(memory(1 << 20));
  EXPECT_TRUE(device_->accessible(block + 100, (1 << 20) - 100));
  EXPECT_FALSE(device_->accessible(nullptr, 1));
  std::vector<std::byte> host(1 << 20);
  EXPECT_FALSE(device_->accessible(host.data(), host.size()));
  const auto stream = device_->make_stream();
  expect_error(3304, {"'cuda:0'", "1048576"}, [&] { stream->fill(host.data(), 0, host.size()); });
  EXPECT_EQ(error_code([&] { stream->copy_to_device(block, host.data(), std::size_t{1} << 40); }), 3304);
}

// ---- streams

TEST_P(CudaDriverTest, TheCallersContextStays) {
  std::thread([&] {
    const auto stream = device_->make_stream();
    const auto executable = device_->load(count_artifact());
    std::int64_t* out = upload(*stream, std::vector<std::int64_t>(5, 0));
    stream->launch(*executable, {5, 1, 1}, count_slots(out, 5));
    EXPECT_EQ(download(*stream, out, 5), (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
    std::string missing;
    const auto library = cuda::CudaLibrary::load(GetParam(), missing);
    cuda::CUcontext current = nullptr;
    ASSERT_EQ(library->api().cuCtxGetCurrent(&current), cuda::CUDA_SUCCESS);
    EXPECT_EQ(current, nullptr);
    // And where it is current already, it is not pushed again.
    ASSERT_EQ(library->api().cuCtxPushCurrent(static_cast<cuda::CUcontext>(device_->context())), cuda::CUDA_SUCCESS);
    EXPECT_EQ(download(*stream, out, 1)[0], 1);
    ASSERT_EQ(library->api().cuCtxGetCurrent(&current), cuda::CUDA_SUCCESS);
    EXPECT_EQ(current, device_->context());
    ASSERT_EQ(library->api().cuCtxPopCurrent(&current), cuda::CUDA_SUCCESS);
    ASSERT_EQ(library->api().cuCtxGetCurrent(&current), cuda::CUDA_SUCCESS);
    EXPECT_EQ(current, nullptr);
  }).join();
}

TEST_P(CudaDriverTest, StreamsOfOtherLibrariesAreUsedAndKept) {
  std::string missing;
  const auto library = cuda::CudaLibrary::load(GetParam(), missing);
  const cuda::CudaApi& api = library->api();
  cuda::CUcontext popped = nullptr;
  cuda::CUstream theirs = nullptr;
  ASSERT_EQ(api.cuCtxPushCurrent(static_cast<cuda::CUcontext>(device_->context())), cuda::CUDA_SUCCESS);
  ASSERT_EQ(api.cuStreamCreate(&theirs, cuda::CU_STREAM_NON_BLOCKING), cuda::CUDA_SUCCESS);
  ASSERT_EQ(api.cuCtxPopCurrent(&popped), cuda::CUDA_SUCCESS);

  const auto executable = device_->load(count_artifact());
  for (cuda::CUstream handle : {theirs, cuda::CUstream{nullptr}}) {
    const auto stream = device_->wrap_stream(handle);
    EXPECT_EQ(stream->handle(), handle);
    std::int64_t* out = upload(*stream, std::vector<std::int64_t>(3, 0));
    stream->launch(*executable, {3, 1, 1}, count_slots(out, 3));
    EXPECT_EQ(download(*stream, out, 3), (std::vector<std::int64_t>{1, 2, 3}));
  }
  ASSERT_EQ(api.cuCtxPushCurrent(static_cast<cuda::CUcontext>(device_->context())), cuda::CUDA_SUCCESS);
  EXPECT_EQ(api.cuStreamSynchronize(theirs), cuda::CUDA_SUCCESS);
  EXPECT_EQ(api.cuStreamDestroy(theirs), cuda::CUDA_SUCCESS);
  ASSERT_EQ(api.cuCtxPopCurrent(&popped), cuda::CUDA_SUCCESS);
}

TEST_P(CudaDriverTest, ExecutablesMayGoBeforeTheirWorkIsDone) {
  const auto stream = device_->make_stream();
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(64, 0));
  for (int i = 0; i < 5; ++i) stream->launch(*device_->load(count_artifact()), {64, 1, 1}, count_slots(out, 64));
  EXPECT_EQ(download(*stream, out, 64)[63], 5 * 64);
}

TEST_P(CudaDriverTest, EachStreamReportsItsOwnAssertions) {
  const auto good = device_->make_stream(), bad = device_->make_stream();
  const auto executable = device_->load(bound_artifact());
  const std::int64_t* x = upload(*good, std::vector<std::int64_t>{5});
  good->launch(*executable, {1, 1, 1}, joined({view_slots(x, 1), {10}}));
  bad->launch(*executable, {1, 1, 1}, joined({view_slots(x, 1), {5}}));
  good->synchronize();
  expect_error(3401, {"'bound'", "x is below the limit", "bound.cpp:7:3"}, [&] { bad->synchronize(); });
  bad->synchronize();
}

// ---- graphs

TEST_P(CudaDriverTest, GraphsRunWhenLaunched) {
  const auto stream = device_->make_cuda_stream();
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(8, 100));
  std::shared_ptr<CudaGraph> graph;
  {
    const auto executable = device_->load(count_artifact());
    stream->begin_recording();
    EXPECT_TRUE(stream->recording());
    EXPECT_EQ(error_code([&] { stream->synchronize(); }), 3307);
    EXPECT_EQ(error_code([&] { stream->begin_recording(); }), 3307);
    stream->fill(out, 0, 4 * sizeof(std::int64_t));
    for (int i = 0; i < 3; ++i) stream->launch(*executable, {8, 1, 1}, count_slots(out, 8));
    // Allocating and loading go on while a stream records.
    device_->release(device_->allocate(1000));
    device_->load(count_artifact());
    graph = stream->end_recording();
    EXPECT_FALSE(stream->recording());
  }
  EXPECT_EQ(download(*stream, out, 8), std::vector<std::int64_t>(8, 100));
  stream->launch(graph);
  stream->launch(graph);
  EXPECT_EQ(download(*stream, out, 8), (std::vector<std::int64_t>{3, 6, 9, 12, 100 + 30, 100 + 36, 100 + 42, 100 + 48}));
  EXPECT_EQ(error_code([&] { stream->end_recording(); }), 3307);
}

TEST_P(CudaDriverTest, GraphsSpanStreamsThatWaitForEachOther) {
  const auto first = device_->make_cuda_stream(), second = device_->make_cuda_stream();
  const auto fork = device_->make_event(), join = device_->make_event();
  std::int64_t* out = upload(*first, std::vector<std::int64_t>(4, 0));
  std::shared_ptr<CudaGraph> graph;
  {
    const auto executable = device_->load(count_artifact());
    first->begin_recording();
    first->launch(*executable, {4, 1, 1}, count_slots(out, 4));
    first->record(*fork);
    EXPECT_EQ(error_code([&] { fork->reached(); }), 3307);
    second->wait(*fork);
    EXPECT_TRUE(second->recording());
    second->launch(*device_->load(count_artifact()), {4, 1, 1}, count_slots(out, 4));
    second->record(*join);
    first->wait(*join);
    graph = first->end_recording();
    EXPECT_FALSE(second->recording());
  }
  EXPECT_EQ(download(*second, out, 4), std::vector<std::int64_t>(4, 0));
  second->launch(graph);
  EXPECT_EQ(download(*second, out, 4), (std::vector<std::int64_t>{2, 4, 6, 8}));
  first->record(*fork);
  first->synchronize();
  EXPECT_TRUE(fork->reached());
}

TEST_P(CudaDriverTest, AssertionsInGraphsReachTheStreamThatLaunches) {
  const auto recorder = device_->make_cuda_stream(), runner = device_->make_cuda_stream();
  std::int64_t* x = upload(*recorder, std::vector<std::int64_t>{3});
  recorder->begin_recording();
  recorder->launch(*device_->load(bound_artifact()), {1, 1, 1}, joined({view_slots(x, 1), {10}}));
  const auto graph = recorder->end_recording();
  runner->launch(graph);
  runner->synchronize();
  const std::int64_t large = 10;
  runner->copy_to_device(x, &large, sizeof large);
  for (int i = 0; i < 2; ++i) {
    runner->launch(graph);
    expect_error(3401, {"'bound'", "x is below the limit"}, [&] { runner->synchronize(); });
  }
  recorder->synchronize();
}

TEST_P(CudaDriverTest, ObjectsOfAnotherDeviceAreErrors) {
  const auto other = open_cuda_device(0, options_);
  const auto stream = device_->make_cuda_stream();
  stream->begin_recording();
  const auto graph = stream->end_recording();
  expect_error(3306, {"graph"}, [&] { other->make_cuda_stream()->launch(graph); });
  EXPECT_EQ(error_code([&] { other->usage(*device_->load(count_artifact())); }), 3306);
}

TEST_P(CudaDriverTest, EveryDeviceRunsItsOwnWork) {
  const auto driver = make_cuda_driver(options_);
  const std::size_t count = driver->enumerate().size();
  if (count < 2) GTEST_SKIP() << "one device";
  std::vector<std::shared_ptr<CudaDevice>> devices;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::int64_t*> outs;
  for (std::size_t i = 0; i < count; ++i) {
    devices.push_back(open_cuda_device(static_cast<int>(i), options_));
    streams.push_back(devices[i]->make_stream());
    outs.push_back(static_cast<std::int64_t*>(devices[i]->allocate(8 * sizeof(std::int64_t))));
    streams[i]->fill(outs[i], 0, 8 * sizeof(std::int64_t));
    for (std::size_t times = 0; times <= i; ++times) streams[i]->launch(*devices[i]->load(count_artifact()), {8, 1, 1}, count_slots(outs[i], 8));
  }
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(download(*streams[i], outs[i], 8)[7], static_cast<std::int64_t>(8 * (i + 1)));
    EXPECT_EQ(devices[i]->accessible(outs[0], 8), i == 0);
    devices[i]->release(outs[i]);
  }
  EXPECT_EQ(error_code([&] { streams[1]->launch(*devices[0]->load(count_artifact()), {1, 1, 1}, count_slots(outs[0], 1)); }), 3306);
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaDriverTest, ::testing::Values(std::string(), kSimulation), library_name);

TEST(CudaTargets, FitTheDevicesTheyAreFor) {
  using cuda::target_fits;
  EXPECT_TRUE(target_fits("sm_90a", true, 9, 0));
  EXPECT_TRUE(target_fits("sm_90a", false, 9, 0));
  EXPECT_FALSE(target_fits("sm_90a", false, 10, 0));
  EXPECT_FALSE(target_fits("sm_90a", false, 8, 9));
  EXPECT_TRUE(target_fits("sm_80", true, 8, 6));
  EXPECT_FALSE(target_fits("sm_86", true, 8, 0));
  EXPECT_FALSE(target_fits("sm_80", true, 9, 0));
  EXPECT_TRUE(target_fits("sm_80", false, 9, 0));
  EXPECT_TRUE(target_fits("sm_120", false, 12, 0));
  EXPECT_FALSE(target_fits("sm_100", false, 9, 0));
  for (const char* target : {"", "sm", "sm_", "sm_x", "sm_90b", "sm_90aa", "reference", "gfx942"})
    EXPECT_FALSE(target_fits(target, false, 9, 0)) << target;
}

}  // namespace
}  // namespace tilewright::testing
