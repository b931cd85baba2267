// From modules of the LLVM dialect to assembly, code objects and artifacts.
#include "compiler/targets/amd/code_object.h"
#include "compiler/targets/amd/codegen.h"
#include "compiler/targets/amd/link.h"
#include "compiler/targets/target.h"
#include "runtime/support/error.h"
#include "tests/compiler/gpu_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace tilewright::amd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::artifact_of;
using testing::one_operation_module;
using testing::parse;

std::string add_module() { return testing::add_module(2, "rocdl.workitem.id.x", "rocdl.workgroup.id.x"); }

std::string emit(const std::string& text, const std::string& target, Output output = Output::Assembly) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tilewright::make_target(target)->prepare(context);
  auto module = parse(context, text);
  EXPECT_TRUE(module);
  std::vector<PhaseTime> phases;
  const std::vector<char> bytes = generate(*module, resolve_target(target), output, phases);
  return {bytes.begin(), bytes.end()};
}

template <class Work>
Error error_from(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "there is no error";
  return Error(0, "");
}

Error error_of(const std::string& text, const std::string& target = "gfx942") {
  return error_from([&] { emit(text, target); });
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = add_module();
  return text.replace(text.find(from), from.size(), to);
}

class EveryTarget : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Amd, EveryTarget, ::testing::ValuesIn(target_names()), [](const auto& info) { return info.param; });

TEST_P(EveryTarget, HasAssemblyOfTheCallingConvention) {
  const std::string text = emit(add_module(), GetParam());
  const int threads = 2 * resolve_target(GetParam()).lanes;
  EXPECT_THAT(text, HasSubstr(".amdgcn_target \"amdgcn-amd-amdhsa--" + GetParam() + "\""));
  EXPECT_THAT(text, HasSubstr(".amdhsa_kernel add"));
  EXPECT_THAT(text, HasSubstr(".max_flat_workgroup_size: " + std::to_string(threads)));
  EXPECT_THAT(text, HasSubstr("global_load"));
  EXPECT_THAT(text, HasSubstr("global_store"));
  // Ten slots, in their order.
  std::size_t at = 0;
  for (int slot = 0; slot < 10; ++slot) {
    at = text.find("- .offset:         " + std::to_string(8 * slot) + "\n        .size:           8\n        .value_kind:     by_value", at);
    EXPECT_NE(at, std::string::npos) << "slot " << slot << "\n" << text;
  }
}

TEST_P(EveryTarget, MakesCodeObjects) {
  const Artifact artifact = artifact_of(add_module(), GetParam());
  const int lanes = resolve_target(GetParam()).lanes;
  EXPECT_EQ(std::string(artifact.code.data() + 1, 3), "ELF");
  EXPECT_EQ(artifact.entry, "add");
  EXPECT_EQ(artifact.launch.threads, 2 * lanes);
  EXPECT_EQ(artifact.launch.shared_bytes, 2048u);
  EXPECT_EQ(artifact.usage.shared_bytes, 2048u);
  EXPECT_EQ(artifact.usage.stack_bytes, 0u);
  EXPECT_EQ(artifact.usage.spill_store_bytes, 0u);
  EXPECT_GT(artifact.usage.registers, 2);
  EXPECT_LT(artifact.usage.registers, 40);
  EXPECT_THAT(artifact.assertions, ElementsAre("positive"));
  EXPECT_THAT(artifact.remarks, ElementsAre("a remark"));
  const CodeObjectFacts facts = read_code_object(artifact.code);
  EXPECT_EQ(facts.kernel, "add");
  EXPECT_EQ(facts.threads, 2 * lanes);
  EXPECT_EQ(facts.wave_lanes, lanes);
  EXPECT_EQ(facts.scratch_bytes, 0u);
  EXPECT_EQ(facts.argument_bytes, 80u);
  EXPECT_GT(facts.scalar_registers, 4);
}

TEST_P(EveryTarget, KnowsItsLevels) {
  const auto backend = tilewright::make_target(GetParam());
  std::vector<std::string> names;
  for (const CompileLevel& level : backend->levels()) names.push_back(level.name);
  EXPECT_THAT(names, ElementsAre("gpu", "llvm", "asm", "hsaco"));
  EXPECT_EQ(backend->describe(), GetParam());
}

TEST(AmdTargets, UnknownOnesAreListed) {
  const Error error = error_from([] { resolve_target("gfx90c"); });
  EXPECT_EQ(error.code(), 2001);
  EXPECT_THAT(std::string(error.what()), HasSubstr("'gfx90c'"));
  EXPECT_THAT(std::string(error_from([] { tilewright::make_target("gfx90c"); }).what()), HasSubstr("gfx942, gfx1100"));
}

TEST(AmdCodegen, LinesAreThoseOfTheAuthor) {
  const std::string text = emit(add_module(), "gfx942");
  EXPECT_THAT(text, HasSubstr(".file\t1 \"add.cpp\""));
  EXPECT_THAT(text, HasSubstr(".loc\t1 5 9"));
  EXPECT_THAT(text, HasSubstr(".loc\t1 8 3"));
}

TEST(AmdCodegen, LlvmIrIsOfTheKernel) {
  const std::string ir = emit(add_module(), "gfx1100", Output::LlvmIr);
  EXPECT_THAT(ir, HasSubstr("protected amdgpu_kernel void @add("));
  EXPECT_THAT(ir, HasSubstr("target triple = \"amdgcn-amd-amdhsa\""));
  EXPECT_THAT(ir, HasSubstr("\"amdgpu-flat-work-group-size\"=\"64,64\""));
}

TEST(AmdCodegen, IsTheSameEveryTimeAndInEveryThread) {
  const std::string first = emit(add_module(), "gfx942", Output::CodeObject);
  std::vector<std::string> others(4);
  std::vector<std::thread> threads;
  for (std::string& other : others) threads.emplace_back([&] { other = emit(add_module(), "gfx942", Output::CodeObject); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& other : others) EXPECT_EQ(other, first);
}

TEST(AmdCodegen, NamesPhases) {
  const Artifact artifact = artifact_of(add_module(), "gfx942");
  std::vector<std::string> names;
  for (const PhaseTime& phase : artifact.phases) {
    names.push_back(phase.name);
    EXPECT_GT(phase.ms, 0) << phase.name;
  }
  EXPECT_THAT(names, ElementsAre("translation", "optimisation", "instruction selection", "linking"));
}

// LLVM ends the process over these unless it is kept from it.
TEST(AmdCodegen, WhatLlvmCannotSelectIsAnError) {
  const Error error = error_of(one_operation_module("%r = llvm.intr.tan(%x) : (f32) -> f32"));
  EXPECT_EQ(error.code(), 2300) << error.what();
  EXPECT_THAT(error.message(), HasSubstr("tan"));
  EXPECT_THAT(emit(add_module(), "gfx942"), HasSubstr(".amdhsa_kernel add"));
}

TEST(AmdCodegen, CallsOfUnknownFunctionsAreErrors) {
  std::string text = one_operation_module("%r = llvm.call @erff(%x) : (f32) -> f32");
  text.insert(text.rfind('}'), "  llvm.func @erff(f32) -> f32\n");
  const Error error = error_of(text);
  EXPECT_EQ(error.code(), 2300);
  EXPECT_THAT(error.message(), HasSubstr("'erff'"));
}

TEST(AmdCodegen, WhatIsNotLoweredIsNamed) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.allowUnregisteredDialects();
  auto module = parse(context, R"(
module attributes {tile_gpu.warps = 1 : i64} {
  llvm.func @one() attributes {tile_gpu.kernel} {
    "tile.load"() : () -> () loc("left.cpp":2:4)
    llvm.return
  }
})");
  ASSERT_TRUE(module);
  std::vector<PhaseTime> phases;
  const Error error = error_from([&] { generate(*module, resolve_target("gfx942"), Output::Assembly, phases); });
  EXPECT_EQ(error.code(), 2300);
  EXPECT_THAT(error.message(), HasSubstr("'tile.load'"));
  EXPECT_EQ(error.where().file, "left.cpp");
  EXPECT_EQ(error.where().line, 2u);
}

TEST(AmdCodegen, LimitsOfABlockAreKept) {
  const Error shared = error_of(with("tile_gpu.shared_bytes = 2048", "tile_gpu.shared_bytes = 65537"));
  EXPECT_EQ(shared.code(), 2310);
  EXPECT_THAT(shared.message(), HasSubstr("65537"));
  EXPECT_THAT(shared.message(), HasSubstr("65536"));
  EXPECT_EQ(shared.where().file, "add.cpp");
  // Sixteen warps of 64 lanes, or thirty-two of 32.
  const std::string seventeen = with("tile_gpu.warps = 2", "tile_gpu.warps = 17");
  EXPECT_EQ(error_of(seventeen, "gfx942").code(), 2311);
  EXPECT_THAT(emit(seventeen, "gfx1100"), HasSubstr(".max_flat_workgroup_size: 544"));
  EXPECT_EQ(error_of(with("tile_gpu.warps = 2", "tile_gpu.warps = 0")).code(), 9304);
  EXPECT_EQ(error_of(with("attributes {tile_gpu.kernel}", "")).code(), 9304);
}

TEST(AmdLink, WhatIsNoObjectIsRefusedAndTheLinkerStaysUsable) {
  const std::string text = "this is no object";
  const Error error = error_from([&] { link_code_object({text.begin(), text.end()}); });
  EXPECT_EQ(error.code(), 2321) << error.what();
  EXPECT_EQ(emit(add_module(), "gfx942", Output::CodeObject).substr(1, 3), "ELF");
}

TEST(AmdCodeObject, WhatIsNoneIsRefused) {
  const std::string text = "this is no code object";
  EXPECT_EQ(error_from([&] { read_code_object({text.begin(), text.end()}); }).code(), 9314);
  const std::string code = emit(add_module(), "gfx942", Output::CodeObject);
  EXPECT_EQ(error_from([&] { read_code_object({code.begin(), code.begin() + 100}); }).code(), 9314);
}

}  // namespace
}  // namespace tilewright::amd
