// Whether code made elsewhere runs here: against what the C++ compiler's own run-time check says of this processor.
#include "runtime/drivers/cpu/processor.h"
#include "runtime/drivers/cpu/cpu_driver.h"

#include <gtest/gtest.h>

namespace tilewright::testing {
namespace {

TEST(Processor, AgreesWithTheCompilersOwnCheck) {
#define TILEWRIGHT_EXPECT_FEATURE(name) EXPECT_EQ(missing_feature("host", "cpu +" name).empty(), __builtin_cpu_supports(name) != 0) << name
  TILEWRIGHT_EXPECT_FEATURE("sse2");
  TILEWRIGHT_EXPECT_FEATURE("ssse3");
  TILEWRIGHT_EXPECT_FEATURE("sse4.1");
  TILEWRIGHT_EXPECT_FEATURE("sse4.2");
  TILEWRIGHT_EXPECT_FEATURE("sse4a");
  TILEWRIGHT_EXPECT_FEATURE("popcnt");
  TILEWRIGHT_EXPECT_FEATURE("avx");
  TILEWRIGHT_EXPECT_FEATURE("avx2");
  TILEWRIGHT_EXPECT_FEATURE("fma");
  TILEWRIGHT_EXPECT_FEATURE("fma4");
  TILEWRIGHT_EXPECT_FEATURE("xop");
  TILEWRIGHT_EXPECT_FEATURE("bmi");
  TILEWRIGHT_EXPECT_FEATURE("bmi2");
  TILEWRIGHT_EXPECT_FEATURE("lzcnt");
  TILEWRIGHT_EXPECT_FEATURE("f16c");
  TILEWRIGHT_EXPECT_FEATURE("gfni");
  TILEWRIGHT_EXPECT_FEATURE("vaes");
  TILEWRIGHT_EXPECT_FEATURE("avx512f");
  TILEWRIGHT_EXPECT_FEATURE("avx512bw");
  TILEWRIGHT_EXPECT_FEATURE("avx512vl");
  TILEWRIGHT_EXPECT_FEATURE("avx512vnni");
  TILEWRIGHT_EXPECT_FEATURE("avx512bf16");
#undef TILEWRIGHT_EXPECT_FEATURE
  EXPECT_EQ(missing_feature("x86-64-v2", "").empty(), __builtin_cpu_supports("x86-64-v2") != 0);
  EXPECT_EQ(missing_feature("x86-64-v3", "").empty(), __builtin_cpu_supports("x86-64-v3") != 0);
  EXPECT_EQ(missing_feature("x86-64-v4", "x86-64-v4 -prefer-256-bit").empty(), __builtin_cpu_supports("x86-64-v4") != 0);
}

TEST(Processor, NamesWhatIsMissing) {
  EXPECT_EQ(missing_feature("host", "future +sse2,+teleport,-avx2,+avx9000"), "teleport");
  EXPECT_EQ(missing_feature("host", "future +sse2 -teleport,-avx2"), "");
  EXPECT_EQ(missing_feature("host", "cpu +sse2,+rdrnd,+xsaves,+shstk"), "");  // in no kernel's code
  EXPECT_EQ(missing_feature("host", ""), "");
  EXPECT_EQ(missing_feature("sm_90a", "sm_90a +ptx90"), "sm_90a");
  EXPECT_EQ(missing_feature("x86-64-v2", "x86-64-v2 +teleport"), "teleport");
}

TEST(Processor, TheDevicePrefersCodeMadeForTheMachine) {
  const auto device = make_cpu_driver()->open(0);
  EXPECT_GT(device->suits("host", "cpu +sse2"), device->suits("x86-64-v2", "x86-64-v2"));
  if (device->suits("x86-64-v3", "x86-64-v3") >= 0) {
    EXPECT_GT(device->suits("x86-64-v3", "x86-64-v3"), device->suits("x86-64-v2", "x86-64-v2"));
  }
  EXPECT_GE(device->suits("x86-64-v2", "x86-64-v2"), 0);
  EXPECT_LT(device->suits("host", "future +teleport"), 0);
  EXPECT_LT(device->suits("sm_90a", "sm_90a"), 0);
}

}  // namespace
}  // namespace tilewright::testing
