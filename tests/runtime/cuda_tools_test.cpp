// The tools of a CUDA toolkit, where this machine has them: PTX to machine code, CUDA C++ to PTX. No device is needed.
#include "runtime/support/dynamic_library.h"
#include "runtime/support/cuda/nvrtc.h"
#include "runtime/support/process.h"
#include "runtime/support/cuda/ptx_assembler.h"
#include "runtime/support/cuda/toolkit.h"
#include "tests/runtime/cuda_kernels.h"
#include "tests/runtime/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

namespace tilewright::testing {
namespace {

namespace fs = std::filesystem;

PtxOptions options_for(const std::string& target) {
  PtxOptions options;
  options.target = target;
  return options;
}

// Sets a variable of the environment for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { old_.empty() ? unsetenv(name_) : setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

// A folder with empty files in it, removed in the end.
class MadeUpFolder {
 public:
  explicit MadeUpFolder(const std::vector<std::string>& files)
      : path_(fs::canonical(fs::temp_directory_path()) / ("tilewright-test-" + std::to_string(getpid()))) {
    for (const std::string& file : files) {
      fs::create_directories((path_ / file).parent_path());
      std::ofstream(path_ / file) << "";
      fs::permissions(path_ / file, fs::perms::owner_all);
    }
  }
  ~MadeUpFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(PtxUsage, IsReadFromTheLogOfPtxas) {
  const std::string log =
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'first' for 'sm_90a'\n"
      "ptxas info    : Function properties for first\n"
      "    64 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 3 barriers, 64 bytes cumulative stack size, 1024 bytes smem, 552 bytes cmem[0]\n"
      "ptxas info    : Compiling entry function 'second' for 'sm_90a'\n"
      "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 8 registers, used 0 barriers\n";
  const std::vector<PtxUsage> kernels = parse_ptx_usage(log);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].entry, "first");
  EXPECT_EQ(kernels[0].registers, 168);
  EXPECT_EQ(kernels[0].barriers, 3);
  EXPECT_EQ(kernels[0].stack_bytes, 64u);
  EXPECT_EQ(kernels[0].spill_store_bytes, 12u);
  EXPECT_EQ(kernels[0].spill_load_bytes, 8u);
  EXPECT_EQ(kernels[0].shared_bytes, 1024u);
  EXPECT_EQ(kernels[1].entry, "second");
  EXPECT_EQ(kernels[1].registers, 8);
  EXPECT_EQ(kernels[1].spill_store_bytes, 0u);
  const std::string called = "ptxas info    : Function properties for called\nptxas         .     80 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n";
  EXPECT_EQ(parse_ptx_usage(log + called).at(1).stack_bytes, 0u);
  EXPECT_TRUE(parse_ptx_usage("").empty());
  EXPECT_TRUE(parse_ptx_usage("no kernels here\nUsed 5 registers").empty());
}

TEST(Toolkit, FoldersNamedByTheEnvironmentComeFirst) {
  const MadeUpFolder made({"cuda/lib64/libnvJitLink.so.13", "cuda/bin/ptxas", "cuda/include/cuda_fp16.h"});
  const Variable home("CUDA_HOME", (made.path() / "cuda").string()), path("PATH", "/nowhere");
  EXPECT_EQ(toolkit_folders().at(0), made.path() / "cuda");
  EXPECT_EQ(find_toolkit_program("ptxas"), made.path() / "cuda/bin/ptxas");
  EXPECT_EQ(find_toolkit_program("no-such-program"), fs::path());
  EXPECT_EQ(toolkit_include_folders("cuda_fp16.h").at(0), made.path() / "cuda/include");
  const auto candidates = toolkit_library_candidates("nvJitLink", {"13"});
  EXPECT_EQ(candidates.at(0), "libnvJitLink.so.13");
  EXPECT_EQ(candidates.at(1), "libnvJitLink.so");
  EXPECT_EQ(candidates.at(2), (made.path() / "cuda/lib64/libnvJitLink.so.13").string());
}

TEST(Toolkit, PythonEnvironmentsAreSearched) {
  const MadeUpFolder made(
      {"venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13", "venv/lib/python3.12/site-packages/nvidia/cu13/bin/ptxas"});
  const Variable home("CUDA_HOME", ""), cuda("CUDA_PATH", ""), python("VIRTUAL_ENV", (made.path() / "venv").string());
  const fs::path package = made.path() / "venv/lib/python3.12/site-packages/nvidia/cu13";
  EXPECT_THAT(toolkit_folders(), ::testing::Contains(package));
  EXPECT_THAT(toolkit_library_candidates("nvrtc", {}), ::testing::Contains((package / "lib/libnvrtc.so.13").string()));
}

TEST(Process, GivesOutputAndExitCode) {
  const ProcessResult run = run_process({"/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(run.exit_code, 7);
  EXPECT_EQ(run.output, "out\nerr\n");
  EXPECT_EQ(run_process({"/bin/sh", "-c", "kill -9 $$"}).exit_code, 128 + 9);
  EXPECT_EQ(run_process({"/bin/sh", "-c", "cat; yes x | head -c 200000"}).output.size(), 200000u);
  expect_error(3310, {"/nowhere/ptxas"}, [] { run_process({"/nowhere/ptxas"}); });
}

TEST(Conversation, AnswersLineByLine) {
  Conversation upper({"/bin/sh", "-c", "while read line; do echo \"<$line>\"; [ $line != last ] || exit; done"});
  for (const char* word : {"one", "two", "last"}) {
    upper.say(word);
    EXPECT_EQ(upper.next_line(), "<" + std::string(word) + ">");
  }
  EXPECT_EQ(upper.next_line(), std::nullopt);
  upper.say("more");  // to nobody
  EXPECT_EQ(Conversation({"/bin/sh", "-c", "printf 'no end'"}).next_line(), "no end");
  expect_error(3310, {"/nowhere/python"}, [] { Conversation({"/nowhere/python"}); });
}

TEST(PtxAssembler, MissingToolsAreNamed) {
  std::string problem;
  EXPECT_EQ(load_nv_jit_link(problem, "/nowhere/libnvJitLink.so"), nullptr);
  EXPECT_NE(problem.find("/nowhere/libnvJitLink.so"), std::string::npos) << problem;
  EXPECT_EQ(load_nv_jit_link(problem, "libm.so.6"), nullptr);
  EXPECT_NE(problem.find("has no function nvJitLinkVersion"), std::string::npos) << problem;
  EXPECT_EQ(find_ptxas(problem, "/nowhere/ptxas"), nullptr);
  EXPECT_NE(problem.find("/nowhere/ptxas"), std::string::npos) << problem;
  EXPECT_EQ(find_ptxas(problem, "/bin/echo"), nullptr);
  EXPECT_NE(problem.find("does not say a version"), std::string::npos) << problem;
  expect_error(3310, {"/nowhere/libnvrtc.so"}, [] { load_nvrtc("/nowhere/libnvrtc.so"); });
  expect_error(3310, {"nvrtcVersion"}, [] { load_nvrtc("libm.so.6"); });
}

TEST(PtxAssembler, PtxasComesFirst) {
  std::string problem;
  const auto program = find_ptxas(problem);
  if (!program) GTEST_SKIP() << problem;
  EXPECT_EQ(find_ptx_assembler(problem)->description(), program->description());
}

enum class Tool { NvJitLink, Ptxas };

class PtxAssemblerTest : public ::testing::TestWithParam<Tool> {
 protected:
  void SetUp() override {
    std::string problem;
    assembler_ = GetParam() == Tool::NvJitLink ? load_nv_jit_link(problem) : find_ptxas(problem);
    if (!assembler_) GTEST_SKIP() << problem;
  }

  AssembledPtx assemble(const std::string& text, const PtxOptions& options) const {
    const PtxSource source{"test.ptx", text};
    return assembler_->assemble({&source, 1}, options);
  }

  std::shared_ptr<const PtxAssembler> assembler_;
};

TEST_P(PtxAssemblerTest, AssemblesEveryTestKernel) {
  for (const std::string& name : ptx_kernel_names()) {
    const PtxKernel kernel = ptx_kernel(name);
    const AssembledPtx result = assemble(kernel.text, options_for("sm_90a"));
    EXPECT_EQ(std::string(result.cubin.data(), 4),
              "\x7f"
              "ELF");
    ASSERT_EQ(result.kernels.size(), 1u) << result.log;
    EXPECT_EQ(result.kernels[0].entry, name);
    EXPECT_GT(result.kernels[0].registers, 0);
    EXPECT_EQ(result.kernels[0].spill_store_bytes, 0u);
  }
}

TEST_P(PtxAssemblerTest, AssemblesForEveryTarget) {
  for (const char* target : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a"})
    EXPECT_FALSE(assemble(ptx_kernel("vector_add").text, options_for(target)).cubin.empty()) << target;
}

TEST_P(PtxAssemblerTest, RepeatsItself) {
  const std::string text = ptx_kernel("copy").text;
  EXPECT_EQ(assemble(text, options_for("sm_90a")).cubin, assemble(text, options_for("sm_90a")).cubin);
}

TEST_P(PtxAssemblerTest, ErrorsShowTheLogAndTheLine) {
  std::string text = ptx_kernel("vector_add").text;
  text.replace(text.find("%f3, %f1, %f2"), 13, "%f3, %f1, %undeclared");
  expect_error(2320, {"'test.ptx' does not assemble for sm_90a", "Unknown symbol '%undeclared'", ": add.f32 %f3, %f1, %undeclared;"},
               [&] { assemble(text, options_for("sm_90a")); });
  expect_error(2320, {"sm_12345"}, [&] { assemble(ptx_kernel("copy").text, options_for("sm_12345")); });
  expect_error(2320, {"sm_80"}, [&] { assemble(ptx_kernel("add_one").text, options_for("sm_80")); });
}

TEST_P(PtxAssemblerTest, OptionsReachTheAssembler) {
  PtxOptions options = options_for("sm_90a");
  options.optimization = 0;
  options.line_info = true;
  const AssembledPtx plain = assemble(ptx_kernel("copy").text, options_for("sm_90a")), unoptimised = assemble(ptx_kernel("copy").text, options);
  EXPECT_NE(plain.cubin, unoptimised.cubin);
  options = options_for("sm_90a");
  options.max_registers = 24;
  EXPECT_LE(assemble(ptx_kernel("copy").text, options).kernels.at(0).registers, 24);
}

TEST_P(PtxAssemblerTest, WorksFromSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<std::vector<char>> cubins(4);
  for (std::size_t i = 0; i < cubins.size(); ++i)
    threads.emplace_back([&, i] { cubins[i] = assemble(ptx_kernel("count").text, options_for("sm_90a")).cubin; });
  for (std::thread& thread : threads) thread.join();
  for (const auto& cubin : cubins) EXPECT_EQ(cubin, cubins[0]);
}

TEST_P(PtxAssemblerTest, SeveralSourcesAreLinked) {
  const std::string header = ".version 7.8\n.target sm_80\n.address_size 64\n";
  const PtxSource sources[] = {
      {"caller.ptx",
       header +
           ".extern .func (.param .b32 r) twice(.param .b32 x);\n"
           ".visible .entry caller(.param .u64 out) {\n  .reg .b32 %r<2>; .reg .b64 %rd<2>;\n  ld.param.u64 %rd1, [out];\n  mov.u32 %r1, %tid.x;\n"
           "  { .param .b32 x; .param .b32 r; st.param.b32 [x], %r1; call.uni (r), twice, (x); ld.param.b32 %r1, [r]; }\n  st.u32 [%rd1], %r1;\n  "
           "ret;\n}\n"},
      {"callee.ptx",
       header + ".visible .func (.param .b32 r) twice(.param .b32 x) {\n  .reg .b32 %r<2>;\n  ld.param.b32 %r1, [x];\n  add.s32 %r1, %r1, %r1;\n"
                "  st.param.b32 [r], %r1;\n  ret;\n}\n"}};
  if (GetParam() == Tool::NvJitLink) {
    EXPECT_FALSE(assembler_->assemble(sources, options_for("sm_90a")).cubin.empty());
    expect_error(2320, {"'caller.ptx'", "twice"}, [&] { assembler_->assemble({sources, 1}, options_for("sm_90a")); });
  } else {
    expect_error(3310, {"2 PTX sources", "nvJitLink"}, [&] { assembler_->assemble(sources, options_for("sm_90a")); });
  }
}

INSTANTIATE_TEST_SUITE_P(Tools, PtxAssemblerTest, ::testing::Values(Tool::NvJitLink, Tool::Ptxas),
                         [](const auto& info) { return info.param == Tool::NvJitLink ? "nvJitLink" : "ptxas"; });

class NvrtcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Error error = error_of([&] { compiler_ = load_nvrtc(); });
    if (!compiler_) GTEST_SKIP() << error.message();
  }
  std::shared_ptr<const CudaCompiler> compiler_;
};

TEST_F(NvrtcTest, CompilesToPtx) {
  EXPECT_EQ(compiler_->description().rfind("NVRTC ", 0), 0u);
  const CudaSource source{"scale.cu", "extern \"C\" __global__ void scale(float* x, float by) { x[threadIdx.x] *= by + TERM; }", {"-DTERM=1"}};
  const std::string ptx = compiler_->compile(source, "sm_90a");
  EXPECT_NE(ptx.find(".visible .entry scale("), std::string::npos);
  EXPECT_NE(ptx.find(".target sm_90a"), std::string::npos);
}

TEST_F(NvrtcTest, ErrorsShowTheLog) {
  const CudaSource source{"broken.cu", "extern \"C\" __global__ void k(float* x) {\n  x[0] = nowhere;\n}\n", {}};
  expect_error(1950, {"'broken.cu'", "sm_90a", "broken.cu(2)", "nowhere"}, [&] { compiler_->compile(source, "sm_90a"); });
  expect_error(3310, {"gfx942"}, [&] { compiler_->compile(source, "gfx942"); });
  const CudaSource option{"good.cu", "__global__ void k() {}", {"--no-such-option"}};
  expect_error(3310, {"nvrtcCompileProgram", "no-such-option"}, [&] { compiler_->compile(option, "sm_90a"); });
}

TEST_F(NvrtcTest, HeadersOfTheToolkitAreFound) {
  if (toolkit_include_folders("cuda_fp16.h").empty()) GTEST_SKIP() << "no toolkit headers on this machine";
  const CudaSource source{"half.cu", "#include <cuda_fp16.h>\nextern \"C\" __global__ void k(__half* x) { x[0] = __hadd(x[0], x[1]); }", {}};
  EXPECT_NE(compiler_->compile(source, "sm_80").find(".visible .entry k("), std::string::npos);
}

}  // namespace
}  // namespace tilewright::testing
