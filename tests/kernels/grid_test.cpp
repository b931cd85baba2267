// The forward grids of the public implementations' own tests, on the CPU.
#include "tests/kernels/operator_test.h"

#include "runtime/random.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {
namespace {

std::string text(std::int64_t number) { return std::to_string(number); }

struct Shape {
  int batch, seq, kv_heads, heads, dim;
};

Settings sizes(const Shape& s) {
  return {{"batch", text(s.batch)}, {"seq", text(s.seq)}, {"kv_heads", text(s.kv_heads)}, {"heads", text(s.heads)}, {"dim", text(s.dim)}};
}

const Settings kBlocks32 = {{"preset", "fla"}, {"block_size", "32"}, {"slots", "16"}};

// The sequences of the packed cases.
const char* const kPacked[] = {"0,15", "0,15,205,550,800", "0,256,500,1000", "0,15,100,300,1200,2000"};

void draw_uniform(TensorMap& inputs, const char* name) { fill_uniform(inputs.at(name), Philox(2, name), -5, 5); }

class NsaGrid : public ::testing::TestWithParam<Shape> {};

TEST_P(NsaGrid, Selected) {
  for (const char* scale : {"1.0", "0.1"}) expect_ok("nsa_selected_forward", sizes(GetParam()) + kBlocks32 + Settings{{"scale", scale}, {"dtype", "f16"}});
}

TEST_P(NsaGrid, Compressed) {
  for (const char* dtype : {"f16", "f32"}) expect_ok("nsa_compressed_forward", sizes(GetParam()) + kBlocks32 + Settings{{"dtype", dtype}});
}

TEST_P(NsaGrid, TopkWithAndWithoutLse) {
  const Settings all = sizes(GetParam()) + kBlocks32;
  const auto edit = [](TensorMap& inputs) {
    draw_uniform(inputs, "q");
    draw_uniform(inputs, "k_cmp");
  };
  const Outcome alone = expect_ok("nsa_topk", all, edit);
  const Outcome attended = expect_ok("nsa_compressed_forward", all, edit);
  expect_ok("nsa_topk", all, [&](TensorMap& inputs) {
    edit(inputs);
    inputs["lse"] = attended.outputs.at("lse");
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, NsaGrid,
                         ::testing::Values(Shape{1, 63, 1, 16, 64}, Shape{3, 111, 1, 32, 100}, Shape{3, 1024, 2, 32, 60}, Shape{3, 1024, 2, 32, 128},
                                           Shape{4, 2048, 2, 64, 64}),
                         [](const auto& info) { return "T" + text(info.param.seq) + "D" + text(info.param.dim); });

TEST(NsaGridWide, Values320) {
  expect_ok("nsa_selected_forward", sizes({1, 63, 1, 16, 64}) + kBlocks32 + Settings{{"value_dim", "320"}, {"dtype", "f16"}});
  expect_ok("nsa_compressed_forward", sizes({1, 63, 1, 16, 64}) + kBlocks32 + Settings{{"value_dim", "320"}, {"dtype", "f16"}});
}

TEST(NsaGridPacked, Branches) {
  for (const char* cu : kPacked) {
    for (const auto& [dim, slots, block] : {std::tuple{"64", "16", "32"}, {"100", "8", "16"}}) {
      const Settings all = {{"cu_seqlens", cu}, {"dim", dim}, {"slots", slots}, {"block_size", block}, {"heads", "16"}, {"kv_heads", "1"}, {"dtype", "f16"}};
      for (const char* op : {"nsa_selected_forward", "nsa_compressed_forward", "nsa_topk"}) expect_ok(op, all);
    }
  }
}

TEST(NsaGridDecode, FewQueries) {
  for (const char* seq : {"1", "15", "3", "33", "25"}) {
    for (const char* op : {"nsa_selected_forward", "nsa_compressed_forward", "nsa_topk", "nsa_forward"}) {
      for (const char* dtype : {"f16", "f32"}) expect_ok(op, {{"seq", seq}, {"kv_seq", "1000"}, {"batch", "2"}, {"heads", "32"}, {"kv_heads", "2"}, {"dim", "60"}, {"block_size", "32"}, {"dtype", dtype}});
    }
  }
}

TEST(NsaGridWhole, Windows) {
  for (const char* window : {"0", "16", "32", "64", "128", "512"}) {
    const Settings all = {{"seq", "700"}, {"heads", "32"}, {"kv_heads", "2"}, {"dim", "64"}, {"block_size", "32"}, {"window", window}};
    expect_ok("nsa_forward", all);
    expect_ok("nsa_forward", all + Settings{{"preset", "xl"}, {"dtype", "f16"}, {"block_size", "64"}});
  }
}

TEST(NsaGridWhole, PackedAndScaled) {
  for (const char* cu : kPacked) {
    for (const char* dtype : {"f16", "f32"}) {
      expect_ok("nsa_forward", {{"cu_seqlens", cu}, {"heads", "16"}, {"kv_heads", "1"}, {"dim", "64"}, {"block_size", "32"}, {"window", "64"}, {"dtype", dtype}});
    }
  }
}

TEST(NsaGridWhole, SixtyFourHeads) {
  for (const char* seq : {"256", "1000", "2000"}) {
    for (const char* dim : {"100", "64"}) {
      for (const char* window : {"0", "32"}) {
        expect_ok("nsa_forward", {{"seq", seq}, {"heads", "64"}, {"kv_heads", "4"}, {"dim", dim}, {"block_size", "32"}, {"window", window}, {"scale", "0.1"}, {"dtype", "bf16"}});
      }
    }
  }
}

TEST(XlGrid, TopkCompressedAndCompression) {
  for (const char* seq : {"1000", "2000", "4096"}) {
    expect_ok("nsa_topk", {{"preset", "xl"}, {"seq", seq}, {"heads", "64"}, {"kv_heads", "8"}, {"dim", "96"}, {"slots", "5"}, {"dtype", "f16"}});
  }
  for (const char* seq : {"1000", "4000", "8192"}) {
    expect_ok("nsa_compressed_forward", {{"preset", "xl"}, {"seq", seq}, {"heads", "32"}, {"kv_heads", "8"}, {"dim", "96"}, {"dtype", "f16"}});
  }
  for (const char* pooling : {"mean", "weighted", "linear"}) {
    for (const char* dtype : {"f16", "bf16"}) {
      expect_ok("nsa_compress", {{"preset", "xl"}, {"seq", "1000"}, {"kv_heads", "4"}, {"dim", "192"}, {"pooling", pooling}, {"positions", "true"}, {"dtype", dtype}});
    }
  }
  expect_ok("nsa_forward", {{"preset", "xl"}, {"cu_seqlens", "0,0,700,1700,3000"}, {"heads", "64"}, {"kv_heads", "4"}, {"dim", "96"}, {"dtype", "bf16"}});
}

struct GsaShape {
  int batch, seq, heads, dim, slots;
};

Settings gsa_sizes(const GsaShape& s) {
  return {{"batch", text(s.batch)}, {"seq", text(s.seq)}, {"heads", text(s.heads)}, {"dim", text(s.dim)}, {"slots", text(s.slots)}};
}

class GsaGrid : public ::testing::TestWithParam<GsaShape> {};

TEST_P(GsaGrid, Recurrent) {
  for (const char* normalizer : {"0.1", "1", "10"}) expect_ok("gsa_recurrent_forward", gsa_sizes(GetParam()) + Settings{{"gate_normalizer", normalizer}});
  expect_ok("gsa_recurrent_forward", gsa_sizes(GetParam()) + Settings{{"gate_normalizer", "1"}, {"dtype", "f16"}});
}

TEST_P(GsaGrid, Chunk) {
  for (const char* normalizer : {"0.1", "1", "10"}) expect_ok("gsa_chunk_forward", gsa_sizes(GetParam()) + Settings{{"gate_normalizer", normalizer}, {"dtype", "f16"}});
  expect_ok("gsa_chunk_forward", gsa_sizes(GetParam()) + Settings{{"gate_normalizer", "1"}});
}

INSTANTIATE_TEST_SUITE_P(Shapes, GsaGrid,
                         ::testing::Values(GsaShape{1, 63, 1, 64, 32}, GsaShape{2, 1024, 4, 60, 64}, GsaShape{2, 1024, 8, 128, 64}, GsaShape{2, 1024, 8, 128, 32},
                                           GsaShape{4, 2048, 8, 64, 64}, GsaShape{2, 500, 3, 256, 128}),
                         [](const auto& info) { return "T" + text(info.param.seq) + "D" + text(info.param.dim) + "M" + text(info.param.slots); });

TEST(GsaGridPacked, BothWays) {
  for (const char* cu : {"0,15", "0,1,15,16,205,550,800", "0,256,500,1000", "0,15,100,300,1200,2000", "0,1,2,3"}) {
    for (const char* dim : {"64", "100", "128"}) {
      for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) {
        for (const char* dtype : {"f32", "f16"}) expect_ok(op, {{"cu_seqlens", cu}, {"dim", dim}, {"slots", "64"}, {"heads", "4"}, {"dtype", dtype}});
      }
    }
  }
}

TEST(GsaGridChunks, OfSeveralSizes) {
  for (const char* chunk : {"16", "32", "64"}) {
    expect_ok("gsa_chunk_forward", {{"seq", "64"}, {"heads", "2"}, {"dim", "32"}, {"slots", "32"}, {"chunk_size", chunk}});
    expect_ok("gsa_chunk_forward", {{"seq", "100"}, {"heads", "2"}, {"dim", "32"}, {"slots", "32"}, {"chunk_size", chunk}, {"dtype", "bf16"}});
  }
}

// Token by token, each step continuing from the states of the one before, against the whole sequence at once.
TEST(GsaGridInference, StepByStep) {
  for (const auto& [heads, kv_heads] : {std::pair{"2", "1"}, {"8", "2"}, {"16", "4"}}) {
    const Settings all = {{"heads", heads}, {"kv_heads", kv_heads}, {"dim", "32"}, {"slots", "16"}, {"seq", "12"}};
    const Outcome whole = expect_ok("gsa_recurrent_forward", all);
    HostTensor hk = whole.inputs.at("hk0"), hv = whole.inputs.at("hv0");
    for (std::int64_t t = 0; t < 12; ++t) {
      const Outcome step = expect_ok("gsa_recurrent_forward", all + Settings{{"seq", "1"}}, [&](TensorMap& inputs) {
        for (const char* name : {"q", "k", "v", "s", "g"}) {
          HostTensor& one = inputs.at(name);
          for (std::int64_t i = 0; i < one.elements(); ++i) one.set(i, whole.inputs.at(name).at(t * one.elements() + i));
        }
        inputs["hk0"] = hk;
        inputs["hv0"] = hv;
      });
      hk = step.outputs.at("hk");
      hv = step.outputs.at("hv");
      const HostTensor& o = step.outputs.at("o");
      for (std::int64_t i = 0; i < o.elements(); ++i) ASSERT_NEAR(o.at(i), whole.outputs.at("o").at(t * o.elements() + i), 1e-5);
    }
  }
}

TEST(DenseGrid, Flash) {
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    for (const Shape& shape : {Shape{2, 1000, 2, 8, 64}, Shape{1, 700, 4, 4, 128}, Shape{1, 500, 1, 8, 96}}) {
      for (const Settings& mode : {Settings{}, Settings{{"causal", "false"}}, Settings{{"window", "100"}}}) {
        for (const char* op : {"flash_forward", "flash_backward"}) expect_ok(op, sizes(shape) + mode + Settings{{"dtype", dtype}});
      }
    }
  }
}

TEST(DenseGrid, MatmulOfFloat8) {
  for (const char* a : {"f8e4m3", "f8e5m2"}) {
    for (const char* b : {"", "f8e4m3", "f8e5m2"}) {
      for (const char* transposed : {"false", "true"}) {
        for (const auto& [m, n, k] : {std::tuple{"256", "384", "512"}, {"129", "65", "77"}, {"1", "100", "33"}})
          expect_ok("matmul", {{"m", m}, {"n", n}, {"k", k}, {"dtype", a}, {"b_dtype", b}, {"b_transposed", transposed}});
      }
    }
  }
  for (const char* dtype : {"f32", "f16", "bf16"}) expect_ok("matmul", {{"m", "200"}, {"n", "130"}, {"k", "100"}, {"dtype", dtype}, {"b_transposed", "true"}});
}

TEST(DenseGrid, MatmulAndRows) {
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    for (const auto& [m, n, k] : {std::tuple{"512", "512", "512"}, {"1000", "333", "77"}, {"1", "1000", "1000"}, {"129", "127", "1"}}) {
      expect_ok("matmul", {{"m", m}, {"n", n}, {"k", k}, {"dtype", dtype}});
    }
    for (const char* columns : {"1", "100", "256", "1000", "5000"}) {
      expect_ok("softmax", {{"rows", "50"}, {"columns", columns}, {"dtype", dtype}});
      expect_ok("rms_norm", {{"rows", "50"}, {"columns", columns}, {"dtype", dtype}});
    }
    expect_ok("vector_add", {{"size", "1000003"}, {"dtype", dtype}});
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
