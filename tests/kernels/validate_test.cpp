// Bad inputs: each is refused before anything runs, by an error that names the tensor or setting and the value.
#include "kernels_src/common/inputs.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {
namespace {

const Settings kSizes = {{"heads", "4"}, {"kv_heads", "2"}, {"dim", "8"}, {"seq", "40"}};

Settings with(Settings changes) {
  Settings all = kSizes;
  all.insert(all.end(), changes.begin(), changes.end());
  return all;
}

std::function<void(TensorMap&)> reshaped(const std::string& name, std::vector<std::int64_t> shape, DType dtype = DType::F32) {
  return [=](TensorMap& inputs) {
    HostTensor tensor(dtype, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, 0);
    inputs[name] = tensor;
  };
}

std::function<void(TensorMap&)> with_index(std::int64_t row, double value) {
  return [=](TensorMap& inputs) { inputs.at("indices").set(row * inputs.at("indices").shape()[3], value); };
}

TEST(Validate, MissingInput) {
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "no input 'k'", [](TensorMap& inputs) { inputs.erase("k"); }), 3110);
  EXPECT_EQ(code_of_validate("nsa_forward", kSizes, "no input 'g_slc'", [](TensorMap& inputs) { inputs.erase("g_slc"); }), 3110);
  EXPECT_EQ(code_of_validate("nsa_forward", with({{"pooling", "linear"}}), "no input 'w_v'", [](TensorMap& inputs) { inputs.erase("w_v"); }), 3110);
  EXPECT_EQ(code_of_validate("nsa_forward", kSizes, "'k_cmp' but no 'v_cmp'", reshaped("k_cmp", {1, 1, 2, 8})), 3110);
}

TEST(Validate, Shapes) {
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "q' has 4 heads, no multiple of the 3 key heads", reshaped("k", {1, 40, 3, 8})), 3111);
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "input 'k' has shape [1, 40, 2, 9], expected [1, 40, 2, 8]", reshaped("k", {1, 40, 2, 9})), 3111);
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "input 'v' has shape [1, 41, 2, 8]", reshaped("v", {1, 41, 2, 8})), 3111);
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "expected rank 4", reshaped("q", {40, 4, 8})), 3111);
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "axis 3 is empty", reshaped("q", {1, 40, 4, 0})), 3111);
  EXPECT_EQ(code_of_validate("matmul", {}, "input 'b' has shape [3, 4], expected [1024, 4]", reshaped("b", {3, 4})), 3111);
  EXPECT_EQ(code_of_validate("vector_add", {}, "input 'b'", reshaped("b", {3})), 3111);
  EXPECT_EQ(code_of_validate("rms_norm", {}, "input 'weight'", reshaped("weight", {3})), 3111);
  EXPECT_EQ(code_of_validate("softmax", {}, "input 'x'", reshaped("x", {3})), 3111);
  EXPECT_EQ(code_of_validate("nsa_compressed_forward", kSizes, "input 'k_cmp' has shape [1, 2, 2, 8], expected [1, 1, 2, 8]", reshaped("k_cmp", {1, 2, 2, 8})), 3111);
  EXPECT_EQ(code_of_validate("nsa_topk", kSizes, "input 'lse' has shape", reshaped("lse", {1, 40, 2})), 3111);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", kSizes, "input 'indices' has shape", reshaped("indices", {1, 40, 4, 16}, DType::I32)), 3111);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", kSizes, "input 'counts' has shape", reshaped("counts", {1, 40, 4}, DType::I32)), 3111);
  EXPECT_EQ(code_of_validate("nsa_compress", {{"pooling", "weighted"}}, "input 'w' has shape", reshaped("w", {4, 63})), 3111);
  EXPECT_EQ(code_of_validate("nsa_compress", {{"positions", "true"}}, "input 'pe' has shape", reshaped("pe", {4, 64, 63})), 3111);
  EXPECT_EQ(code_of_validate("nsa_forward", kSizes, "input 'g_cmp' has shape", reshaped("g_cmp", {1, 40, 2})), 3111);
  EXPECT_EQ(code_of_validate("gsa_chunk_forward", kSizes, "input 's' has shape", reshaped("s", {1, 40, 1, 64})), 3111);
  EXPECT_EQ(code_of_validate("gsa_recurrent_forward", kSizes, "input 'hk0' has shape", reshaped("hk0", {2, 2, 8, 64})), 3111);
}

TEST(Validate, Caches) {
  const Settings pages = {{"heads", "4"}, {"kv_heads", "2"}, {"dim", "8"}, {"context", "40"}, {"page", "10"}};
  EXPECT_EQ(code_of_validate("flash_decode", pages, "no input 'lengths'", [](TensorMap& inputs) { inputs.erase("lengths"); }), 3110);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "'lengths' has 41, the cache of a sequence has room for 40", [](TensorMap& inputs) { inputs.at("lengths").set(0, 41); }), 3128);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "'lengths' has -1", [](TensorMap& inputs) { inputs.at("lengths").set(0, -1); }), 3128);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "'block_table' has page 4, of 4 pages", [](TensorMap& inputs) { inputs.at("block_table").set(1, 4); }), 3128);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "input 'block_table' has shape [2, 4], expected [1, 4]", reshaped("block_table", {2, 4}, DType::I32)), 3111);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "input 'v' has shape [4, 11, 2, 8], expected [4, 10, 2, 8]", reshaped("v", {4, 11, 2, 8})), 3111);
  EXPECT_EQ(code_of_validate("flash_decode", pages, "input 'lengths' has dtype f32", reshaped("lengths", {1})), 3112);
}

TEST(Validate, Dtypes) {
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "input 'q' has dtype f64", reshaped("q", {1, 40, 4, 8}, DType::F64)), 3112);
  EXPECT_EQ(code_of_validate("flash_forward", kSizes, "input 'v' has dtype f16, expected f32", reshaped("v", {1, 40, 2, 8}, DType::F16)), 3112);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", kSizes, "input 'indices' has dtype f32, expected i32 or i64", reshaped("indices", {1, 40, 2, 16})), 3112);
  EXPECT_EQ(code_of_validate("nsa_topk", kSizes, "input 'lse' has dtype f16", reshaped("lse", {1, 40, 4}, DType::F16)), 3112);
  EXPECT_EQ(code_of_validate("gsa_recurrent_forward", kSizes, "input 'hv0' has dtype f16", reshaped("hv0", {1, 2, 64, 8}, DType::F16)), 3112);
  EXPECT_EQ(code_of_validate("matmul", {}, "input 'b' has dtype bf16", reshaped("b", {1024, 1}, DType::BF16)), 3112);
}

TEST(Validate, Indices) {
  const Settings sizes = with({{"block_size", "8"}});  // five blocks
  EXPECT_EQ(code_of_validate("nsa_selected_forward", sizes, "indices[0, 20, 1, 0] is 5, expected -1 to 4", with_index(41, 5)), 3124);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", sizes, "indices[0, 20, 1, 0] is -2, expected -1 to 4", with_index(41, -2)), 3124);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", sizes, "indices[0, 20, 1, 0] is 3, a block after the query's position 20", with_index(41, 3)), 3125);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", sizes, "", with_index(41, 2)), 0);
  EXPECT_EQ(code_of_validate("nsa_selected_forward", sizes, "counts[0, 0, 0] is 17, expected 0 to 16",
                             [](TensorMap& inputs) {
                               reshaped("counts", {1, 40, 2}, DType::I32)(inputs);
                               inputs["counts"].set(0, 17);
                             }),
            3126);
  // In packed sequences positions count from the start of each.
  EXPECT_EQ(code_of_validate("nsa_selected_forward", with({{"block_size", "8"}, {"cu_seqlens", "0,20,40"}}), "indices[0, 20, 0, 0] is 1", with_index(40, 1)), 3125);
}

TEST(Validate, Sequences) {
  for (const char* op : {"flash_forward", "nsa_forward", "nsa_topk", "gsa_chunk_forward", "nsa_compress"}) {
    const auto code = [&](const char* cu, const std::string& words) { return code_of_validate(op, {{"cu_seqlens", cu}}, words); };
    EXPECT_EQ(code("1,40", "cu_seqlens starts at 1"), 3120) << op;
    EXPECT_EQ(code("0,30,20,40", "falls from 30 to 20 at entry 2"), 3120) << op;
  }
  EXPECT_EQ(code_of_validate("flash_forward", {{"cu_seqlens", "0,20,40"}}, "ends at 41, but the packed tensor has 40 tokens",
                             [](TensorMap& inputs) { inputs.at("cu_seqlens").set(2, 41); }),
            3120);
  EXPECT_EQ(code_of_validate("flash_forward", {{"cu_seqlens", "0,x"}}, "cu_seqlens"), 3002);
  EXPECT_EQ(code_of_validate("flash_forward", {{"cu_seqlens", "0,40"}, {"batch", "2"}}, "setting 'batch' is '2', expected 1"), 3002);
  EXPECT_EQ(code_of_validate("nsa_forward", with({{"kv_seq", "39"}}), "40 queries and 39 keys"), 3122);
  EXPECT_EQ(code_of_validate("flash_forward", {{"window", "5"}, {"causal", "false"}}, "window is 5 without causal"), 3123);
}

TEST(Validate, Settings) {
  EXPECT_EQ(code_of_validate("flash_forward", {{"dtype", "f64"}}, "setting 'dtype' is 'f64', expected f32, f16 or bf16"), 3002);
  EXPECT_EQ(code_of_validate("flash_forward", {{"heads", "5"}, {"kv_heads", "2"}}, "setting 'kv_heads' is '2'"), 3002);
  EXPECT_EQ(code_of_validate("flash_forward", {{"seq", "0"}}, "setting 'seq'"), 3002);
  EXPECT_EQ(code_of_validate("nsa_topk", {{"preset", "other"}}, "setting 'preset' is 'other', expected fla or xl"), 3002);
  EXPECT_EQ(code_of_validate("nsa_topk", {{"slots", "0"}}, "setting 'slots'"), 3002);
  EXPECT_EQ(code_of_validate("nsa_compress", {{"pooling", "max"}}, "setting 'pooling' is 'max'"), 3002);
  EXPECT_EQ(code_of_validate("nsa_topk", {{"preset", "xl"}, {"compress_stride", "24"}}, "compress_stride 24 does not divide compress_length 32"), 3121);
  EXPECT_EQ(code_of_validate("nsa_window_forward", {{"window", "0"}}, "window is 0"), 3121);
  EXPECT_EQ(code_of_validate("gsa_chunk_forward", {{"chunk_size", "48"}}, "setting 'chunk_size' is '48', expected a power of two"), 3002);
}

}  // namespace
}  // namespace tilewright::kernels::testing
