// Explicit schedules on the simulated GPU: compared with the reference of the schedule itself, and with the kernel's body.
#include "dsl/program/kernel.h"
#include "dsl/program/roles.h"
#include "tests/dsl/kernels/schedules.h"
#include "tests/gpu/cases.h"
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

INSTANTIATE_TEST_SUITE_P(
    Kernels, ScheduleTest,
    ::testing::Values(Scheduled{"product", product, DType::BF16, {{64, 200}, {200, 128}, {64, 128}}, {{"block_n", 128}, {"stages", 2}}},
                      Scheduled{"product, two programs, columns of b", product, DType::F16, {{150, 192}, {104, 192}, {150, 104}}, {{"block_m", 128}, {"b_transposed", 1}, {"stages", 3}, {"warps", 8}}},
                      Scheduled{"product with registers", product, DType::BF16, {{128, 128}, {128, 64}, {128, 64}}, {{"block_m", 128}, {"warps", 8}, {"registers", 1}}},
                      Scheduled{"product of programs that stay", product, DType::F16, {{150, 192}, {192, 200}, {150, 200}}, {{"programs", 2}, {"stages", 3}}},
                      Scheduled{"product of 8-bit floats", product, DType::F8E4M3, {{64, 256}, {64, 256}, {64, 64}}, {{"block_k", 128}, {"b_transposed", 1}}},
                      Scheduled{"attention", attention, DType::F16, {{64, 64}, {150, 64}, {150, 64}, {64, 64}}, {{"stages", 2}}, 1e-2},
                      Scheduled{"attention, eight warps", attention, DType::BF16, {{128, 64}, {300, 64}, {300, 64}, {128, 64}}, {{"block_q", 128}, {"block_k", 128}, {"stages", 3}, {"warps", 8}}, 2e-2},
                      Scheduled{"attention in turns", attention, DType::F16, {{128, 64}, {200, 64}, {200, 64}, {128, 64}}, {{"block_q", 128}, {"stages", 2}, {"warps", 8}, {"in_turns", 1}}, 1e-2},
                      Scheduled{"attention in turns of one group", attention, DType::F16, {{64, 64}, {100, 64}, {100, 64}, {64, 64}}, {{"stages", 2}, {"warps", 4}, {"in_turns", 1}}, 1e-2}));

}  // namespace
}  // namespace tilewright::simt
