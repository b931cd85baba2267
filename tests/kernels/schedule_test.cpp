// Schedules by hand, where the device has their level, against the reference in double precision: sizes that end within tiles, several programs, one loop of keys and many. Elsewhere the settings choose the same body.
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {
namespace {

class Schedules : public ::testing::TestWithParam<const char*> {
 protected:
  Settings with(const Settings& settings) const { return settings + Settings{{"schedule", GetParam()}}; }
};

TEST_P(Schedules, Matmul) {
  for (const char* dtype : {"bf16", "f16"}) expect_ok("matmul", with({{"m", "700"}, {"n", "1032"}, {"k", "520"}, {"dtype", dtype}}));
  expect_ok("matmul", with({{"m", "2048"}, {"n", "4096"}, {"k", "256"}, {"dtype", "bf16"}}));  // more tiles than programs that stay
  expect_ok("matmul", with({{"m", "300"}, {"n", "400"}, {"k", "528"}, {"dtype", "f8e4m3"}, {"b_transposed", "true"}}));
  expect_ok("matmul", with({{"m", "100"}, {"n", "101"}, {"k", "99"}, {"dtype", "bf16"}}));  // no boxes: the body
}

TEST_P(Schedules, FlashForward) {
  for (const char* dim : {"128", "64"}) {
    const Settings base = with({{"dtype", "bf16"}, {"dim", dim}, {"heads", "8"}, {"kv_heads", "2"}, {"block_k", "128"}, {"stages", "2"}});
    expect_ok("flash_forward", base + Settings{{"seq", "700"}, {"causal", "true"}});
    expect_ok("flash_forward", base + Settings{{"seq", "130"}, {"kv_seq", "1000"}, {"causal", "false"}});
    expect_ok("flash_forward", base + Settings{{"seq", "1500"}, {"causal", "true"}, {"window", "300"}});
  }
  expect_ok("flash_forward", with({{"dtype", "f16"}, {"dim", "128"}, {"seq", "400"}, {"kv_seq", "100"}, {"block_k", "64"}, {"stages", "3"}, {"causal", "true"}}));  // rows that see no key
}

TEST_P(Schedules, FlashDecode) {
  for (const char* dtype : {"bf16", "f16"}) {
    const Settings base = with({{"dtype", dtype}, {"dim", "128"}, {"heads", "32"}, {"kv_heads", "2"}, {"batch", "2"}});
    expect_ok("flash_decode", base + Settings{{"context", "3000"}, {"stages", "5"}});
    expect_ok("flash_decode", base + Settings{{"context", "1000"}, {"value_dim", "64"}, {"seq", "3"}, {"block_k", "32"}});
    expect_ok("flash_decode", base + Settings{{"context", "40"}, {"heads", "2"}, {"seq", "50"}});                           // rows that see no key
    expect_ok("flash_decode", base + Settings{{"context", "500"}, {"lengths", "300,500"}});                                 // parts of a tensor: the body
    expect_ok("flash_decode", base + Settings{{"context", "500"}, {"heads", "6"}});                                         // three heads a group: the body
  }
}

TEST_P(Schedules, NsaSelected) {
  for (const char* dtype : {"bf16", "f16"}) {
    const Settings base = with({{"dtype", dtype}, {"dim", "128"}, {"heads", "32"}, {"kv_heads", "2"}, {"block_size", "64"}, {"slots", "16"}, {"warps", "1"}, {"stages", "5"}});
    expect_ok("nsa_selected_forward", base + Settings{{"seq", "2000"}, {"batch", "2"}});
    expect_ok("nsa_selected_forward", base + Settings{{"seq", "1001"}, {"redraw", "0.1"}, {"programs", "7"}});
    expect_ok("nsa_selected_forward", base + Settings{{"seq", "500"}, {"dim", "64"}, {"block_size", "32"}, {"slots", "5"}});
    expect_ok("nsa_selected_forward", base + Settings{{"seq", "300"}, {"heads", "16"}});  // eight heads a group: the body
  }
}

INSTANTIATE_TEST_SUITE_P(ByHand, Schedules, ::testing::Values("1", "2"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tilewright::kernels::testing
