// What a launch of a kernel with 20 arguments and one program costs on the host, beside the driver's own in the same process: on the CPU a direct call of the compiled function, on an NVIDIA GPU
// cuLaunchKernelEx with everything it takes made before.
//
//   tilewright_launch_bench [--device=cpu|cuda:N] [options of Google Benchmark]
#include "dsl/program/builder.h"
#include "runtime/drivers/cpu/object_code.h"
#include "runtime/drivers/cuda/cuda_kernel.h"
#include "runtime/session.h"
#include "runtime/support/error.h"
#include "tests/runtime/test_kernels.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tilewright {
namespace {

using namespace cuda;  // the names of the library

constexpr std::size_t kViews = 13, kScalars = 7, kSlots = 3 * kViews + kScalars;

std::shared_ptr<const program::Program> twenty_arguments() {
  program::Builder builder("twenty");
  for (std::size_t i = 0; i < kViews; ++i)
    builder.add_param("x" + std::to_string(i), i == 0 ? program::ParamKind::Output : program::ParamKind::Input, {DType::F32, {-1}, true});
  for (std::size_t i = 0; i < kScalars; ++i) builder.add_param("s" + std::to_string(i), program::ParamKind::Scalar, {DType::I64, {}, false});
  builder.begin_grid();
  builder.end_grid({builder.integer(DType::I64, 1)});
  return std::make_shared<const program::Program>(std::move(builder).finish());
}

Artifact artifact_for(const Device& device) {
  Artifact artifact;
  artifact.kernel = artifact.entry = "twenty";
  artifact.program = twenty_arguments();
  if (device.properties().host_memory) {
    artifact.target = "host";
    artifact.code = testing::native_object("native_kernels");
    return artifact;
  }
  // Returns at once: the time is the launch's alone.
  const std::string ptx = ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry twenty(.param .align 8 .b8 args[" +
                          std::to_string(8 * kSlots) + "]) { ret; }\n";
  artifact.target = "sm_80";
  artifact.code.assign(ptx.begin(), ptx.end());
  artifact.launch.threads = 32;
  return artifact;
}

class Bench {
 public:
  explicit Bench(const std::string& name)
      : device_(open_device(name)), executable_(device_->load(artifact_for(*device_))), stream_(device_->make_stream()) {
    memory_ = device_->allocate(4 * kViews);
    stream_->fill(memory_, 0, 4 * kViews);
    stream_->synchronize();
    for (std::size_t i = 0; i < kViews; ++i) {
      slots_[3 * i] = reinterpret_cast<std::uintptr_t>(static_cast<char*>(memory_) + 4 * i);
      slots_[3 * i + 1] = slots_[3 * i + 2] = 1;
    }
    for (std::size_t i = 0; i < kScalars; ++i) slots_[3 * kViews + i] = i;
    bound_ = stream_->bind(*executable_, {1, 1, 1}, slots_);
    if (device_->properties().host_memory) prepare_call();
    else prepare_driver();
  }
  ~Bench() { device_->release(memory_); }

  // The driver's own.
  void direct() { direct_(); }
  void bound() { bound_->run(); }
  void launch() { stream_->launch(*executable_, {1, 1, 1}, slots_); }
  void synchronize() { stream_->synchronize(); }
  // Few enough for the queue of a stream.
  int batch() const { return device_->properties().host_memory ? 10'000 : 256; }

 private:
  void prepare_call() {
    code_ = load_object(executable_->artifact(), entry_);
    direct_ = [this] {
      static constexpr std::int64_t kId[3] = {0, 0, 0}, kGrid[3] = {1, 1, 1};
      entry_(slots_.data(), kId, kGrid, scratch_);
    };
  }

  void prepare_driver() {
    const auto& kernel = dynamic_cast<const CudaKernel&>(*executable_);
    config_.grid_x = config_.grid_y = config_.grid_z = 1;
    config_.block_x = 32;
    config_.block_y = config_.block_z = 1;
    config_.stream = static_cast<CUstream>(dynamic_cast<CudaStream&>(*stream_).handle());
    launch_ = kernel.context().api().cuLaunchKernelEx;
    function_ = kernel.function();
    extra_ = {word(CU_LAUNCH_PARAM_BUFFER_POINTER), slots_.data(), word(CU_LAUNCH_PARAM_BUFFER_SIZE), &bytes_, word(CU_LAUNCH_PARAM_END)};
    context_.emplace(kernel.context());  // current, as it is for a program that uses the driver itself
    direct_ = [this] {
      if (launch_(&config_, function_, nullptr, extra_.data()) != CUDA_SUCCESS) throw Error(9999, "cuLaunchKernelEx failed");
    };
  }

  static void* word(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

  std::shared_ptr<Device> device_;
  std::shared_ptr<Executable> executable_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<BoundLaunch> bound_;
  void* memory_ = nullptr;
  std::array<std::uint64_t, kSlots> slots_{};
  std::function<void()> direct_;

  std::shared_ptr<void> code_;
  CpuEntry entry_ = nullptr;
  alignas(64) char scratch_[sizeof(ScratchPrefix)] = {};

  decltype(CudaApi::cuLaunchKernelEx) launch_ = nullptr;
  CUfunction function_ = nullptr;
  CUlaunchConfig config_{};
  std::array<void*, 5> extra_{};
  std::size_t bytes_ = 8 * kSlots;
  std::optional<ContextScope> context_;
};

// Seconds that one launch takes, over a batch.
template <class Launch>
double time_batch(Bench& bench, Launch launch) {
  const int count = bench.batch();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) launch();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / count;
  bench.synchronize();
  return seconds;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Launches in their three ways by turns, so that what else the machine does falls on all; the median of each.
struct Times {
  double direct = 0, bound = 0, launch = 0;
};

Times measure(Bench& bench) {
  constexpr int kTurns = 51;
  std::vector<double> direct, bound, launch;
  for (int turn = 0; turn < kTurns; ++turn) {
    direct.push_back(time_batch(bench, [&] { bench.direct(); }));
    bound.push_back(time_batch(bench, [&] { bench.bound(); }));
    launch.push_back(time_batch(bench, [&] { bench.launch(); }));
  }
  return {median(direct), median(bound), median(launch)};
}

void add_benchmarks(Bench& bench) {
  const auto add = [&bench](const char* name, double (*of)(const Times&)) {
    benchmark::RegisterBenchmark(name,
                                 [&bench, of](benchmark::State& state) {
                                   for (auto _ : state) state.SetIterationTime(of(measure(bench)));
                                 })
        ->UseManualTime()
        ->Iterations(1)
        ->Repetitions(15)
        ->ReportAggregatesOnly(true)
        ->Unit(benchmark::kNanosecond);
  };
  add("direct", [](const Times& times) { return times.direct; });
  add("bound", [](const Times& times) { return times.bound; });
  add("launch", [](const Times& times) { return times.launch; });
  add("bound_minus_direct", [](const Times& times) { return times.bound - times.direct; });
}

int run(int argc, char** argv) {
  std::string device = "cpu";
  constexpr std::string_view kDevice = "--device=";
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).substr(0, kDevice.size()) != kDevice) continue;
    device = argv[i] + kDevice.size();
    std::copy(argv + i + 1, argv + argc + 1, argv + i);
    --argc;
    break;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Bench bench(device);
  benchmark::AddCustomContext("device", device);
  add_benchmarks(bench);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace tilewright

int main(int argc, char** argv) {
  try {
    return tilewright::run(argc, argv);
  } catch (const tilewright::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
