// The conformance suite of drivers: runtime/device.h, sentence by sentence.
#include "tests/runtime/conformance.h"

#include "runtime/arguments.h"
#include "runtime/drivers/cpu/cpu_driver.h"
#include "runtime/drivers/cuda/cuda_driver.h"
#include "runtime/drivers/null/null_driver.h"
#include "runtime/drivers/reference/reference_driver.h"
#include "tests/runtime/cuda_kernels.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <thread>

namespace tilewright::testing {
namespace {

class Conformance : public ::testing::TestWithParam<DriverCase> {
 protected:
  void SetUp() override {
    driver_ = GetParam().make_driver();
    if (driver_->enumerate().empty()) GTEST_SKIP() << error_of([this] { driver_->open(0); }).message();
    device_ = driver_->open(0);
  }

  std::shared_ptr<Executable> load(const BuiltKernel& kernel, const program::CallFacts& facts) {
    return device_->load(GetParam().make_artifact(std::make_shared<const program::Program>(kernel.trace(facts))));
  }

  // Device memory that lives as long as the test.
  void* memory(std::size_t bytes) {
    memory_.push_back(std::shared_ptr<void>(device_->allocate(bytes), [device = device_](void* p) { device->release(p); }));
    return memory_.back().get();
  }

  template <class T>
  T* upload(Stream& stream, const std::vector<T>& values) {
    T* there = static_cast<T*>(memory(values.size() * sizeof(T)));
    stream.copy_to_device(there, values.data(), values.size() * sizeof(T));
    stream.synchronize();  // `values` need not outlive this call
    return there;
  }

  template <class T>
  std::vector<T> download(Stream& stream, const T* there, std::size_t count) {
    std::vector<T> values(count);
    stream.copy_to_host(values.data(), there, count * sizeof(T));
    stream.synchronize();
    return values;
  }

  static program::CallFacts count_facts() {
    return {{{DType::I64, {-1}, true}, {DType::I64, {}, false}, {DType::I64, {}, false}, {DType::I64, {}, false}}, std::vector<program::ArgumentFacts>(4), {}};
  }

  static program::CallFacts bound_facts() { return {{{DType::I64, {-1}, true}, {DType::I64, {}, false}}, std::vector<program::ArgumentFacts>(2), {}}; }

  static std::vector<std::uint64_t> count_slots(void* out, std::int64_t size, const GridSize& grid) {
    return {reinterpret_cast<std::uintptr_t>(out), static_cast<std::uint64_t>(size), 1, static_cast<std::uint64_t>(grid[0]), static_cast<std::uint64_t>(grid[1]),
            static_cast<std::uint64_t>(grid[2])};
  }

  static std::vector<std::uint64_t> bound_slots(void* x, std::int64_t size, std::int64_t limit) {
    return {reinterpret_cast<std::uintptr_t>(x), static_cast<std::uint64_t>(size), 1, static_cast<std::uint64_t>(limit)};
  }

  bool runs() const { return GetParam().runs_kernels; }

  std::unique_ptr<Driver> driver_;
  std::shared_ptr<Device> device_;
  std::vector<std::shared_ptr<void>> memory_;
};

TEST_P(Conformance, EnumeratesWhatCanBeOpened) {
  const auto found = driver_->enumerate();
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name.rfind(driver_->name(), 0), 0u);
    EXPECT_FALSE(found[i].description.empty());
    EXPECT_GT(found[i].memory_bytes, 0u);
    EXPECT_GE(found[i].parallelism, 1);
    EXPECT_EQ(driver_->open(static_cast<int>(i))->properties().name, found[i].name);
  }
  EXPECT_EQ(error_code([&] { driver_->open(static_cast<int>(found.size())); }), 3301);
  EXPECT_EQ(error_code([&] { driver_->open(-1); }), 3301);
}

TEST_P(Conformance, MemoryIsAlignedAndDistinct) {
  std::vector<void*> blocks;
  for (std::size_t bytes : {0, 1, 7, 4096, 1 << 20}) blocks.push_back(memory(bytes));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    ASSERT_NE(blocks[i], nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks[i]) % 256, 0u);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(blocks[i], blocks[j]);
  }
  device_->release(nullptr);
}

TEST_P(Conformance, TooMuchMemoryIsAnErrorThatNamesTheSize) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator ends the process";
#endif
  const std::size_t bytes = std::size_t{1} << 60;
  expect_error(3302, {std::to_string(bytes), device_->properties().name}, [&] { device_->allocate(bytes); });
  expect_error(3302, {}, [&] { device_->allocate(SIZE_MAX); });
}

TEST_P(Conformance, OwnMemoryIsAccessible) {
  auto* block = static_cast<std::byte*>(memory(1000));
  EXPECT_TRUE(device_->accessible(block, 1000));
  EXPECT_TRUE(device_->accessible(block + 999, 1));
  EXPECT_TRUE(device_->accessible(block, 0));
}

TEST_P(Conformance, CopiesRoundTrip) {
  const auto stream = device_->make_stream();
  std::vector<unsigned char> bytes(100003);
  std::iota(bytes.begin(), bytes.end(), 0);
  unsigned char* there = upload(*stream, bytes);
  EXPECT_EQ(download(*stream, there, bytes.size()), bytes);
  EXPECT_EQ(download(*stream, there + 17, 5), std::vector<unsigned char>(bytes.begin() + 17, bytes.begin() + 22));
  stream->fill(there + 1, 0xAB, 3);
  EXPECT_EQ(download(*stream, there, 5), (std::vector<unsigned char>{0, 0xAB, 0xAB, 0xAB, 4}));
}

TEST_P(Conformance, ZeroBytesNeedNoPointers) {
  const auto stream = device_->make_stream();
  stream->copy_to_device(nullptr, nullptr, 0);
  stream->copy_to_host(nullptr, nullptr, 0);
  stream->fill(nullptr, 1, 0);
  stream->synchronize();
}

TEST_P(Conformance, CopiesFromNullAreErrors) {
  const auto stream = device_->make_stream();
  char host[8] = {};
  EXPECT_EQ(error_code([&] { stream->copy_to_device(nullptr, host, 8); }), 3304);
  EXPECT_EQ(error_code([&] { stream->copy_to_host(host, nullptr, 8); }), 3304);
  EXPECT_EQ(error_code([&] { stream->fill(nullptr, 0, 8); }), 3304);
}

TEST_P(Conformance, ExecutablesKeepTheirArtifact) {
  const auto executable = load(count_kernel(), count_facts());
  EXPECT_EQ(executable->artifact().kernel, "count");
  EXPECT_NE(executable->artifact().program, nullptr);
}

TEST_P(Conformance, RefusesForeignArtifacts) {
  if (!GetParam().make_foreign_artifact) GTEST_SKIP() << "takes any artifact";
  const auto program = std::make_shared<const program::Program>(count_kernel().trace(count_facts()));
  expect_error(3303, {"count"}, [&] { device_->load(GetParam().make_foreign_artifact(program)); });
}

TEST_P(Conformance, RefusesArtifactsWithoutProgram) {
  Artifact artifact = GetParam().make_artifact(std::make_shared<const program::Program>(count_kernel().trace(count_facts())));
  artifact.program = nullptr;
  EXPECT_EQ(error_code([&] { device_->load(artifact); }), 3303);
}

TEST_P(Conformance, RunsEveryProgramOnce) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  for (const GridSize& grid : {GridSize{1, 1, 1}, GridSize{7, 1, 1}, GridSize{1, 5, 1}, GridSize{1, 1, 3}, GridSize{3, 4, 5}, GridSize{17, 1, 9}, GridSize{101, 3, 2}}) {
    const std::int64_t count = grid[0] * grid[1] * grid[2];
    std::int64_t* out = upload(*stream, std::vector<std::int64_t>(static_cast<std::size_t>(count), 0));
    stream->launch(*executable, grid, count_slots(out, count, grid));
    std::vector<std::int64_t> expected(static_cast<std::size_t>(count), 0);
    if (runs()) std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(download(*stream, out, static_cast<std::size_t>(count)), expected);
  }
}

TEST_P(Conformance, EmptyGridsRunNothing) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(4, 5));
  for (const GridSize& grid : {GridSize{0, 1, 1}, GridSize{4, 0, 1}, GridSize{4, INT64_MAX, 0}}) stream->launch(*executable, grid, count_slots(out, 4, {4, 1, 1}));
  EXPECT_EQ(download(*stream, out, 4), std::vector<std::int64_t>(4, 5));
}

TEST_P(Conformance, ImpossibleGridsAreErrors) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(4, 0));
  const auto slots = count_slots(out, 4, {4, 1, 1});
  expect_error(3305, {"count", "[-1, 1, 1]"}, [&] { stream->launch(*executable, {-1, 1, 1}, slots); });
  expect_error(3305, {"count"}, [&] { stream->launch(*executable, {INT64_MAX, 2, 1}, slots); });
  expect_error(3305, {"count"}, [&] { stream->launch(*executable, {0, -5, 1}, slots); });
  EXPECT_EQ(download(*stream, out, 4), std::vector<std::int64_t>(4, 0));
}

TEST_P(Conformance, WrongNumberOfSlotsIsAnError) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  expect_error(3305, {"count", "6", "2"}, [&] { stream->launch(*executable, {1, 1, 1}, std::vector<std::uint64_t>{0, 0}); });
}

TEST_P(Conformance, WorkOfAStreamRunsInOrder) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(64, 0));
  for (int i = 0; i < 10; ++i) stream->launch(*executable, {64, 1, 1}, count_slots(out, 64, {64, 1, 1}));
  stream->fill(out, 0, 8 * sizeof(std::int64_t));
  stream->launch(*executable, {64, 1, 1}, count_slots(out, 64, {64, 1, 1}));
  const auto values = download(*stream, out, 64);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(values[i], runs() ? (i < 8 ? 1 : 11) * (i + 1) : 0) << i;
}

TEST_P(Conformance, BoundLaunchesRunAsOftenAsAsked) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  for (const GridSize& grid : {GridSize{1, 1, 1}, GridSize{3, 4, 5}, GridSize{101, 3, 2}}) {
    const std::int64_t count = grid[0] * grid[1] * grid[2];
    std::int64_t* out = upload(*stream, std::vector<std::int64_t>(static_cast<std::size_t>(count), 0));
    std::vector<std::uint64_t> slots = count_slots(out, count, grid);
    const auto bound = stream->bind(*executable, grid, slots);
    slots.assign(slots.size(), 0);  // they were copied
    EXPECT_EQ(download(*stream, out, 1)[0], 0);  // nothing has run
    for (int i = 0; i < 3; ++i) bound->run();
    std::vector<std::int64_t> expected(static_cast<std::size_t>(count), 0);
    for (std::int64_t n = 0; n < count && runs(); ++n) expected[n] = 3 * (n + 1);
    EXPECT_EQ(download(*stream, out, static_cast<std::size_t>(count)), expected);
  }
}

TEST_P(Conformance, BindingChecksWhatLaunchingWould) {
  const auto stream = device_->make_stream();
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(4, 5));
  const auto slots = count_slots(out, 4, {4, 1, 1});
  expect_error(3305, {"count", "6", "2"}, [&] { stream->bind(*executable, {1, 1, 1}, std::vector<std::uint64_t>{0, 0}); });
  expect_error(3305, {"count", "[-1, 1, 1]"}, [&] { stream->bind(*executable, {-1, 1, 1}, slots); });
  const auto elsewhere = GetParam().make_driver()->open(0)->load(GetParam().make_artifact(executable->artifact().program));
  EXPECT_EQ(error_code([&] { stream->bind(*elsewhere, {4, 1, 1}, slots); }), 3306);
  stream->bind(*executable, {4, 0, 1}, slots)->run();
  EXPECT_EQ(download(*stream, out, 4), std::vector<std::int64_t>(4, 5));
}

TEST_P(Conformance, BoundLaunchesReportEachFailedAssertionOnce) {
  if (!runs()) GTEST_SKIP() << "runs no kernels";
  const auto stream = device_->make_stream();
  const auto executable = load(bound_kernel(), bound_facts());
  std::vector<std::int64_t> values(10);
  std::iota(values.begin(), values.end(), 0);
  std::int64_t* x = upload(*stream, values);
  for (const std::int64_t programs : {1, 10}) {
    const auto good = stream->bind(*executable, {programs, 1, 1}, bound_slots(x, 10, 10)), bad = stream->bind(*executable, {programs, 1, 1}, bound_slots(x, 10, 0));
    for (int i = 0; i < 2; ++i) {
      bad->run();
      expect_error(3401, {"x is below the limit"}, [&] { stream->synchronize(); });
      good->run();
      stream->synchronize();
    }
  }
}

TEST_P(Conformance, StridedViewsAreFollowed) {
  const auto stream = device_->make_stream();
  const auto executable = load(copy_kernel(), {{{DType::F32, {-1, -1}, true}, {DType::F32, {-1, -1}, true}}, std::vector<program::ArgumentFacts>(2), {}});
  std::vector<float> x(3 * 40);
  std::iota(x.begin(), x.end(), 0.0f);
  float* from = upload(*stream, x);
  float* to = upload(*stream, std::vector<float>(3 * 40, -1));
  // The transpose of a 40 x 3 matrix, its rows read backwards.
  TensorView source;
  source.data = from + 2;
  source.rank = 2;
  source.sizes = {3, 37};
  source.strides = {-1, 3};
  TensorView target = source;
  target.data = to;
  target.strides = {40, 1};
  const Argument arguments[] = {source, target};
  stream->launch(*executable, {3, 3, 1}, pack_arguments(*executable->artifact().program, arguments));
  const auto y = download(*stream, to, x.size());
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 40; ++j) EXPECT_EQ(y[i * 40 + j], runs() && j < 37 ? x[2 - i + 3 * j] : -1) << i << ", " << j;
  }
}

TEST_P(Conformance, FailedAssertionsReachSynchronizeOnce) {
  if (!runs()) GTEST_SKIP() << "runs no kernels";
  const auto stream = device_->make_stream();
  const auto executable = load(bound_kernel(), bound_facts());
  std::vector<std::int64_t> x(50);
  std::iota(x.begin(), x.end(), 0);
  std::int64_t* there = upload(*stream, x);
  stream->launch(*executable, {50, 1, 1}, bound_slots(there, 50, 50));
  stream->synchronize();
  stream->launch(*executable, {50, 1, 1}, bound_slots(there, 50, 20));
  expect_error(3401, {"x is below the limit", "bound.cpp:7:3"}, [&] { stream->synchronize(); });
  stream->synchronize();
  stream->launch(*executable, {50, 1, 1}, bound_slots(there, 50, 50));
  stream->synchronize();
}

TEST_P(Conformance, EventsMeasureTime) {
  const auto stream = device_->make_stream();
  const auto first = device_->make_event(), second = device_->make_event();
  EXPECT_TRUE(first->reached());
  EXPECT_EQ(error_code([&] { second->milliseconds_since(*first); }), 3305);
  stream->record(*first);
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(1000, 0));
  stream->launch(*executable, {1000, 1, 1}, count_slots(out, 1000, {1000, 1, 1}));
  stream->record(*second);
  stream->wait(*second);
  stream->synchronize();
  EXPECT_TRUE(second->reached());
  EXPECT_GE(second->milliseconds_since(*first), 0);
  EXPECT_EQ(first->milliseconds_since(*first), 0);
}

TEST_P(Conformance, ObjectsOfAnotherDeviceAreErrors) {
  const auto other = driver_->open(0);
  const auto stream = other->make_stream();
  const auto event = device_->make_event();
  const auto executable = load(count_kernel(), count_facts());
  std::int64_t* out = upload(*device_->make_stream(), std::vector<std::int64_t>(1, 0));
  expect_error(3306, {"count"}, [&] { stream->launch(*executable, {1, 1, 1}, count_slots(out, 1, {1, 1, 1})); });
  EXPECT_EQ(error_code([&] { stream->record(*event); }), 3306);
  EXPECT_EQ(error_code([&] { stream->wait(*event); }), 3306);
  EXPECT_EQ(error_code([&] { other->make_event()->milliseconds_since(*event); }), 3306);
}

TEST_P(Conformance, StreamsOfSeveralThreadsRunAtOnce) {
  const auto executable = load(count_kernel(), count_facts());
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto stream = device_->make_stream();
      const std::int64_t size = 100 + t;
      void* block = device_->allocate(static_cast<std::size_t>(size) * 8);
      auto* out = static_cast<std::int64_t*>(block);
      stream->fill(out, 0, static_cast<std::size_t>(size) * 8);
      for (int i = 0; i < 20; ++i) stream->launch(*executable, {size, 1, 1}, count_slots(out, size, {size, 1, 1}));
      std::vector<std::int64_t> values(static_cast<std::size_t>(size));
      stream->copy_to_host(values.data(), out, values.size() * 8);
      stream->synchronize();
      for (std::int64_t i = 0; i < size; ++i) good[t] += values[static_cast<std::size_t>(i)] == (runs() ? 20 * (i + 1) : 0);
      device_->release(block);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(good[t], 100 + t);
}

TEST_P(Conformance, ObjectsOutliveTheDriverAndTheHandleOfTheDevice) {
  auto executable = load(count_kernel(), count_facts());
  auto stream = device_->make_stream();
  std::int64_t* out = upload(*stream, std::vector<std::int64_t>(3, 0));
  driver_.reset();
  device_.reset();
  stream->launch(*executable, {3, 1, 1}, count_slots(out, 3, {3, 1, 1}));
  EXPECT_EQ(download(*stream, out, 3), (runs() ? std::vector<std::int64_t>{1, 2, 3} : std::vector<std::int64_t>{0, 0, 0}));
}

// ---- the drivers of this machine

Artifact native_artifact(std::shared_ptr<const program::Program> program) { return NativeCompiler().compile(std::move(program), {}); }

Artifact program_artifact(std::shared_ptr<const program::Program> program) {
  Artifact artifact;
  artifact.kernel = program->name;
  artifact.target = "reference";
  artifact.program = std::move(program);
  return artifact;
}

INSTANTIATE_TEST_SUITE_P(Drivers, Conformance,
                         ::testing::Values(DriverCase{"cpu", [] { return make_cpu_driver(); }, native_artifact, program_artifact},
                                           DriverCase{"cpu_1_thread", [] { return make_cpu_driver({1, true}); }, native_artifact, program_artifact},
                                           DriverCase{"cpu_7_threads", [] { return make_cpu_driver({7, true}); }, native_artifact, program_artifact},
                                           DriverCase{"reference", [] { return make_reference_driver(reference_interpreter()); }, program_artifact, {}},
                                           DriverCase{"null", make_null_driver, program_artifact, {}, false},
                                           DriverCase{"cuda", [] { return make_cuda_driver(); }, ptx_artifact, program_artifact},
                                           DriverCase{"cuda_simulated", [] { return make_cuda_driver({TILEWRIGHT_CUDA_SIMULATION}); }, ptx_artifact, program_artifact}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tilewright::testing
