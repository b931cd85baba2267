// From modules of the LLVM dialect to PTX and to artifacts.
#include "compiler/targets/nvidia/codegen.h"
#include "compiler/targets/nvidia/assemble.h"
#include "compiler/targets/target.h"
#include "runtime/support/error.h"
#include "tests/compiler/gpu_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <thread>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace tilewright::nvidia {
namespace {

using testing::artifact_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::one_operation_module;
using testing::parse;

std::string add_module() { return testing::add_module(4, "nvvm.read.ptx.sreg.tid.x", "nvvm.read.ptx.sreg.ctaid.x"); }

std::string emit(const std::string& text, const std::string& target, Output output = Output::Ptx) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  make_target(target)->prepare(context);
  auto module = parse(context, text);
  EXPECT_TRUE(module);
  std::vector<PhaseTime> phases;
  return generate(*module, resolve_target(target), output, phases);
}

Error error_of(const std::string& text, const std::string& target = "sm_90a") {
  try {
    emit(text, target);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "this compiles:\n" << text;
  return Error(0, "");
}

// LLVM has no clean-ups for exceptions: what its frames hold when one is thrown through them is lost, and no leak of ours.
#if defined(__SANITIZE_ADDRESS__)
using LeakAllowed = __lsan::ScopedDisabler;
#else
struct LeakAllowed {};
#endif

Error fatal_error_of(const std::string& text) {
  [[maybe_unused]] const LeakAllowed in_llvm;
  return error_of(text);
}

class EveryTarget : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Nvidia, EveryTarget, ::testing::ValuesIn(target_names()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '+', '_');
  return name;
});

TEST_P(EveryTarget, HasPtxOfTheCallingConvention) {
  const std::string ptx = emit(add_module(), GetParam());
  EXPECT_THAT(ptx, HasSubstr(".version 9.0"));
  EXPECT_THAT(ptx, HasSubstr(".target " + resolve_target(GetParam()).name + "\n"));
  EXPECT_THAT(ptx, HasSubstr(".visible .entry add("));
  EXPECT_THAT(ptx, HasSubstr(".param .u64 add_param_9"));
  EXPECT_THAT(ptx, HasSubstr(".reqntid 128"));
  EXPECT_THAT(ptx, HasSubstr("ld.global"));
  EXPECT_THAT(ptx, HasSubstr("st.global"));
}

// What the kernel before has written is there when the first load takes place.
TEST_P(EveryTarget, WaitsForTheKernelBeforeWhereItMayOverlapIt) {
  const std::string ptx = emit(add_module(), GetParam());
  const bool overlaps = resolve_target(GetParam()).overlaps_launches;
  EXPECT_EQ(overlaps, GetParam().find("sm_8") == std::string::npos);
  EXPECT_EQ(artifact_of(add_module(), GetParam()).launch.overlaps_previous, overlaps);
  const std::size_t wait = ptx.find("griddepcontrol.wait; griddepcontrol.launch_dependents;");
  if (!overlaps) EXPECT_EQ(wait, std::string::npos);
  else EXPECT_LT(wait, ptx.find("ld.global"));
}

TEST_P(EveryTarget, Assembles) {
  const Artifact artifact = artifact_of(add_module(), GetParam());
  EXPECT_EQ(artifact.entry, "add");
  EXPECT_EQ(artifact.launch.threads, 128);
  EXPECT_EQ(artifact.launch.shared_bytes, 2048u);
  EXPECT_EQ(artifact.usage.shared_bytes, 2048u);
  EXPECT_THAT(artifact.assertions, ElementsAre("positive"));
  ASSERT_FALSE(artifact.remarks.empty());
  EXPECT_EQ(artifact.remarks[0], "a remark");
  std::string problem;
  if (assembler(problem) == nullptr) {
    EXPECT_EQ(std::string(artifact.code.begin(), artifact.code.end()), emit(add_module(), GetParam()));
    EXPECT_THAT(artifact.remarks.back(), HasSubstr("left as PTX"));
    GTEST_SKIP() << problem;
  }
  EXPECT_EQ(std::string(artifact.code.data() + 1, 3), "ELF");
  EXPECT_FALSE(artifact.assembler.empty());
  EXPECT_EQ(artifact.remarks.size(), 1u);
  EXPECT_GT(artifact.usage.registers, 4);
  EXPECT_LT(artifact.usage.registers, 40);
  EXPECT_EQ(artifact.usage.spill_store_bytes, 0u);
  EXPECT_GT(artifact.usage.resident_blocks, 4);
  EXPECT_GT(artifact.usage.occupancy, 0.5);
  EXPECT_EQ(artifact.usage.occupancy_limit, GetParam() == "sm_86" || GetParam() == "sm_89" ? "threads" : artifact.usage.occupancy_limit);
}

TEST_P(EveryTarget, KnowsItsLevels) {
  const auto backend = tilewright::make_target(GetParam());
  std::vector<std::string> names;
  for (const CompileLevel& level : backend->levels()) names.push_back(level.name);
  EXPECT_THAT(names, ElementsAre("gpu", "llvm", "ptx", "cubin", "sass"));
  EXPECT_THAT(backend->describe(), HasSubstr(GetParam()));
}

TEST_P(EveryTarget, HasAtomicOperationsAtTheScopeOfTheDevice) {
  const auto ptx_of = [](const std::string& kind) {
    return emit(one_operation_module("%r = llvm.atomicrmw " + kind + " %p, %x syncscope(\"device\") monotonic : !llvm.ptr<1>, f32"), GetParam());
  };
  EXPECT_THAT(ptx_of("fadd"), HasSubstr("atom.global.add.f32"));  // relaxed and of the device where it says nothing
  for (const char* looped : {"fminimum", "fmaximum"}) EXPECT_THAT(ptx_of(looped), HasSubstr("atom.relaxed.gpu.global.cas.b32"));
}

TEST_P(EveryTarget, HasFencesAtTheScopeOfTheDevice) {
  for (const char* order : {"acquire", "release", "acq_rel"}) {
    const std::string ptx = emit(one_operation_module("llvm.fence syncscope(\"device\") " + std::string(order) + "\n    %r = llvm.load %p : !llvm.ptr<1> -> f32"), GetParam());
    EXPECT_TRUE(std::regex_search(ptx, std::regex(R"(fence\.(acq_rel|acquire|release)\S*\.gpu)"))) << order << "\n" << ptx;
  }
}

TEST(NvidiaCodegen, LinesAreThoseOfTheAuthor) {
  const std::string ptx = emit(add_module(), "sm_90a");
  std::smatch file;
  ASSERT_TRUE(std::regex_search(ptx, file, std::regex(R"(\.file\s+(\d+) "[^"]*add\.cpp")"))) << ptx;
  EXPECT_THAT(ptx, HasSubstr(".loc\t" + file[1].str() + " 5 9"));
  EXPECT_THAT(ptx, HasSubstr(".loc\t" + file[1].str() + " 8 3"));
  ASSERT_TRUE(std::regex_search(ptx, file, std::regex(R"(\.file\s+(\d+) "[^"]*helper\.h")"))) << ptx;
  EXPECT_THAT(ptx, HasSubstr(".loc\t" + file[1].str() + " 7 9"));
  EXPECT_THAT(ptx, Not(HasSubstr(", debug")));
  EXPECT_THAT(ptx, Not(HasSubstr(".debug_info")));
}

TEST(NvidiaCodegen, LlvmIrIsOfTheKernel) {
  const std::string ir = emit(add_module(), "sm_90a", Output::LlvmIr);
  EXPECT_THAT(ir, HasSubstr("define ptx_kernel void @add("));
  EXPECT_THAT(ir, HasSubstr("target triple = \"nvptx64-nvidia-cuda\""));
  EXPECT_THAT(ir, HasSubstr("\"nvvm.reqntid\"=\"128\""));
}

TEST(NvidiaCodegen, IsTheSameEveryTimeAndInEveryThread) {
  const std::string first = emit(add_module(), "sm_90a");
  std::vector<std::string> others(4);
  std::vector<std::thread> threads;
  for (std::string& other : others) threads.emplace_back([&] { other = emit(add_module(), "sm_90a"); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& other : others) EXPECT_EQ(other, first);
}

TEST(NvidiaCodegen, NamesPhases) {
  const Artifact artifact = artifact_of(add_module(), "sm_90a");
  std::vector<std::string> names;
  for (const PhaseTime& phase : artifact.phases) {
    names.push_back(phase.name);
    EXPECT_GT(phase.ms, 0) << phase.name;
  }
  names.resize(3);
  EXPECT_THAT(names, ElementsAre("translation", "optimisation", "instruction selection"));
}

// LLVM ends the process over these unless it is kept from it.
TEST(NvidiaCodegen, WhatLlvmCannotSelectIsAnErrorAtItsPosition) {
  const auto check = [] {
    const Error error = fatal_error_of(one_operation_module("%r = llvm.intr.pow(%x, %x) : (f32, f32) -> f32"));
    EXPECT_EQ(error.code(), 2300) << error.what();
    EXPECT_EQ(error.where().file, "one.cpp") << error.what();
    EXPECT_EQ(error.where().line, 5u);
    EXPECT_EQ(error.where().column, 3u);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 5; ++repeat) check();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(emit(add_module(), "sm_90a"), HasSubstr(".entry add("));
}

TEST(NvidiaCodegen, CallsOfUnknownFunctionsAreErrors) {
  std::string text = one_operation_module("%r = llvm.call @erff(%x) : (f32) -> f32");
  text.insert(text.rfind('}'), "  llvm.func @erff(f32) -> f32\n");
  const Error error = error_of(text);
  EXPECT_EQ(error.code(), 2300);
  EXPECT_THAT(error.message(), HasSubstr("'erff'"));
}

TEST(NvidiaCodegen, BadInlineAssemblyIsAnError) {
  const Error error = fatal_error_of(one_operation_module(R"(%r = llvm.inline_asm "mov.f32 $0, $5;", "=f,f" %x : (f32) -> f32)"));
  EXPECT_EQ(error.code(), 2300) << error.what();
}

TEST(NvidiaCodegen, WhatIsNotLoweredIsNamed) {
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
  try {
    generate(*module, resolve_target("sm_80"), Output::Ptx, phases);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 2300);
    EXPECT_THAT(error.message(), HasSubstr("'tile.load'"));
    EXPECT_EQ(error.where().file, "left.cpp");
    EXPECT_EQ(error.where().line, 2u);
  }
}

TEST(NvidiaCodegen, LimitsOfABlockAreKept) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = add_module();
    return text.replace(text.find(from), from.size(), to);
  };
  const Error shared = error_of(with("tile_gpu.shared_bytes = 2048", "tile_gpu.shared_bytes = 200000"), "sm_80");
  EXPECT_EQ(shared.code(), 2310);
  EXPECT_THAT(shared.message(), HasSubstr("200000"));
  EXPECT_THAT(shared.message(), HasSubstr("166912"));
  EXPECT_EQ(shared.where().file, "add.cpp");
  EXPECT_THAT(emit(with("tile_gpu.shared_bytes = 2048", "tile_gpu.shared_bytes = 200000"), "sm_90a"), HasSubstr(".entry"));
  EXPECT_EQ(error_of(with("tile_gpu.warps = 4", "tile_gpu.warps = 33")).code(), 2311);
  EXPECT_EQ(error_of(with("tile_gpu.warps = 4", "tile_gpu.warps = 0")).code(), 9304);
  EXPECT_EQ(error_of(with("attributes {tile_gpu.kernel}", "")).code(), 9304);
}

TEST(Remarks, AreWarningsAndLossesOfTheAssembler) {
  const std::string log =
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to ... in function 'k'\n"
      "ptxas warning : Value of threads per SM for entry k is out of range. .minnctapersm will be ignored\n"
      "ptxas info    : Used 8 registers, used 0 barriers\n";
  EXPECT_THAT(remarks_of(log),
              ElementsAre("assembler: (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to ... in function 'k'",
                          "assembler: Value of threads per SM for entry k is out of range. .minnctapersm will be ignored"));
}

}  // namespace
}  // namespace tilewright::nvidia
