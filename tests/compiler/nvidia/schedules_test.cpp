// Schedules as code for sm_90a: a schedule that does what the automatic path does has its instructions. No device and no assembler is needed.
#include "compiler/compiler.h"
#include "dsl/program/kernel.h"
#include "dsl/program/roles.h"
#include "runtime/support/error.h"
#include "tests/dsl/kernels/schedules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace tilewright {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const program::Program> trace(const program::TraceableKernel& kernel, std::size_t views, std::map<std::string, std::int64_t> settings) {
  program::CallFacts call;
  call.types.assign(views, {DType::BF16, {-1, -1}, true});
  call.facts.assign(views, {.unit_inner_stride = true, .aligned16 = true, .fits32 = true, .whole_rows16 = true});
  call.settings = std::move(settings);
  call.explicit_levels = {"nvidia::sm90"};
  return std::make_shared<const program::Program>(kernel.trace(call));
}

std::string emit(const program::Program& program, const std::string& level, const std::string& target = "sm_90a") {
  CompileOptions options;
  options.target = target;
  return make_compiler()->emit(program, options, level);
}

// How often each instruction is there; what an address, a register or a predicate is called is no part of it, nor in which order blocks stand,
// which takes more jumps and conditions or fewer, nor whether both roles read the program's number, or one for both.
std::map<std::string, int> instructions(const std::string& ptx) {
  std::map<std::string, int> counts;
  std::istringstream lines(ptx);
  for (std::string line; std::getline(lines, line);) {
    std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string::npos && line[first] == '@') first = line.find_first_not_of(" \t", line.find_first_of(" \t", first));
    if (first == std::string::npos || line[first] == '.' || line[first] == '/' || line[first] == '$') continue;
    const std::string instruction = line.substr(first, line.find_first_of(" \t;", first) - first);
    const bool differs = instruction.starts_with("bra") || instruction.ends_with(".pred") || instruction == "mov.u32" || instruction == "cvt.u64.u32";
    if (!differs) ++counts[instruction];
  }
  return counts;
}

TEST(Schedules, AProductHasTheInstructionsOfTheAutomaticPath) {
  const auto& kernel = kernel_of<test_kernels::ScheduledProduct>();
  for (const bool transposed : {false, true}) {
    std::map<std::string, std::int64_t> settings = {{"block_m", 128}, {"block_n", 128}, {"block_k", 64}, {"stages", 3}, {"warps", 8}, {"registers", 1}, {"b_transposed", transposed}};
    const auto scheduled = trace(kernel, 3, settings);
    ASSERT_TRUE(has_roles(*scheduled));
    settings["schedule"] = 0;
    const std::map<std::string, int> by_hand = instructions(emit(*scheduled, "ptx")), automatic = instructions(emit(*trace(kernel, 3, settings), "ptx"));
    for (const auto& [instruction, count] : by_hand) EXPECT_EQ(count, automatic.count(instruction) ? automatic.at(instruction) : 0) << instruction;
    for (const auto& [instruction, count] : automatic) EXPECT_TRUE(by_hand.contains(instruction)) << instruction;
    EXPECT_EQ(by_hand.count("setmaxnreg.inc.sync.aligned.u32"), 1u);
  }
}

TEST(Schedules, RegistersOfRolesAreThoseAskedFor) {
  const auto& kernel = kernel_of<test_kernels::ScheduledProduct>();
  const std::string ptx = emit(*trace(kernel, 3, {{"block_m", 128}, {"warps", 8}, {"registers", 1}}), "ptx");
  EXPECT_THAT(ptx, HasSubstr("setmaxnreg.inc.sync.aligned.u32 240"));
  EXPECT_THAT(ptx, HasSubstr("setmaxnreg.dec.sync.aligned.u32 24"));
  EXPECT_THAT(emit(*trace(kernel, 3, {{"warps", 4}}), "ptx"), Not(HasSubstr("setmaxnreg")));
}

TEST(Schedules, AttentionStaysAsItWasWritten) {
  const std::string gpu = emit(*trace(kernel_of<test_kernels::ScheduledAttention>(), 4, {{"block_q", 128}, {"warps", 8}}), "gpu");
  EXPECT_THAT(gpu, HasSubstr("in_flight"));
  EXPECT_THAT(gpu, HasSubstr("group_dot registers"));
  EXPECT_THAT(gpu, HasSubstr("group_dot stored"));
  EXPECT_THAT(gpu, HasSubstr("group_wait"));
  EXPECT_THAT(gpu, Not(HasSubstr("tile.dot")));
}

TEST(Schedules, TargetsWithoutRolesRefuseThem) {
  const auto program = trace(kernel_of<test_kernels::ScheduledProduct>(), 3, {});
  for (const char* target : {"host", "sm_80", "gfx942"}) {
    try {
      CompileOptions options;
      options.target = target;
      make_compiler()->compile(program, options);
      ADD_FAILURE() << target << " takes roles";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), 2331) << error.what();
    }
  }
}

}  // namespace
}  // namespace tilewright
