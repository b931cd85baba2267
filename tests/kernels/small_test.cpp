// Every operator on small problems: the shapes that break first.
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {
namespace {

class Small : public ::testing::TestWithParam<const char*> {
 protected:
  Settings with(Settings changes) const {
    changes.push_back({"dtype", GetParam()});
    return changes;
  }
};

TEST_P(Small, VectorAdd) {
  for (const char* size : {"1", "1000", "1025"}) expect_ok("vector_add", with({{"size", size}}));
}

TEST_P(Small, Softmax) {
  expect_ok("softmax", with({{"rows", "5"}, {"columns", "300"}}));
  expect_ok("softmax", with({{"rows", "17"}, {"columns", "1"}}));
}

TEST_P(Small, RmsNorm) { expect_ok("rms_norm", with({{"rows", "18"}, {"columns", "300"}})); }

TEST_P(Small, Matmul) {
  expect_ok("matmul", with({{"m", "70"}, {"n", "33"}, {"k", "100"}, {"block_m", "64"}, {"block_n", "64"}, {"block_k", "32"}}));
  expect_ok("matmul", with({{"m", "1"}, {"n", "1"}, {"k", "1"}, {"block_m", "64"}, {"block_n", "64"}}));
}

TEST_P(Small, FlashForward) {
  const Settings sizes = {{"seq", "70"}, {"heads", "2"}, {"kv_heads", "1"}, {"dim", "32"}, {"batch", "2"}, {"rows", "64"}};
  for (const Settings& mode : {Settings{}, Settings{{"causal", "false"}}, Settings{{"window", "9"}}, Settings{{"kv_seq", "90"}}, Settings{{"kv_seq", "50"}},
                               Settings{{"value_dim", "20"}}, Settings{{"seq", "1"}}}) {
    Settings all = sizes;
    all.insert(all.end(), mode.begin(), mode.end());
    expect_ok("flash_forward", with(all));
  }
  expect_ok("flash_forward", with({{"cu_seqlens", "0,15,15,16,80"}, {"heads", "3"}, {"kv_heads", "1"}, {"dim", "12"}}));
}

TEST_P(Small, FlashBackward) {
  const Settings sizes = {{"seq", "70"}, {"heads", "4"}, {"kv_heads", "2"}, {"dim", "32"}, {"batch", "2"}};
  for (const Settings& mode : {Settings{}, Settings{{"causal", "false"}}, Settings{{"window", "9"}}, Settings{{"kv_seq", "90"}}, Settings{{"kv_seq", "50"}}, Settings{{"value_dim", "20"}},
                               Settings{{"seq", "1"}}, Settings{{"lse_counts", "true"}}, Settings{{"scale", "-0.3"}}}) {
    expect_ok("flash_backward", with(sizes + mode));
  }
  for (const Settings& mode : {Settings{}, Settings{{"causal", "false"}}, Settings{{"window", "9"}}, Settings{{"kv_seq", "90"}}, Settings{{"kv_seq", "50"}}, Settings{{"value_dim", "20"}}, Settings{{"lse_counts", "true"}},
                               Settings{{"heads", "16"}, {"seq", "40"}}, Settings{{"dim", "20"}, {"block_n", "32"}}})
    expect_ok("flash_backward", with(sizes + mode + Settings{{"deterministic", "false"}}));
  expect_ok("flash_backward", with({{"cu_seqlens", "0,15,15,16,80"}, {"heads", "3"}, {"kv_heads", "1"}, {"dim", "12"}}));
}

TEST_P(Small, FlashDecode) {
  const Settings sizes = {{"context", "300"}, {"heads", "4"}, {"kv_heads", "2"}, {"dim", "32"}, {"batch", "2"}};
  for (const Settings& mode : {Settings{}, Settings{{"seq", "3"}}, Settings{{"lengths", "0,290"}}, Settings{{"lengths", "1,2"}, {"seq", "3"}}, Settings{{"splits", "1"}},
                               Settings{{"splits", "9"}}, Settings{{"value_dim", "20"}}, Settings{{"kv_heads", "4"}}, Settings{{"scale", "-0.3"}},
                               Settings{{"page", "16"}, {"lengths", "17,300"}}, Settings{{"page", "100"}, {"lengths", "5,201"}, {"seq", "2"}}, Settings{{"page", "7"}}}) {
    expect_ok("flash_decode", with(sizes + mode));
  }
}

TEST_P(Small, NsaCompress) {
  for (const char* pooling : {"mean", "weighted", "linear"}) {
    for (const char* positions : {"false", "true"}) {
      const Settings changes = {{"pooling", pooling}, {"positions", positions}, {"kv_heads", "2"}, {"dim", "12"}, {"batch", "2"}, {"seq", "75"}};
      Settings xl = changes, fla = changes;
      xl.insert(xl.end(), {{"preset", "xl"}, {"compress_length", "8"}, {"compress_stride", "4"}});
      fla.insert(fla.end(), {{"preset", "fla"}, {"block_size", "16"}});
      expect_ok("nsa_compress", with(xl));
      expect_ok("nsa_compress", with(fla));
      fla.push_back({"batch", "1"});
      fla.push_back({"cu_seqlens", "0,0,1,40,75"});
      expect_ok("nsa_compress", with(fla));
    }
  }
}

const Settings kTiny = {{"heads", "6"}, {"kv_heads", "2"}, {"dim", "12"}, {"block_size", "8"}, {"slots", "4"}, {"window", "10"}, {"rows", "32"}};
const std::vector<Settings> kGeometries = {{{"preset", "fla"}}, {{"preset", "xl"}, {"compress_length", "4"}, {"compress_stride", "2"}, {"block_c", "16"}}};
const std::vector<Settings> kSequences = {{{"seq", "100"}, {"batch", "2"}}, {{"seq", "1"}}, {{"seq", "33"}, {"kv_seq", "90"}}, {{"cu_seqlens", "0,15,15,16,100"}},
                                          {{"cu_seqlens", "0,3,4"}, {"cu_seqlens_k", "0,50,60"}}};

TEST_P(Small, Nsa) {
  for (const char* op : {"nsa_compressed_forward", "nsa_topk", "nsa_selected_forward", "nsa_window_forward", "nsa_forward"}) {
    for (const Settings& geometry : kGeometries) {
      for (const Settings& sequences : kSequences) {
        Settings all = kTiny;
        all.insert(all.end(), geometry.begin(), geometry.end());
        all.insert(all.end(), sequences.begin(), sequences.end());
        expect_ok(op, with(all));
      }
    }
  }
}

TEST_P(Small, Gsa) {
  for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) {
    const Settings sizes = {{"heads", "2"}, {"dim", "12"}, {"value_dim", "10"}, {"slots", "6"}, {"seq", "37"}, {"batch", "2"}};
    for (const Settings& mode : {Settings{}, Settings{{"gates", "false"}}, Settings{{"initial_state", "false"}}, Settings{{"gate_normalizer", "0"}},
                                 Settings{{"gate_normalizer", "0.01"}}, Settings{{"kv_heads", "1"}}, Settings{{"batch", "1"}, {"cu_seqlens", "0,0,1,17,40"}}}) {
      Settings all = sizes;
      all.insert(all.end(), mode.begin(), mode.end());
      if (std::string(op) == "gsa_chunk_forward") all.push_back({"chunk_size", "16"});
      expect_ok(op, with(all));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Small, ::testing::Values("f32", "f16", "bf16"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tilewright::kernels::testing
