// What is particular to one driver: the CPU's scratch and scheduling, the null device's records and checks.
#include "runtime/arguments.h"
#include "runtime/drivers/cpu/cpu_driver.h"
#include "runtime/drivers/cpu/program_queue.h"
#include "runtime/drivers/null/null_driver.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <mutex>
#include <set>
#include <thread>

namespace tilewright::testing {
namespace {

TEST(ProgramQueue, HandsOutEveryProgramOnce) {
  for (std::int64_t programs : {std::int64_t{1}, std::int64_t{2}, std::int64_t{63}, std::int64_t{1000}, std::int64_t{65537}}) {
    for (int workers : {1, 2, 16}) {
      ProgramQueue queue(programs, workers);
      std::int64_t first = 0, last = 0, next = 0, chunks = 0;
      while (queue.take(first, last)) {
        ASSERT_EQ(first, next);
        ASSERT_GT(last, first);
        ASSERT_LE(last, programs);
        ASSERT_LE(last - first, std::max<std::int64_t>(1, (programs - first) / (8 * workers)));
        next = last;
        ++chunks;
      }
      EXPECT_EQ(next, programs);
      EXPECT_FALSE(queue.take(first, last));
      EXPECT_LE(chunks, 8 * workers * 12);
    }
  }
}

TEST(ProgramQueue, CountsBeyond32Bits) {
  const std::int64_t programs = std::int64_t{5} << 40;
  ProgramQueue queue(programs, 4);
  std::int64_t first = 0, last = 0, next = 0;
  while (queue.take(first, last)) {
    ASSERT_EQ(first, next);
    next = last;
  }
  EXPECT_EQ(next, programs);
}

TEST(ProgramQueue, CloseEndsIt) {
  ProgramQueue queue(100, 2);
  std::int64_t first = 0, last = 0;
  EXPECT_TRUE(queue.take(first, last));
  queue.close();
  EXPECT_FALSE(queue.take(first, last));
}

// A kernel that looks at its scratch.
struct ScratchProbe {
  std::mutex mutex;
  std::set<const char*> buffers;
  std::set<std::thread::id> threads;
  bool aligned = true, callbacks_set = true, poisoned = true;
};
ScratchProbe* probe = nullptr;
constexpr std::size_t kProbeBytes = 64 + 1000;

void probe_entry(const std::uint64_t*, const std::int64_t*, const std::int64_t*, char* scratch) {
  ScratchPrefix prefix;
  std::memcpy(&prefix, scratch, sizeof prefix);
  std::lock_guard lock(probe->mutex);
  probe->aligned &= reinterpret_cast<std::uintptr_t>(scratch) % 64 == 0;
  probe->callbacks_set &= prefix.callbacks.assert_failed != nullptr;
  if (probe->buffers.insert(scratch).second) {
    for (std::size_t i = sizeof(ScratchPrefix); i < kProbeBytes; ++i) probe->poisoned &= static_cast<unsigned char>(scratch[i]) == 0xFF;
  }
  probe->threads.insert(std::this_thread::get_id());
  std::memset(scratch + sizeof(ScratchPrefix), 1, kProbeBytes - sizeof(ScratchPrefix));
}

TEST(CpuDriver, ScratchIsAlignedPoisonedAndOneAThread) {
  ScratchProbe seen;
  probe = &seen;
  const auto load = [](const Artifact&, CpuEntry& entry) {
    entry = probe_entry;
    return std::shared_ptr<void>();
  };
  const auto device = make_cpu_driver({2, true}, load)->open(0);
  Artifact artifact;
  artifact.kernel = "probe";
  artifact.target = "host";
  artifact.code = {'x'};
  artifact.scratch_bytes = kProbeBytes;
  artifact.program = std::make_shared<const program::Program>();
  const auto executable = device->load(artifact);
  const auto stream = device->make_stream();
  for (int i = 0; i < 50; ++i) stream->launch(*executable, {200, 1, 1}, {});
  stream->synchronize();
  EXPECT_TRUE(seen.aligned);
  EXPECT_TRUE(seen.callbacks_set);
  EXPECT_TRUE(seen.poisoned);
  EXPECT_LE(seen.buffers.size(), seen.threads.size());  // reused, never one a launch
}

// Long enough for every thread to take part.
TEST(CpuDriver, LongGridsRunEveryProgramOnce) {
  const auto device = make_cpu_driver()->open(0);
  const program::Type scalar{DType::I64, {}, false};
  const program::CallFacts facts{{{DType::I64, {-1}, true}, scalar, scalar, scalar}, std::vector<program::ArgumentFacts>(4), {}};
  const auto executable = device->load(NativeCompiler().compile(std::make_shared<const program::Program>(count_kernel().trace(facts)), {}));
  const GridSize grid{1001, 13, 17};
  std::vector<std::int64_t> out(1001 * 13 * 17, 0);
  const auto stream = device->make_stream();
  for (int i = 0; i < 3; ++i) stream->launch(*executable, grid, std::vector<std::uint64_t>{reinterpret_cast<std::uintptr_t>(out.data()), out.size(), 1, 1001, 13, 17});
  stream->synchronize();
  for (std::size_t n = 0; n < out.size(); ++n) ASSERT_EQ(out[n], 3 * static_cast<std::int64_t>(n + 1));
}

TEST(CpuDriver, CodeWithoutItsEntryIsAnError) {
  const auto load = [](const Artifact&, CpuEntry&) { return std::shared_ptr<void>(); };
  const auto device = make_cpu_driver({}, load)->open(0);
  Artifact artifact;
  artifact.kernel = "k";
  artifact.entry = "missing";
  artifact.target = "host";
  artifact.code = {'x'};
  artifact.program = std::make_shared<const program::Program>();
  expect_error(3303, {"'k'", "'missing'"}, [&] { device->load(artifact); });
}

TEST(CpuDriver, NegativeThreadsAreAnError) { EXPECT_EQ(error_code([] { make_cpu_driver({-1, false}); }), 3002); }

class NullDriver : public ::testing::Test {
 protected:
  std::shared_ptr<Executable> load_copy() {
    Artifact artifact;
    artifact.kernel = "copy";
    artifact.program = std::make_shared<const program::Program>(
        copy_kernel().trace({{{DType::F32, {-1, -1}, true}, {DType::F32, {-1, -1}, true}}, std::vector<program::ArgumentFacts>(2), {}}));
    return device_->load(artifact);
  }

  static TensorView matrix(void* data, std::int64_t rows, std::int64_t columns) {
    const std::int64_t shape[] = {rows, columns};
    return TensorView::contiguous(data, DType::F32, shape);
  }

  void launch(const TensorView& x, const TensorView& y) {
    const auto executable = load_copy();
    const Argument arguments[] = {x, y};
    stream_->launch(*executable, {1, 2, 3}, pack_arguments(*executable->artifact().program, arguments));
  }

  std::shared_ptr<NullDevice> device_ = open_null_device();
  std::unique_ptr<Stream> stream_ = device_->make_stream();
};

TEST_F(NullDriver, RecordsLaunchesAndLoads) {
  void* memory = device_->allocate(4 * 4 * 4);
  launch(matrix(memory, 4, 4), matrix(memory, 2, 2));
  ASSERT_EQ(device_->launches().size(), 1u);
  const NullLaunch launch = device_->launches()[0];
  EXPECT_EQ(launch.kernel, "copy");
  EXPECT_EQ(launch.grid, (GridSize{1, 2, 3}));
  EXPECT_EQ(launch.arguments.size(), 10u);
  EXPECT_EQ(launch.arguments[1], 4u);
  EXPECT_EQ(launch.program->name, "copy");
  EXPECT_EQ(device_->programs().size(), 1u);
  device_->release(memory);
}

TEST_F(NullDriver, MemoryStartsAsZeros) {
  void* memory = device_->allocate(1000);
  std::vector<char> values(1000, 1);
  stream_->copy_to_host(values.data(), memory, 1000);
  EXPECT_EQ(values, std::vector<char>(1000, 0));
  device_->release(memory);
}

TEST_F(NullDriver, RefusesViewsOutsideItsMemory) {
  auto* memory = static_cast<float*>(device_->allocate(16 * sizeof(float)));
  float elsewhere[16];
  const TensorView good = matrix(memory, 4, 4);
  expect_error(3304, {"'copy'", "'x'"}, [&] { launch(matrix(elsewhere, 4, 4), good); });
  expect_error(3304, {"'copy'", "'y'"}, [&] { launch(good, matrix(memory, 4, 5)); });
  expect_error(3304, {"'y'"}, [&] { launch(good, matrix(memory + 1, 4, 4)); });
  TensorView backwards = matrix(memory + 15, 16, 1);
  backwards.strides[0] = -1;
  launch(backwards, good);
  backwards.data = memory + 14;
  expect_error(3304, {"'x'"}, [&] { launch(backwards, good); });
  TensorView huge = matrix(memory, 2, 2);
  huge.strides[0] = INT64_MAX;
  expect_error(3305, {"'x'"}, [&] { launch(huge, good); });
  huge.strides[0] = INT64_MAX / 8;
  expect_error(3304, {"'x'"}, [&] { launch(huge, good); });
  launch(matrix(nullptr, 0, 5), good);
  EXPECT_EQ(device_->launches().size(), 2u);
  device_->release(memory);
}

TEST_F(NullDriver, RefusesCopiesOutsideItsMemory) {
  char* memory = static_cast<char*>(device_->allocate(16));
  char host[32] = {};
  EXPECT_EQ(error_code([&] { stream_->copy_to_device(memory, host, 17); }), 3304);
  EXPECT_EQ(error_code([&] { stream_->copy_to_host(host, memory + 8, 9); }), 3304);
  EXPECT_EQ(error_code([&] { stream_->fill(host, 0, 1); }), 3304);
  device_->release(memory);
  EXPECT_EQ(error_code([&] { stream_->copy_to_device(memory, host, 1); }), 3304);
}

}  // namespace
}  // namespace tilewright::testing
