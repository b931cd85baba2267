// Explicit schedules on the simulated GPU: compared with the reference of the schedule itself, and with the kernel's body.
#include "dsl/program/kernel.h"
#include "dsl/program/roles.h"
#include "kernels_src/attention/decode_kernel.h"
#include "kernels_src/attention/kernel.h"
#include "kernels_src/nsa/selected_kernel.h"
#include "tests/dsl/kernels/schedules.h"
#include "tests/gpu/calls.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <gtest/gtest.h>

namespace tilewright::simt {
namespace {

using program::Program;
using Sizes = std::vector<std::int64_t>;

struct Scheduled {
  const char* name;
  const program::TraceableKernel& (*kernel)();
  DType dtype;
  std::vector<Sizes> shapes;  // of its parameters, the last of which is its output
  std::map<std::string, std::int64_t> settings;
  double tolerance = 0;
};

void PrintTo(const Scheduled& scheduled, std::ostream* out) { *out << scheduled.name << " " << name_of(scheduled.dtype); }

Program trace(const Scheduled& scheduled, bool with_schedule) {
  program::CallFacts call;
  for (std::size_t i = 0; i < scheduled.shapes.size(); ++i) {
    const DType dtype = i + 1 == scheduled.shapes.size() && is_float8(scheduled.dtype) ? DType::BF16 : scheduled.dtype;
    call.types.push_back({dtype, program::Shape(scheduled.shapes[i].size(), -1), true});
  }
  call.facts.resize(call.types.size(), {.unit_inner_stride = true, .aligned16 = true, .fits32 = true});
  call.settings = scheduled.settings;
  call.settings["schedule"] = with_schedule;
  call.explicit_levels = {"nvidia::sm90"};
  return scheduled.kernel().trace(call);
}

fuzz::Case case_of(const Scheduled& scheduled) {
  fuzz::Case test;
  program::Builder parameters("parameters");
  for (const Sizes& sizes : scheduled.shapes) add_view(parameters, test, "x", program::ParamKind::Input, scheduled.dtype, sizes);
  test.arguments.back().tensor.tolerance = test.arguments.back().tensor.relative_tolerance = scheduled.tolerance;
  for (fuzz::Argument& argument : test.arguments) argument.tensor.fill = {.low = -1, .high = 1, .quantum = 0.25};
  test.program = trace(scheduled, true);
  return test;
}

class ScheduleTest : public ::testing::TestWithParam<Scheduled> {};

TEST_P(ScheduleTest, AgreesWithTheReferenceOnTheSimulatedGpu) {
  const fuzz::Case test = case_of(GetParam());
  ASSERT_TRUE(has_roles(test.program));
  bool ran = false;
  for (const Configuration& configuration : configurations()) {
    if (!configuration.has_roles) continue;
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(test, *target);
    EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
    ran = true;
  }
  EXPECT_TRUE(ran);
}

TEST_P(ScheduleTest, DoesWhatTheBodyDoes) {
  const auto body = fuzz::transformed_reference([](const Program&) { return trace(GetParam(), false); });
  const fuzz::Outcome outcome = fuzz::check(case_of(GetParam()), *body);
  EXPECT_FALSE(outcome.failed()) << outcome.text;
}

const program::TraceableKernel& product() { return kernel_of<test_kernels::ScheduledProduct>(); }
const program::TraceableKernel& attention() { return kernel_of<test_kernels::ScheduledAttention>(); }
const program::TraceableKernel& teams_product() { return kernel_of<test_kernels::TeamsProduct>(); }

INSTANTIATE_TEST_SUITE_P(
    Kernels, ScheduleTest,
    ::testing::Values(Scheduled{"product", product, DType::BF16, {{64, 200}, {200, 128}, {64, 128}}, {{"block_n", 128}, {"stages", 2}}},
                      Scheduled{"product, two programs, columns of b", product, DType::F16, {{150, 192}, {104, 192}, {150, 104}}, {{"block_m", 128}, {"b_transposed", 1}, {"stages", 3}, {"warps", 8}}},
                      Scheduled{"product with registers", product, DType::BF16, {{128, 128}, {128, 64}, {128, 64}}, {{"block_m", 128}, {"warps", 8}, {"registers", 1}}},
                      Scheduled{"product of programs that stay", product, DType::F16, {{150, 192}, {192, 200}, {150, 200}}, {{"programs", 2}, {"stages", 3}}},
                      Scheduled{"product of programs that stay, copied out", product, DType::F16, {{150, 192}, {192, 200}, {150, 200}}, {{"programs", 2}, {"stages", 3}, {"copies_out", 1}}},
                      Scheduled{"product of eight warps, copied out", product, DType::BF16, {{150, 192}, {192, 200}, {150, 200}}, {{"programs", 1}, {"block_m", 128}, {"block_n", 128}, {"warps", 8}, {"stages", 2}, {"copies_out", 1}}},
                      Scheduled{"product of 8-bit floats", product, DType::F8E4M3, {{64, 256}, {64, 256}, {64, 64}}, {{"block_k", 128}, {"b_transposed", 1}}},
                      Scheduled{"attention", attention, DType::F16, {{64, 64}, {150, 64}, {150, 64}, {64, 64}}, {{"stages", 2}}, 1e-2},
                      Scheduled{"attention, eight warps", attention, DType::BF16, {{128, 64}, {300, 64}, {300, 64}, {128, 64}}, {{"block_q", 128}, {"block_k", 128}, {"stages", 3}, {"warps", 8}}, 2e-2},
                      Scheduled{"attention in turns", attention, DType::F16, {{128, 64}, {200, 64}, {200, 64}, {128, 64}}, {{"block_q", 128}, {"stages", 2}, {"warps", 8}, {"in_turns", 1}}, 1e-2},
                      Scheduled{"attention in turns of one group", attention, DType::F16, {{64, 64}, {100, 64}, {100, 64}, {64, 64}}, {{"stages", 2}, {"warps", 4}, {"in_turns", 1}}, 1e-2},
                      Scheduled{"product by teams, from shared tiles of theirs", teams_product, DType::BF16, {{400, 128}, {128, 136}, {400, 136}}, {{"left", 0}, {"warps", 4}, {"teams", 3}}},
                      Scheduled{"product by teams, from registers", teams_product, DType::F16, {{192, 192}, {192, 64}, {192, 64}}, {{"left", 1}, {"warps", 4}, {"teams", 2}}},
                      Scheduled{"product by teams of two warps", teams_product, DType::F16, {{192, 104}, {104, 72}, {192, 72}}, {{"left", 2}, {"warps", 2}, {"teams", 4}, {"stages", 3}}},
                      Scheduled{"product by teams of a warp", teams_product, DType::BF16, {{150, 128}, {128, 64}, {150, 64}}, {{"left", 2}, {"warps", 1}, {"teams", 8}}}));

// `make` gives the case with the schedule, or with the body.
template <class Make>
void expect_agreement(const std::string& name, Make make) {
  const fuzz::Case test = make(true);
  ASSERT_TRUE(has_roles(test.program)) << name;
  const auto body = fuzz::transformed_reference([&](const Program&) { return make(false).program; });
  const fuzz::Outcome as_body = fuzz::check(test, *body);
  EXPECT_FALSE(as_body.failed()) << name << ": " << as_body.text;
  for (const Configuration& configuration : configurations()) {
    if (!configuration.has_roles) continue;
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(test, *target);
    EXPECT_FALSE(outcome.failed()) << name << ": " << outcome.text;
  }
}

// Lists that the producer makes, and tiles that some teams pass by.
TEST(Teams, ChosenSums) {
  constexpr std::int64_t kRows = 21, kHeight = 64, kWidth = 64, kUniverse = 10, kMost = 4;
  expect_agreement("chosen sums", [&](bool with_schedule) {
    Call call;
    call.tensor(DType::F16, {kUniverse * kHeight, kWidth});
    call.tensor(DType::I32, {kRows, kMost});
    call.test.arguments.back().tensor.fill = {.low = -1, .high = kUniverse - 1, .quantum = 1};
    call.tensor(DType::F32, {kRows * kHeight, kWidth});
    return call.of(kernel_of<test_kernels::ChosenSums>(), {{"width", kWidth}, {"height", kHeight}, {"most", kMost}, {"universe", kUniverse}, {"warps", 1}, {"teams", 8}, {"schedule", with_schedule}});
  });
}

// Tasks from a queue, which the body has no use for: the first program that runs takes all of them, the others find none.
TEST(Teams, TasksFromAQueue) {
  constexpr std::int64_t kTasks = 7;
  Call call;
  call.tensor(DType::BF16, {kTasks * 64, 64});
  call.tensor(DType::I32, {1});
  call.test.arguments.back().tensor.fill = {.low = 0, .high = 0, .quantum = 1};
  call.tensor(DType::F32, {kTasks, 4, 64});
  const fuzz::Case test = call.of(kernel_of<test_kernels::QueuedSums>(), {{"programs", 3}, {"warps", 1}, {"schedule", 1}});
  ASSERT_TRUE(has_roles(test.program));
  for (const Configuration& configuration : configurations()) {
    if (!configuration.has_roles) continue;
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(test, *target);
    EXPECT_FALSE(outcome.failed()) << outcome.text;
  }
}

// Copies that read a shared tile until it is written again, by all consumers and by teams; added up too.
TEST(CopiesOut, WaitUntilTheTileIsRead) {
  struct Copied {
    DType dtype;
    std::int64_t warps, teams, adds;
  };
  for (const Copied& copied : {Copied{DType::BF16, 4, 0, 0}, Copied{DType::F32, 8, 0, 0}, Copied{DType::F32, 4, 0, 1}, Copied{DType::BF16, 4, 0, 1}, Copied{DType::F16, 1, 4, 0}, Copied{DType::F32, 2, 2, 1}}) {
    expect_agreement(std::string(name_of(copied.dtype)) + (copied.adds ? " added by " : " by ") + std::to_string(copied.teams) + " teams", [&](bool with_schedule) {
      Call call;
      call.tensor(copied.dtype, {520, 152});
      call.tensor(copied.dtype, {copied.adds ? 260 : 520, 152});
      return call.of(kernel_of<test_kernels::CopiedOut>(), {{"adds", copied.adds}, {"warps", copied.warps}, {"teams", copied.teams}, {"schedule", with_schedule}});
    });
  }
}

// With what shipped schedules add: heads that share keys, masks, rows that see no key, a window.
struct Attention {
  std::int64_t queries, keys, rows, warps, schedule;
  bool causal, windowed;
};

TEST(ShippedSchedules, FlashForward) {
  constexpr std::int64_t kDim = 64, kHeads = 4, kGroup = 2;
  for (const Attention& attention : {Attention{40, 100, 64, 4, 1, true, false}, Attention{70, 130, 128, 8, 2, true, true}, Attention{70, 30, 128, 8, 2, true, false}, Attention{40, 100, 64, 4, 1, false, false}}) {
    expect_agreement(std::to_string(attention.queries) + " queries", [&](bool with_schedule) {
      Call call;
      call.tensor(DType::F16, {1, attention.queries, kHeads, kDim});
      for (int i = 0; i < 2; ++i) call.tensor(DType::F16, {1, attention.keys, kHeads / kGroup, kDim});
      for (int i = 0; i < 2; ++i) call.tensor(DType::I64, {2});
      call.factor(0.125f);
      call.number(50);
      call.number(attention.queries);
      call.tensor(DType::F16, {1, attention.queries, kHeads, kDim}, 5e-3);
      call.tensor(DType::F32, {1, attention.queries, kHeads}, 1e-3);
      return call.of(kernels::flash_forward_kernel(),
                     {{"dim", kDim}, {"value_dim", kDim}, {"group", kGroup}, {"query_limit", 256}, {"causal", attention.causal}, {"windowed", attention.windowed}, {"packed", 0},
                      {"rows", attention.rows}, {"block_k", 64}, {"stages", 2}, {"warps", attention.warps}, {"schedule", with_schedule ? attention.schedule : 0}});
    });
  }
}

// Parts of the keys of two sequences; the last one may end within a tile.
struct Decode {
  std::int64_t tokens, group, keys, part, value_dim, block_k;
};

TEST(ShippedSchedules, FlashDecode) {
  constexpr std::int64_t kDim = 128, kBatch = 2, kHeads = 2;
  for (const Decode& decode : {Decode{1, 16, 300, 128, 128, 64}, Decode{3, 2, 200, 128, 64, 32}, Decode{40, 1, 30, 64, 128, 64}, Decode{2, 32, 64, 64, 192, 64}}) {
    expect_agreement(std::to_string(decode.tokens) + " tokens", [&](bool with_schedule) {
      const std::int64_t parts = (decode.keys + decode.part - 1) / decode.part, q_heads = kHeads * decode.group;
      Call call;
      call.tensor(DType::F16, {kBatch, decode.tokens, q_heads, kDim});
      call.tensor(DType::F16, {kBatch, decode.keys, kHeads, kDim});
      call.tensor(DType::F16, {kBatch, decode.keys, kHeads, decode.value_dim});
      call.tensor(DType::I32, {1, 1});
      call.tensor(DType::I32, {1});
      call.number(decode.keys);
      call.number(decode.part);
      call.number(parts);
      call.factor(0.125f);
      call.tensor(DType::F32, {kBatch, decode.tokens, q_heads, parts, decode.value_dim}, 5e-3);
      call.tensor(DType::F32, {kBatch, decode.tokens, q_heads, parts}, 1e-3);
      return call.of(kernels::flash_decode_split_kernel(),
                     {{"dim", kDim}, {"value_dim", decode.value_dim}, {"group", decode.group}, {"tokens", decode.tokens}, {"page", 0}, {"lengths_given", 0},
                      {"block_k", decode.block_k}, {"stages", 2}, {"warps", 4}, {"schedule", with_schedule}});
    });
  }
}

// Blocks are drawn from -1 to the last, so that some stand twice, some for several tokens, and some behind a token's position. More tokens than a program's teams have, and programs that go through several tiles.
struct Selected {
  std::int64_t queries, keys, value_dim, slots, programs;
  bool counted;
};

TEST(ShippedSchedules, NsaSelected) {
  constexpr std::int64_t kDim = 64, kHeads = 2, kGroup = 16, kBlock = 32;
  for (const Selected& selected : {Selected{20, 100, 64, 4, 2, false}, Selected{13, 200, 128, 3, 1, true}, Selected{5, 5, 64, 2, 4, false}, Selected{30, 500, 64, 16, 3, false}}) {
    expect_agreement(std::to_string(selected.queries) + " queries", [&](bool with_schedule) {
      Call call;
      call.tensor(DType::F16, {1, selected.queries, kHeads * kGroup, kDim});
      call.tensor(DType::F16, {1, selected.keys, kHeads, kDim});
      call.tensor(DType::F16, {1, selected.keys, kHeads, selected.value_dim});
      call.tensor(DType::I32, {1, selected.queries, kHeads, selected.slots});
      call.test.arguments.back().tensor.fill = {.low = -1, .high = static_cast<double>((selected.keys - 1) / kBlock), .quantum = 1};
      call.tensor(DType::I32, {1, selected.queries, kHeads});
      call.test.arguments.back().tensor.fill = {.low = 0, .high = static_cast<double>(selected.slots), .quantum = 1};
      for (int i = 0; i < 2; ++i) call.tensor(DType::I64, {2});
      call.factor(0.125f);
      call.number(selected.queries);
      call.tensor(DType::F16, {1, selected.queries, kHeads * kGroup, selected.value_dim}, 5e-3);
      call.tensor(DType::F32, {1, selected.queries, kHeads * kGroup}, 1e-3);
      return call.of(kernels::nsa_selected_kernel(), {{"dim", kDim}, {"value_dim", selected.value_dim}, {"group", kGroup}, {"block_size", kBlock}, {"slots", selected.slots}, {"packed", 0},
                                                      {"counted", selected.counted}, {"stages", 2}, {"warps", 1}, {"programs", selected.programs}, {"schedule", with_schedule}});
    });
  }
}

}  // namespace
}  // namespace tilewright::simt
