// Memory of host devices: what is kept, what is handed out again, what goes back to the system.
#include "runtime/drivers/host_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace tilewright {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(HostMemory, BlocksAreAlignedAndDoNotOverlap) {
  HostMemory memory(64 * kMiB);
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, HostMemory::kLarge - 1, HostMemory::kLarge, 2 * kMiB - 1, 2 * kMiB, 5 * kMiB + 3}) {
    auto* block = static_cast<char*>(memory.allocate(bytes));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 256, 0u);
    std::memset(block, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto [block, bytes] = blocks[i];
    for (std::size_t at = 0; at < bytes; ++at) ASSERT_EQ(block[at], static_cast<char>(i));
    memory.release(block);
  }
}

TEST(HostMemory, TheBlockReleasedLastIsHandedOutAgain) {
  HostMemory memory(64 * kMiB);
  void* first = memory.allocate(4 * kMiB);
  void* second = memory.allocate(4 * kMiB);
  EXPECT_NE(first, second);
  memory.release(second);
  memory.release(first);
  EXPECT_EQ(memory.idle(), 8 * kMiB);
  EXPECT_EQ(memory.allocate(4 * kMiB - 100), first);
  EXPECT_EQ(memory.allocate(4 * kMiB), second);
  EXPECT_EQ(memory.idle(), 0u);
  memory.release(first);
  memory.release(second);
}

TEST(HostMemory, ABlockServesNoMuchSmallerRequest) {
  HostMemory memory(64 * kMiB);
  void* large = memory.allocate(10 * kMiB);
  memory.release(large);
  void* small = memory.allocate(8 * kMiB - 1);
  EXPECT_NE(small, large);
  EXPECT_EQ(memory.allocate(8 * kMiB), large);
  memory.release(small);
  memory.release(large);
}

TEST(HostMemory, BeyondTheLimitTheOldestGoBack) {
  HostMemory memory(9 * kMiB);
  void* blocks[] = {memory.allocate(4 * kMiB), memory.allocate(4 * kMiB), memory.allocate(4 * kMiB)};
  for (void* block : blocks) memory.release(block);
  EXPECT_EQ(memory.idle(), 8 * kMiB);
  EXPECT_EQ(memory.allocate(4 * kMiB), blocks[2]);
  EXPECT_EQ(memory.allocate(4 * kMiB), blocks[1]);
  EXPECT_EQ(memory.idle(), 0u);
  memory.release(blocks[1]);
  memory.release(blocks[2]);
  void* huge = memory.allocate(10 * kMiB);
  memory.release(huge);
  EXPECT_EQ(memory.idle(), 0u);
}

TEST(HostMemory, SmallBlocksAreNotKept) {
  HostMemory memory(64 * kMiB);
  memory.release(memory.allocate(HostMemory::kLarge - 1));
  memory.release(nullptr);
  EXPECT_EQ(memory.idle(), 0u);
}

TEST(HostMemory, WhatCannotBeHadIsNull) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator ends the process";
#endif
  HostMemory memory(64 * kMiB);
  EXPECT_EQ(memory.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(memory.allocate(std::size_t{1} << 62), nullptr);
}

TEST(HostMemory, ThreadsGetBlocksOfTheirOwn) {
  HostMemory memory(3 * kMiB);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&memory, t] {
      for (int i = 0; i < 200; ++i) {
        auto* block = static_cast<unsigned char*>(memory.allocate(kMiB + 1024 * (i % 7)));
        block[0] = block[kMiB - 1] = static_cast<unsigned char>(t);
        std::this_thread::yield();
        EXPECT_EQ(block[0], t);
        EXPECT_EQ(block[kMiB - 1], t);
        memory.release(block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(memory.idle(), 3 * kMiB);
}

}  // namespace
}  // namespace tilewright
