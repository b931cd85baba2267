// What only a real device shows: work that overlaps, clusters, programmatic launches, large shared memory, time, code from NVRTC and from the assemblers.
#include "tests/runtime/cuda_fixture.h"

#include "runtime/drivers/cuda/cuda_kernel.h"
#include "runtime/support/cuda/nvrtc.h"
#include "runtime/support/cuda/ptx_assembler.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

namespace tilewright::testing {
namespace {

class CudaDeviceTest : public CudaFixture {
 protected:
  std::int64_t* zeros(Stream& stream, std::size_t count) { return upload(stream, std::vector<std::int64_t>(count, 0)); }

  void check_vector_add(const Artifact& artifact) {
    const auto stream = device_->make_stream();
    const std::size_t size = 300;
    std::vector<float> a(size), b(size, 0.25f);
    std::iota(a.begin(), a.end(), 0.0f);
    const float *a_there = upload(*stream, a), *b_there = upload(*stream, b);
    auto* out = static_cast<float*>(memory(size * sizeof(float)));
    stream->launch(*device_->load(artifact), {3, 1, 1}, joined({view_slots(a_there, size), view_slots(b_there, size), view_slots(out, size)}));
    const auto sums = download(*stream, out, size);
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(sums[i], static_cast<float>(i) + 0.25f) << i;
  }
};

TEST_P(CudaDeviceTest, StreamsOverlap) {
  const auto waiting = device_->make_stream(), working = device_->make_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("spin")));
  std::int64_t *flag = zeros(*waiting, 1), *seen = zeros(*waiting, 1);
  waiting->launch(*executable, {1, 1, 1}, joined({view_slots(flag, 1), view_slots(seen, 1)}));
  working->fill(flag, 1, sizeof *flag);
  working->synchronize();
  EXPECT_NE(download(*waiting, seen, 1)[0], 0);
}

TEST_P(CudaDeviceTest, StreamsWaitForEvents) {
  const auto first = device_->make_stream(), second = device_->make_stream();
  const auto started = device_->make_event(), done = device_->make_event();
  const auto executable = device_->load(artifact_of(ptx_kernel("delay")));
  std::int64_t *out = zeros(*first, 1), *warm = zeros(*first, 1);
  first->launch(*executable, {1, 1, 1}, joined({view_slots(warm, 1), {1000}}));
  first->synchronize();
  first->record(*started);
  first->launch(*executable, {1, 1, 1}, joined({view_slots(out, 1), {50'000'000}}));
  first->record(*done);
  EXPECT_FALSE(done->reached());
  EXPECT_EQ(error_code([&] { done->milliseconds_since(*started); }), 3305);
  second->wait(*done);
  EXPECT_EQ(download(*second, out, 1)[0], 1);
  EXPECT_TRUE(done->reached());
  const double milliseconds = done->milliseconds_since(*started);
  EXPECT_GE(milliseconds, 49);
  EXPECT_LE(milliseconds, 1000);
}

TEST_P(CudaDeviceTest, DestroyedStreamsHaveDoneTheirWork) {
  std::int64_t* out = nullptr;
  {
    const auto stream = device_->make_stream();
    out = zeros(*stream, 1);
    stream->launch(*device_->load(artifact_of(ptx_kernel("delay"))), {1, 1, 1}, joined({view_slots(out, 1), {20'000'000}}));
  }
  EXPECT_EQ(download(*device_->make_stream(), out, 1)[0], 1);
}

TEST_P(CudaDeviceTest, BlocksGetTheSharedMemoryOfTheirLaunch) {
  for (const std::uint64_t bytes : {std::uint64_t{1024}, std::uint64_t{64} << 10, device_->cuda_properties().shared_bytes_per_block}) {
    PtxKernel kernel = ptx_kernel("shared_reverse");
    kernel.launch.shared_bytes = bytes;
    const auto executable = device_->load(artifact_of(kernel));
    EXPECT_EQ(device_->usage(*executable).declared_shared_bytes, 0u);
    const auto stream = device_->make_stream();
    float* out = upload(*stream, std::vector<float>(128, -1));
    stream->launch(*executable, {1, 1, 1}, joined({view_slots(out, 128), {bytes}}));
    const auto values = download(*stream, out, 128);
    for (int i = 0; i < 128; ++i) EXPECT_EQ(values[i], static_cast<float>(127 - i)) << i << " with " << bytes;
  }
}

TEST_P(CudaDeviceTest, ProgramsRunOnClusters) {
  if (!device_->cuda_properties().clusters) GTEST_SKIP() << "the device has no clusters";
  for (const int blocks : {1, 2, 8, 16}) {
    PtxKernel kernel = ptx_kernel("cluster_rank");
    kernel.launch.cluster = blocks;
    const auto executable = device_->load(artifact_of(kernel));
    EXPECT_EQ(device_->usage(*executable).active_clusters > 0, blocks > 1);
    const auto stream = device_->make_stream();
    const auto count = static_cast<std::size_t>(5 * blocks);
    std::int64_t* out = upload(*stream, std::vector<std::int64_t>(count, -1));
    stream->launch(*executable, {5, 1, 1}, view_slots(out, count));
    const auto ranks = download(*stream, out, count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(ranks[i], static_cast<std::int64_t>(i) % blocks) << i << " in clusters of " << blocks;
  }
}

TEST_P(CudaDeviceTest, ProgrammaticLaunchesKeepTheirOrder) {
  if (device_->cuda_properties().capability_major < 9) GTEST_SKIP() << "the device has no programmatic launches";
  const auto stream = device_->make_cuda_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("add_one")));
  std::int64_t* x = zeros(*stream, 1);
  for (int i = 0; i < 200; ++i) stream->launch(*executable, {1, 1, 1}, view_slots(x, 1));
  EXPECT_EQ(download(*stream, x, 1)[0], 200);
  stream->begin_recording();
  for (int i = 0; i < 20; ++i) stream->launch(*executable, {1, 1, 1}, view_slots(x, 1));
  const auto graph = stream->end_recording();
  stream->launch(graph);
  EXPECT_EQ(download(*stream, x, 1)[0], 220);
}

TEST_P(CudaDeviceTest, LaunchesAddLittleToThoseOfTheLibrary) {
  const auto stream = device_->make_cuda_stream();
  const auto executable = device_->load(artifact_of(ptx_kernel("vector_add")));
  const auto& kernel = dynamic_cast<const cuda::CudaKernel&>(*executable);
  const cuda::CudaApi& api = kernel.context().api();
  const std::vector<std::uint64_t> slots = {0, 0, 1, 0, 0, 1, 0, 0, 1};
  cuda::CUlaunchAttribute attributes[2];
  const cuda::CUlaunchConfig config = cuda::launch_config(kernel, {1, 1, 1}, static_cast<cuda::CUstream>(stream->handle()), attributes);
  std::size_t bytes = slots.size() * sizeof slots[0];
  void* extra[] = {reinterpret_cast<void*>(cuda::CU_LAUNCH_PARAM_BUFFER_POINTER), const_cast<std::uint64_t*>(slots.data()),
                   reinterpret_cast<void*>(cuda::CU_LAUNCH_PARAM_BUFFER_SIZE), &bytes, reinterpret_cast<void*>(cuda::CU_LAUNCH_PARAM_END)};
  cuda::CUcontext popped = nullptr;
  ASSERT_EQ(api.cuCtxPushCurrent(kernel.context().handle()), cuda::CUDA_SUCCESS);
  // Nanoseconds of one launch; the least of many batches, each short enough for the device's queue.
  const auto measure = [&](auto launch) {
    constexpr int kLaunches = 200;
    double least = 1e9;
    for (int batch = 0; batch < 50; ++batch) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < kLaunches; ++i) launch();
      least = std::min(least, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kLaunches);
      stream->synchronize();
    }
    return least;
  };
  const double theirs = measure([&] { api.cuLaunchKernelEx(&config, kernel.function(), nullptr, extra); });
  const double ours = measure([&] { stream->launch(*executable, {1, 1, 1}, slots); });
  ASSERT_EQ(api.cuCtxPopCurrent(&popped), cuda::CUDA_SUCCESS);
  std::printf("a launch takes %.0f ns, %.0f ns of them in the library\n", ours, theirs);
  EXPECT_LE(ours - theirs, 200);
}

TEST_P(CudaDeviceTest, RunsWhatTheAssemblersMake) {
  std::string problem;
  const auto assembler = find_ptx_assembler(problem);
  if (!assembler) GTEST_SKIP() << problem;
  const PtxKernel kernel = ptx_kernel("vector_add");
  PtxOptions options;
  options.target = device_->cuda_properties().target;
  const PtxSource source{"vector_add.ptx", kernel.text};
  Artifact artifact = artifact_of(kernel);
  artifact.code = assembler->assemble({&source, 1}, options).cubin;
  artifact.target = options.target;
  check_vector_add(artifact);
}

TEST_P(CudaDeviceTest, RunsWhatNvrtcMakes) {
  std::shared_ptr<const CudaCompiler> compiler;
  const Error error = error_of([&] { compiler = load_nvrtc(); });
  if (!compiler) GTEST_SKIP() << error.message();
  const CudaSource source{"vector_add.cu",
                          "struct View { float* data; long long size, stride; };\n"
                          "extern \"C\" __global__ void vector_add(View a, View b, View out) {\n"
                          "  const long long i = 128LL * blockIdx.x + threadIdx.x;\n"
                          "  if (i < out.size) out.data[i * out.stride] = a.data[i * a.stride] + b.data[i * b.stride];\n"
                          "}\n",
                          {}};
  const std::string& target = device_->cuda_properties().target;
  const std::string ptx = compiler->compile(source, target);
  Artifact artifact = artifact_of(ptx_kernel("vector_add"));
  artifact.code.assign(ptx.begin(), ptx.end());
  artifact.target = target;
  check_vector_add(artifact);
}

INSTANTIATE_TEST_SUITE_P(Cuda, CudaDeviceTest, ::testing::Values(std::string()), library_name);

}  // namespace
}  // namespace tilewright::testing
