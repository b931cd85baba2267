// What a bound launch allocates: nothing. Every call of malloc in this process is counted.
#include "runtime/drivers/cpu/cpu_driver.h"
#include "runtime/session.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
std::atomic<std::uint64_t> allocations{0};
}

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  ++allocations;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? 12 : 0;  // ENOMEM
}
}

namespace tilewright::testing {
namespace {

std::uint64_t allocations_of(const std::function<void()>& work) {
  const std::uint64_t before = allocations;
  work();
  return allocations - before;
}

class LaunchCost : public ::testing::Test {
 protected:
  static HostTensor ramp() {
    HostTensor x(DType::F32, {6400});
    for (std::int64_t i = 0; i < 6400; ++i) x.set(i, static_cast<double>(i));
    return x;
  }

  PreparedLaunch prepare(std::int64_t elements) {
    TensorView in = in_.view(), out = out_.view();
    in.sizes[0] = out.sizes[0] = elements;
    const Argument arguments[] = {in, out, 3.0};
    return session_->prepare(axpb_kernel(), arguments, {{"b", 1}});
  }

  std::shared_ptr<Device> device_ = open_device("cpu");
  std::unique_ptr<Session> session_ = make_session(device_, std::make_shared<NativeCompiler>());
  DeviceTensor in_ = session_->upload(ramp()), out_ = session_->upload(ramp());
  std::unique_ptr<Stream> stream_ = device_->make_stream();
};

TEST_F(LaunchCost, TheCounterCounts) {
  EXPECT_GE(allocations_of([] { std::free(std::malloc(10)); }), 1u);
  EXPECT_GE(allocations_of([] { HostTensor(DType::F32, {1000}); }), 1u);
}

TEST_F(LaunchCost, ABoundLaunchOfOneProgramAllocatesNothing) {
  const PreparedLaunch prepared = prepare(64);
  ASSERT_EQ(prepared.grid, (GridSize{1, 1, 1}));
  const auto bound = prepared.bind(*stream_);
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) bound->run();
              stream_->synchronize();
            }),
            0u);
  EXPECT_EQ(session_->download(out_.view()).at(63), 3 * 63 + 1);
}

// Longer grids are handed to the threads of TBB, whose tasks come from pools of its own: nothing is allocated once these are filled, whatever the number of arguments or programs.
TEST_F(LaunchCost, LongGridsAllocateHardlyAnything) {
  const PreparedLaunch prepared = prepare(6400);
  const auto bound = prepared.bind(*stream_);
  for (int i = 0; i < 100; ++i) bound->run();
  EXPECT_LT(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) bound->run();
            }),
            100u);
}

}  // namespace
}  // namespace tilewright::testing

#endif
