// The cases at the edge of what the kernels promise: no window, one block, more slots than blocks, -1 anywhere, odd groups and widths, empty sequences, large and
// equal logits, infinities and NaN, few queries over many keys, strided tensors.
#include "kernels_src/nsa/nsa.h"
#include "tests/kernels/operator_test.h"

#include <gtest/gtest.h>

#include <cstring>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tilewright::kernels::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void multiply(HostTensor& tensor, double factor) {
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, factor * tensor.at(i));
}

void fill(HostTensor& tensor, double value) {
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, value);
}

const Settings kFla = {{"preset", "fla"}, {"block_size", "8"}, {"slots", "4"}, {"window", "10"}};
const Settings kXl = {{"preset", "xl"}, {"compress_length", "8"}, {"compress_stride", "4"}, {"block_size", "16"}, {"slots", "4"}, {"window", "10"}};
const Settings kHeads = {{"heads", "4"}, {"kv_heads", "2"}, {"dim", "16"}};

const char* const kNsaOperators[] = {"nsa_compressed_forward", "nsa_topk", "nsa_selected_forward", "nsa_window_forward", "nsa_forward"};

// 1 and 2: lengths around windows, blocks and tiles.
TEST(EdgeLengths, Nsa) {
  for (const char* op : kNsaOperators) {
    for (const Settings& preset : {kFla, kXl}) {
      for (const char* seq : {"1", "3", "7", "8", "9", "15", "16", "17", "31", "33"}) expect_ok(op, kHeads + preset + Settings{{"seq", seq}});
    }
  }
}

TEST(EdgeLengths, Flash) {
  for (const char* seq : {"1", "2", "15", "16", "17", "63", "64", "65", "129"}) {
    for (const char* op : {"flash_forward", "flash_backward"}) expect_ok(op, kHeads + Settings{{"seq", seq}});
    expect_ok("flash_decode", kHeads + Settings{{"context", seq}});
  }
}

TEST(EdgeLengths, NoWindowLeavesTheCompressedBranchEmpty) {
  const Outcome result = expect_ok("nsa_compressed_forward", kHeads + kXl + Settings{{"seq", "7"}});
  const HostTensor &o = result.outputs.at("o"), &lse = result.outputs.at("lse");
  for (std::int64_t i = 0; i < o.elements(); ++i) ASSERT_EQ(o.at(i), 0);
  for (std::int64_t i = 0; i < lse.elements(); ++i) ASSERT_EQ(lse.at(i), -kInfinity);
}

TEST(EdgeLengths, CompressionOfFewTokens) {
  for (const char* pooling : {"mean", "weighted", "linear"}) {
    for (const Settings& preset : {kFla, kXl}) {
      for (const char* seq : {"1", "7", "8", "9", "11", "12", "13"}) {
        expect_ok("nsa_compress", preset + Settings{{"seq", seq}, {"kv_heads", "2"}, {"dim", "16"}, {"pooling", pooling}});
      }
    }
  }
}

// 3: slots against blocks and forced blocks.
TEST(EdgeSlots, MoreSlotsThanBlocksAndFewerThanForced) {
  for (const char* slots : {"1", "2", "3", "5", "16", "33"}) {
    for (const Settings& preset : {kFla, kXl}) {
      for (const char* op : {"nsa_topk", "nsa_forward"}) expect_ok(op, kHeads + preset + Settings{{"seq", "100"}, {"slots", slots}});
    }
  }
  for (const auto& [init, local] : {std::pair{"0", "0"}, {"0", "1"}, {"3", "4"}, {"2", "0"}}) {
    expect_ok("nsa_topk", kHeads + kFla + Settings{{"seq", "100"}, {"init_blocks", init}, {"local_blocks", local}});
  }
}

TEST(EdgeSlots, CountsWithZeros) {
  const auto add_counts = [](TensorMap& inputs) {
    const std::vector<std::int64_t>& shape = inputs.at("indices").shape();
    HostTensor counts(DType::I32, {shape[0], shape[1], shape[2]});
    for (std::int64_t i = 0; i < counts.elements(); ++i) counts.set(i, static_cast<double>(i % (shape[3] + 1)));
    inputs["counts"] = counts;
  };
  const Outcome result = expect_ok("nsa_selected_forward", kHeads + kFla + Settings{{"seq", "60"}}, add_counts);
  EXPECT_EQ(result.outputs.at("lse").at(0), -kInfinity);
  EXPECT_EQ(result.outputs.at("o").at(0), 0);
}

// 4: -1 in any slot.
TEST(EdgeIndices, MinusOneAnywhere) {
  for (const char* where : {"first", "middle", "last", "all"}) {
    const auto edit = [&](TensorMap& inputs) {
      HostTensor& indices = inputs.at("indices");
      const std::int64_t slots = indices.shape()[3];
      for (std::int64_t row = 0; row < indices.elements() / slots; ++row) {
        std::vector<double> blocks;
        for (std::int64_t i = 0; i < slots; ++i) blocks.push_back(indices.at(row * slots + i));
        if (where == std::string("first")) std::sort(blocks.begin(), blocks.end());
        if (where == std::string("middle")) blocks[1] = -1;
        if (where == std::string("all")) std::fill(blocks.begin(), blocks.end(), -1);
        for (std::int64_t i = 0; i < slots; ++i) indices.set(row * slots + i, blocks[i]);
      }
    };
    for (const char* dtype : {"f32", "bf16"}) expect_ok("nsa_selected_forward", kHeads + kFla + Settings{{"seq", "60"}, {"dtype", dtype}}, edit);
  }
}

TEST(EdgeIndices, WideIndicesAndABlockTwice) {
  const auto edit = [](TensorMap& inputs) {
    HostTensor wide(DType::I64, inputs.at("indices").shape());
    for (std::int64_t i = 0; i < wide.elements(); ++i) wide.set(i, inputs.at("indices").at(i - i % 4));
    inputs["indices"] = wide;
  };
  expect_ok("nsa_selected_forward", kHeads + kFla + Settings{{"seq", "60"}}, edit);
}

// 5: groups.
TEST(EdgeGroups, OfAnySize) {
  for (const auto& [heads, kv_heads] : {std::pair{"1", "1"}, {"2", "1"}, {"8", "1"}, {"16", "1"}, {"64", "1"}, {"128", "1"}, {"3", "1"}, {"12", "1"}, {"20", "1"}, {"9", "3"}}) {
    const Settings sizes = {{"heads", heads}, {"kv_heads", kv_heads}, {"dim", "16"}, {"seq", "40"}};
    for (const char* op : {"flash_forward", "flash_backward"}) expect_ok(op, sizes);
    expect_ok("flash_decode", {{"heads", heads}, {"kv_heads", kv_heads}, {"dim", "16"}, {"context", "40"}});
    for (const Settings& preset : {kFla, kXl}) expect_ok("nsa_forward", sizes + preset);
  }
}

// 13: gradients are the same in every run.
TEST(EdgeGradients, AreTheSameInEveryRun) {
  const Settings sizes = {{"heads", "8"}, {"kv_heads", "2"}, {"dim", "64"}, {"seq", "300"}, {"dtype", "bf16"}};
  const Outcome first = run("flash_backward", sizes), second = run("flash_backward", sizes);
  for (const char* name : {"dq", "dk", "dv"}) {
    const HostTensor &a = first.outputs.at(name), &b = second.outputs.at(name);
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.bytes()), 0) << name;
  }
}

// 6: head sizes.
TEST(EdgeDims, OfAnySize) {
  for (const char* dim : {"32", "60", "64", "96", "100", "128", "192", "256"}) {
    const Settings sizes = {{"heads", "4"}, {"kv_heads", "2"}, {"dim", dim}, {"seq", "40"}};
    for (const char* op : {"flash_forward", "flash_backward"}) expect_ok(op, sizes);
    expect_ok("flash_decode", {{"heads", "4"}, {"kv_heads", "2"}, {"dim", dim}, {"context", "40"}});
    expect_ok("nsa_forward", sizes + kXl);
    expect_ok("nsa_compress", kXl + Settings{{"dim", dim}, {"seq", "40"}, {"pooling", "linear"}});
    for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) expect_ok(op, {{"heads", "1"}, {"dim", dim}, {"slots", "12"}, {"seq", "20"}});
  }
  const Settings mixed = {{"heads", "4"}, {"kv_heads", "2"}, {"dim", "192"}, {"value_dim", "128"}, {"seq", "40"}};
  for (const char* op : {"flash_forward", "flash_backward"}) expect_ok(op, mixed);
  expect_ok("nsa_forward", mixed + kXl);
  expect_ok("nsa_forward", {{"heads", "4"}, {"kv_heads", "2"}, {"dim", "64"}, {"value_dim", "320"}, {"seq", "40"}});
  expect_ok("gsa_chunk_forward", {{"heads", "1"}, {"dim", "192"}, {"value_dim", "320"}, {"slots", "12"}, {"seq", "20"}});
}

// 9: packed sequences.
TEST(EdgePacked, EmptyAndSingleTokens) {
  for (const char* cu : {"0,0", "0,1", "0,0,1,1,2", "0,40,40,41,100", "0,1,2,3,4,5,100"}) {
    for (const char* op : kNsaOperators) {
      for (const Settings& preset : {kFla, kXl}) expect_ok(op, kHeads + preset + Settings{{"cu_seqlens", cu}});
    }
    expect_ok("flash_forward", kHeads + Settings{{"cu_seqlens", cu}});
    expect_ok("nsa_compress", kXl + Settings{{"cu_seqlens", cu}, {"dim", "16"}});
    for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) {
      for (const char* gates : {"true", "false"}) expect_ok(op, {{"heads", "2"}, {"dim", "16"}, {"slots", "8"}, {"cu_seqlens", cu}, {"gates", gates}});
    }
  }
}

TEST(EdgePacked, IsTheSameAsOneByOne) {
  const Settings sizes = kHeads + kFla;
  const Outcome packed = expect_ok("nsa_forward", sizes + Settings{{"cu_seqlens", "0,50"}});
  const Outcome dense = expect_ok("nsa_forward", sizes + Settings{{"seq", "50"}});
  for (std::int64_t i = 0; i < dense.outputs.at("o").elements(); ++i) ASSERT_EQ(packed.outputs.at("o").at(i), dense.outputs.at("o").at(i));
}

// 10: large logits, equal keys, infinities, NaN.
TEST(EdgeValues, LargeLogits) {
  for (const char* op : {"flash_forward", "nsa_window_forward", "nsa_selected_forward", "nsa_forward", "nsa_compressed_forward", "nsa_topk"}) {
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      Settings all = kHeads + Settings{{"seq", "80"}, {"dtype", dtype}};
      if (op != std::string("flash_forward")) all = all + kXl;
      expect_ok(op, all, [](TensorMap& inputs) { multiply(inputs.at("q"), 300); });
    }
  }
}

TEST(EdgeValues, EqualKeysAreTiesAndTiesGoToTheLowerBlock) {
  for (const Settings& preset : {kFla, kXl}) {
    const Outcome result = expect_ok("nsa_topk", kHeads + preset + Settings{{"seq", "160"}}, [](TensorMap& inputs) { fill(inputs.at("k_cmp"), 0.5); });
    const NsaGeometry geometry = geometry_of(result.settings);
    const HostTensor& indices = result.outputs.at("indices");
    // Every window has the same probability for the last query, and blocks inside the past the same number of them: but for the first, which fewer windows reach
    // where windows overlap, all are equal, so the first slots are the lowest blocks.
    const std::int64_t last = (160 - 1) * 2 * geometry.slots, own = 159 / geometry.block_size;
    EXPECT_EQ(indices.at(last), 0);
    EXPECT_EQ(indices.at(last + 1), 1);
    EXPECT_EQ(indices.at(last + 2), own - 1);
    EXPECT_EQ(indices.at(last + 3), own);
  }
  for (const char* op : {"nsa_forward", "flash_forward"}) {
    expect_ok(op, kHeads + Settings{{"seq", "160"}}, [](TensorMap& inputs) { fill(inputs.at("k"), 0.5); });
  }
}

TEST(EdgeValues, ANaNQueryKeepsToItself) {
  const auto poison = [](TensorMap& inputs) { inputs.at("q").set(40 * 4 * 16 + 3, std::nan("")); };  // token 40, head 0
  expect_ok("flash_forward", kHeads + Settings{{"seq", "50"}}, poison);
  for (const char* op : kNsaOperators) {
    for (const Settings& preset : {kFla, kXl}) expect_ok(op, kHeads + preset + Settings{{"seq", "50"}}, poison);
  }
  // Nothing but the forced blocks is left to a query whose scores are NaN.
  const Outcome result = expect_ok("nsa_topk", kHeads + kFla + Settings{{"seq", "50"}}, poison);
  EXPECT_EQ(result.outputs.at("counts").at(40 * 2), 3);
  EXPECT_EQ(result.outputs.at("counts").at(41 * 2), 4);
}

TEST(EdgeValues, WhatIsBehindTheLengthOfACache) {
  // NaN, as memory that was never written may hold.
  const auto poison = [](TensorMap& inputs) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const char* name : {"k", "v"}) {
      HostTensor& tensor = inputs.at(name);
      const std::int64_t row = tensor.shape()[2] * tensor.shape()[3], capacity = tensor.shape()[1];
      const auto behind = [&](std::int64_t first_of_piece, std::int64_t tokens) {
        for (std::int64_t i = tokens * row; i < capacity * row; ++i) tensor.set(first_of_piece * capacity * row + i, nan);
      };
      for (std::int64_t b = 0; b < 2; ++b) {
        const std::int64_t length = static_cast<std::int64_t>(inputs.at("lengths").at(b));
        if (!inputs.contains("block_table")) {
          behind(b, length);
          continue;
        }
        const HostTensor& table = inputs.at("block_table");
        for (std::int64_t i = 0; i < table.shape()[1]; ++i)
          behind(static_cast<std::int64_t>(table.at(b * table.shape()[1] + i)), std::clamp<std::int64_t>(length - i * capacity, 0, capacity));
      }
    }
  };
  const Settings cache = kHeads + Settings{{"batch", "2"}, {"context", "200"}, {"lengths", "70,131"}};
  for (const char* dtype : {"f32", "bf16"}) {
    expect_ok("flash_decode", cache + Settings{{"dtype", dtype}}, poison);
    expect_ok("flash_decode", cache + Settings{{"dtype", dtype}, {"page", "16"}}, poison);
    expect_ok("flash_decode", cache + Settings{{"dtype", dtype}, {"page", "50"}, {"seq", "4"}}, poison);
  }
}

TEST(EdgeValues, InfiniteLogits) {
  // Keys of -infinity against a positive query: as if they were not there.
  const auto hide = [](TensorMap& inputs) {
    fill(inputs.at("q"), 0.5);
    HostTensor& k = inputs.at("k");
    for (std::int64_t i = 0; i < 10 * 2 * 16; ++i) k.set(i, -kInfinity);  // the first ten tokens
  };
  for (const char* op : {"flash_forward", "nsa_window_forward", "nsa_selected_forward"}) expect_ok(op, kHeads + Settings{{"seq", "50"}}, hide);
  const Outcome result = expect_ok("flash_forward", kHeads + Settings{{"seq", "50"}}, hide);
  EXPECT_EQ(result.outputs.at("lse").at(9 * 4), -kInfinity);
  EXPECT_EQ(result.outputs.at("o").at(9 * 4 * 16), 0);
  // A key of +infinity makes the queries that see it NaN, and no others.
  expect_ok("flash_forward", kHeads + Settings{{"seq", "50"}}, [](TensorMap& inputs) {
    fill(inputs.at("q"), 0.5);
    inputs.at("k").set(30 * 2 * 16, kInfinity);
  });
}

TEST(EdgeValues, SoftmaxOfInfinitiesAndNaN) {
  expect_ok("softmax", {{"rows", "6"}, {"columns", "20"}, {"columns", "20"}}, [](TensorMap& inputs) {
    HostTensor& x = inputs.at("x");
    x.set(0 * 20 + 3, -kInfinity);
    x.set(1 * 20 + 3, kInfinity);
    x.set(2 * 20 + 3, std::nan(""));
    for (int i = 0; i < 20; ++i) x.set(3 * 20 + i, -kInfinity);
    x.set(4 * 20, 1e30);
  });
}

// 11: fewer queries than keys.
TEST(EdgeQueries, LastOnesOfASequence) {
  for (const char* seq : {"1", "3", "15", "25", "33"}) {
    expect_ok("flash_forward", kHeads + Settings{{"seq", seq}, {"kv_seq", "100"}, {"batch", "2"}});
    for (const char* op : kNsaOperators) {
      for (const Settings& preset : {kFla, kXl}) expect_ok(op, kHeads + preset + Settings{{"seq", seq}, {"kv_seq", "100"}, {"batch", "2"}});
    }
  }
  for (const char* op : kNsaOperators) expect_ok(op, kHeads + kXl + Settings{{"cu_seqlens", "0,1,1,4,20"}, {"cu_seqlens_k", "0,50,51,70,160"}});
}

TEST(EdgeQueries, MoreQueriesThanKeysSeeNothingAtFirst) {
  const Outcome result = expect_ok("flash_forward", kHeads + Settings{{"seq", "20"}, {"kv_seq", "5"}});
  EXPECT_EQ(result.outputs.at("lse").at(14 * 4), -kInfinity);
  EXPECT_NE(result.outputs.at("lse").at(15 * 4), -kInfinity);
}

// 12: strided tensors; q, k and v are parts of one.
TEST(EdgeStrides, PartsOfOneTensor) {
  const Outcome whole = expect_ok("nsa_forward", Settings{{"heads", "4"}, {"kv_heads", "2"}, {"dim", "16"}, {"seq", "50"}, {"batch", "2"}} + kXl);
  const HostTensor &q = whole.inputs.at("q"), &k = whole.inputs.at("k"), &v = whole.inputs.at("v");
  HostTensor joined(DType::F32, {2, 50, 8, 16});
  for (std::int64_t token = 0; token < 100; ++token) {
    for (std::int64_t i = 0; i < 128; ++i) joined.set(token * 128 + i, i < 64 ? q.at(token * 64 + i) : i < 96 ? k.at(token * 32 + i - 64) : v.at(token * 32 + i - 96));
  }
  const DeviceTensor device = session().upload(joined);
  const auto part = [&](std::int64_t first, std::int64_t heads) {
    TensorView view = device;
    view.data = static_cast<float*>(view.data) + first * 16;
    view.sizes[2] = heads;
    return view;
  };
  const DeviceTensor g_cmp = session().upload(whole.inputs.at("g_cmp")), g_slc = session().upload(whole.inputs.at("g_slc")), g_swa = session().upload(whole.inputs.at("g_swa"));
  NsaInputs inputs;
  inputs.q = part(0, 4);
  inputs.k = part(4, 2);
  inputs.v = part(6, 2);
  inputs.g_cmp = g_cmp;
  inputs.g_slc = g_slc;
  inputs.g_swa = g_swa;
  const NsaResult result = nsa_forward(session(), inputs, Sequences::dense(2, 50, 50), {geometry_of(whole.settings), 0.25, {}});
  const HostTensor o = session().download(result.output);
  for (std::int64_t i = 0; i < o.elements(); ++i) ASSERT_FLOAT_EQ(o.at(i), whole.outputs.at("o").at(i));
}

// 14: gates.
TEST(EdgeGates, NoDecayStrongDecayAndNoTokens) {
  for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) {
    for (const char* slots : {"1", "5", "16", "33"}) {
      const Settings sizes = {{"heads", "2"}, {"dim", "16"}, {"slots", slots}, {"seq", "64"}};
      expect_ok(op, sizes + Settings{{"gate_normalizer", "0"}});
      expect_ok(op, sizes, [](TensorMap& inputs) { fill(inputs.at("g"), -60); });
      expect_ok(op, sizes, [](TensorMap& inputs) {
        for (std::int64_t i = 0; i < inputs.at("g").elements(); ++i) inputs.at("g").set(i, i % 3 == 0 ? -200 : 0);
      });
    }
    const Outcome empty = expect_ok(op, {{"heads", "2"}, {"dim", "16"}, {"slots", "8"}, {"cu_seqlens", "0,0"}});
    for (const auto& [initial, final] : {std::pair{"hk0", "hk"}, {"hv0", "hv"}}) {
      for (std::int64_t i = 0; i < empty.inputs.at(initial).elements(); ++i) ASSERT_EQ(empty.inputs.at(initial).at(i), empty.outputs.at(final).at(i));
    }
  }
}

TEST(EdgeGates, InputsAreNotWritten) {
  for (const char* op : {"gsa_recurrent_forward", "gsa_chunk_forward"}) {
    std::vector<double> before;
    const Outcome result = expect_ok(op, {{"heads", "2"}, {"dim", "16"}, {"slots", "8"}, {"seq", "1"}}, [&](TensorMap& inputs) { before = inputs.at("hk0").to_doubles(); });
    EXPECT_EQ(result.inputs.at("hk0").to_doubles(), before);
  }
}

}  // namespace
}  // namespace tilewright::kernels::testing
