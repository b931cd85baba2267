// The estimate of resident blocks, against figures of NVIDIA's occupancy calculator.
#include "compiler/targets/nvidia/occupancy.h"

#include "runtime/support/error.h"

#include <gtest/gtest.h>

namespace tilewright::nvidia {
namespace {

void expect_occupancy(const char* target, int threads, int registers, std::uint64_t shared_bytes, int blocks, const std::string& limit) {
  const Occupancy found = occupancy(resolve_target(target), threads, registers, shared_bytes);
  EXPECT_EQ(found.blocks, blocks) << target << " " << threads << " " << registers << " " << shared_bytes;
  EXPECT_EQ(found.limit, limit) << target << " " << threads << " " << registers << " " << shared_bytes;
  EXPECT_DOUBLE_EQ(found.fraction, double(blocks) * threads / resolve_target(target).threads_per_multiprocessor);
}

TEST(Occupancy, IsWhatRunsOutFirst) {
  expect_occupancy("sm_90a", 256, 32, 0, 8, "threads");
  expect_occupancy("sm_90a", 32, 16, 0, 32, "blocks");
  expect_occupancy("sm_90a", 128, 255, 0, 2, "registers");
  expect_occupancy("sm_90a", 128, 168, 0, 3, "registers");
  expect_occupancy("sm_90a", 384, 168, 0, 1, "registers");
  expect_occupancy("sm_90a", 128, 64, 100 << 10, 2, "shared memory");
  expect_occupancy("sm_90a", 128, 64, 227 << 10, 1, "shared memory");
  expect_occupancy("sm_80", 1024, 64, 0, 1, "registers");
  expect_occupancy("sm_80", 128, 40, 40 << 10, 4, "shared memory");
  expect_occupancy("sm_86", 512, 32, 0, 3, "threads");
  expect_occupancy("sm_89", 32, 24, 0, 24, "blocks");
  expect_occupancy("sm_86", 128, 32, 49 << 10, 2, "shared memory");
}

TEST(NvidiaTarget, UnknownNamesListTheKnownOnes) {
  try {
    resolve_target("sm_42");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 2001);
    ASSERT_EQ(error.helps().size(), 1u);
    EXPECT_EQ(error.helps()[0], "known targets: sm_80, sm_86, sm_89, sm_90a, sm_100a");
  }
}

}  // namespace
}  // namespace tilewright::nvidia
