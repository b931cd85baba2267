// Kernels that call functions in CUDA C++: the calls in PTX, who refuses them, and, where NVRTC and nvJitLink are here, the linked machine code. No device is needed.
#include "compiler/compiler.h"
#include "dsl/program/kernel.h"
#include "dsl/tilewright.h"
#include "runtime/support/cuda/toolkit.h"
#include "runtime/support/error.h"
#include "tests/cuda_linker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace tilewright {
namespace {

using ::testing::HasSubstr;

const char* const kGelu = "__device__ float half_of(float x) { return 0.5f * x; }\n"
                          "__device__ float gelu(float x) { return half_of(x) * erfcf(x * -0.70710678f); }";
const ExternFunction gelu = extern_cuda(kGelu, "gelu", f32);
const ExternFunction gate = extern_cuda("__device__ float half_of(float x) { return 0.25f * x; }\n"
                                        "namespace activations { __device__ float gate(float x, int place) { return place % 2 ? half_of(x) : x; } }",
                                        "activations::gate", f32);
const ExternFunction broken = extern_cuda("__device__ float broken(float x) {\n  return nowhere(x);\n}", "broken", f32);
const ExternFunction absent = extern_cuda(kGelu, "absent", f32);

struct Gelu {
  Grid grid(In x) const { return {ceil_div(x.size(0), 1024)}; }
  void body(In x, Out y) const { store(y, {program_id(0) * 1024}, gelu(load(x, {program_id(0) * 1024}, {1024}))); }
};
TW_KERNEL(Gelu, "gelu_kernel", "x", "y")

// Two sources whose helpers have one name.
struct Gated {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const {
    Tile t = load(x, {0}, {512});
    store(y, {0}, gelu(t) * gate(t, arange(512)));
  }
};
TW_KERNEL(Gated, "gated", "x", "y")

struct Broken {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const { store(y, {0}, broken(load(x, {0}, {128}))); }
};
TW_KERNEL(Broken, "broken", "x", "y")

struct Absent {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const { store(y, {0}, absent(load(x, {0}, {128}))); }
};
TW_KERNEL(Absent, "absent", "x", "y")

// Every dtype there and back.
struct Mirror {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const {
    const auto through = [](const Tile& t, const char* type, DType dtype) {
      const std::string source = std::string("template <class T> __device__ T same(T x) { return x; }\n__device__ ") + type + " mirror(" + type + " x) { return same(x); }";
      return cast(extern_cuda(source.c_str(), "mirror", dtype)(cast(t, dtype)), f32);
    };
    Tile t = load(x, {0}, {128});
    Var sum = through(t, "double", f64);
    const std::pair<const char*, DType> integers[] = {{"signed char", i8}, {"unsigned char", u8}, {"short", i16}, {"unsigned short", u16}, {"int", i32}, {"unsigned", u32},
                                                      {"long long", i64}, {"unsigned long long", u64}, {"bool", boolean}};
    for (const auto& [type, dtype] : integers) sum += through(t, type, dtype);
    store(y, {0}, sum);
  }
};
TW_KERNEL(Mirror, "mirror", "x", "y")

struct Halves {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const {
    const ExternFunction sum = extern_cuda("#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n"
                                           "__device__ __half sum(__half a, __nv_bfloat16 b) { return __float2half(__half2float(a) + __bfloat162float(b)); }",
                                           "sum", f16);
    Tile t = load(x, {0}, {128});
    store(y, {0}, cast(sum(cast(t, f16), cast(t, bf16)), f32));
  }
};
TW_KERNEL(Halves, "halves", "x", "y")

// In a combiner, and for rows that repeat.
struct Joined {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const {
    const ExternFunction join = extern_cuda("__device__ float join(float a, float b) { return fmaxf(a, b); }", "join", f32);
    Tile row = load(x, {0}, {32});
    store(y, {0}, reduce(row, 0, [&](Tile a, Tile b) { return join(a, b); }) + sum(gelu(broadcast_to(row, {64, 32})), 0));
  }
};
TW_KERNEL(Joined, "joined", "x", "y")

template <class K>
std::shared_ptr<const program::Program> traced() {
  program::CallFacts facts;
  facts.types = {{DType::F32, {-1}, true}, {DType::F32, {-1}, true}};
  facts.facts.resize(2, {true, true, true, false});
  return std::make_shared<const program::Program>(kernel_of<K>().trace(facts));
}

CompileOptions options_for(const std::string& target) {
  CompileOptions options;
  options.target = target;
  return options;
}

template <class K>
Error error_of(const std::string& target) {
  try {
    make_compiler()->compile(traced<K>(), options_for(target));
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "this compiles";
  return Error(0, "");
}

std::string emit(const program::Program& program, const std::string& level) { return make_compiler()->emit(program, options_for("sm_90a"), level); }

std::ptrdiff_t calls_in(const std::string& ptx, int function) {
  const std::regex call("call\\.uni \\(retval0\\),\\s+tilewright_extern_" + std::to_string(function));
  return std::distance(std::sregex_iterator(ptx.begin(), ptx.end(), call), {});
}

#define NEEDS_TOOLS() \
  if (const std::string missing = missing_cuda_linker(); !missing.empty()) GTEST_SKIP() << missing

TEST(CudaKernels, AreCalledInPtx) {
  const std::string ptx = emit(*traced<Gelu>(), "ptx");
  EXPECT_THAT(ptx, HasSubstr(".extern .func  (.param .b32 func_retval0) tilewright_extern_0"));
  EXPECT_EQ(calls_in(ptx, 0), 8) << ptx;  // 1024 elements, 128 threads
}

TEST(CudaKernels, CallsStandInCombinersAndOnceForRowsThatRepeat) {
  const std::string ptx = emit(*traced<Joined>(), "ptx");
  EXPECT_EQ(calls_in(ptx, 0) + calls_in(ptx, 1), 6) << ptx;  // five steps across the lanes of a warp, and one element a lane
}

TEST(CudaKernels, WithoutALinkerTheCallIsNamed) {
  std::string problem;
  if (load_nv_jit_link(problem)) GTEST_SKIP() << "nvJitLink is here";
  const Error error = error_of<Gelu>("sm_90a");
  EXPECT_EQ(error.code(), 3310);
  EXPECT_THAT(error.message(), HasSubstr("'gelu' needs a linker of PTX")) << error.what();
  EXPECT_THAT(error.where().file, HasSubstr("cuda_kernels_test.cpp"));
}

TEST(CudaKernels, OtherTargetsRefuseWithThePosition) {
  for (const char* target : {"x86-64-v2", "gfx942"}) {
    const Error error = error_of<Gelu>(target);
    EXPECT_EQ(error.code(), 2330) << error.what();
    EXPECT_THAT(error.message(), HasSubstr(std::string("kernel 'gelu_kernel' calls the CUDA function 'gelu', which target '") + target + "' cannot run"));
    EXPECT_EQ(error.where().file, __FILE__);
    EXPECT_GT(error.where().line, 0u);
  }
}

TEST(CudaKernels, AreLinkedWithTheKernel) {
  NEEDS_TOOLS();
  for (const char* target : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a"}) {
    const Artifact artifact = make_compiler()->compile(traced<Gelu>(), options_for(target));
    EXPECT_EQ(std::string(artifact.code.data() + 1, 3), "ELF");
    EXPECT_GT(artifact.usage.registers, 8);
    EXPECT_EQ(artifact.usage.spill_store_bytes, 0u);
    EXPECT_THAT(artifact.remarks, ::testing::IsEmpty());
    const std::string code(artifact.code.begin(), artifact.code.end());
    EXPECT_THAT(code, HasSubstr(".text.tilewright_extern_0"));
    EXPECT_THAT(code, HasSubstr("half_of"));
  }
}

TEST(CudaKernels, SourcesMayShareNamesOfHelpers) {
  NEEDS_TOOLS();
  const Artifact artifact = make_compiler()->compile(traced<Gated>(), options_for("sm_90a"));
  const std::string code(artifact.code.begin(), artifact.code.end());
  EXPECT_THAT(code, HasSubstr(".text.tilewright_extern_0"));
  EXPECT_THAT(code, HasSubstr(".text.tilewright_extern_1"));
}

TEST(CudaKernels, EveryDtypeIsPassed) {
  NEEDS_TOOLS();
  EXPECT_FALSE(make_compiler()->compile(traced<Mirror>(), options_for("sm_90a")).code.empty());
}

TEST(CudaKernels, NarrowFloatsNeedTheHeadersOfAToolkit) {
  NEEDS_TOOLS();
  if (!toolkit_include_folders("cuda_bf16.h").empty()) {
    EXPECT_FALSE(make_compiler()->compile(traced<Halves>(), options_for("sm_90a")).code.empty());
    return;
  }
  const Error error = error_of<Halves>("sm_90a");
  EXPECT_EQ(error.code(), 3310);
  EXPECT_THAT(error.message(), HasSubstr("passing f16 to the CUDA function 'sum' needs cuda_fp16.h"));
  EXPECT_EQ(error.where().file, __FILE__);
}

TEST(CudaKernels, MistakesInTheSourceAreShownWithTheCall) {
  NEEDS_TOOLS();
  const Error error = error_of<Broken>("sm_90a");
  EXPECT_EQ(error.code(), 1950);
  EXPECT_EQ(error.where().file, __FILE__);
  EXPECT_GT(error.where().line, 0u);
  EXPECT_THAT(error.what(), HasSubstr("broken.cu(2): error: identifier \"nowhere\" is undefined"));
  EXPECT_THAT(error_of<Absent>("sm_90a").what(), HasSubstr("call of absent(1): error: identifier \"absent\" is undefined"));
}

}  // namespace
}  // namespace tilewright
