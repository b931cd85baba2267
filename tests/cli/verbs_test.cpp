// `tilewright doctor`, `list`, `compile`, and the command line as a whole.
#include "tests/cli/cli_test.h"

#include "runtime/safetensors.h"

namespace tilewright::testing {
namespace {

class Verbs : public CommandLine {};
class ListVerb : public CommandLine {};
class CompileVerb : public CommandLine {};
class DoctorVerb : public CommandLine {};

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST_F(Verbs, HelpAndVersion) {
  const Finished help = tilewright({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* verb : {"doctor", "list", "run", "compile", "bench"}) {
    EXPECT_NE(help.out.find(verb), std::string::npos);
    EXPECT_EQ(tilewright({verb, "--help"}).exit_code, 0);
  }
  const Finished version = tilewright({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out.rfind("tilewright ", 0), 0u);
}

TEST_F(Verbs, UsageErrors) {
  expect_refused(tilewright({}), 2, {"a verb is missing", "doctor"});
  expect_refused(tilewright({"dance"}), 2, {"dance"});
  expect_refused(tilewright({"doctor", "now"}), 2, {"now"});
  expect_refused(tilewright({"list", "--colour"}), 2, {"--colour"});
}

TEST_F(DoctorVerb, NamesWhatWorks) {
  const Finished done = tilewright({"doctor"});
  EXPECT_EQ(done.exit_code, 0) << done.out;
  for (const char* word : {"tilewright", "compiler   LLVM 22", "processor", "memory", "cpu", "reference", "null", "works"}) EXPECT_NE(done.out.find(word), std::string::npos) << word;
  const Finished as_json = tilewright({"doctor", "--json"});
  EXPECT_EQ(as_json.exit_code, 0);
  const auto json = json_of(as_json);
  ASSERT_EQ(json["devices"].size(), 3u);
  for (const auto& device : json["devices"]) EXPECT_EQ(device["works"], true) << device;
  EXPECT_GE(json["processor"]["cores"].get<int>(), 1);
}

TEST_F(ListVerb, OperatorsOfALibrary) {
  const Finished done = tilewright({"list", "--load", TEST_OPERATORS});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_NE(done.out.find("test_scale"), std::string::npos);
  EXPECT_NE(done.out.find("Scales a vector"), std::string::npos);
  EXPECT_EQ(tilewright({"list"}).out.find("test_scale"), std::string::npos);
}

TEST_F(ListVerb, AllOfOne) {
  const Finished done = on("list", "test_scale");
  EXPECT_EQ(done.exit_code, 0);
  for (const char* word : {"size=1000", "what to scale by", "kernel test_scale_kernel", "in       x", "out      y", "scalar   factor", "tunable  block = 256 64", "constant shift = 1"})
    EXPECT_NE(done.out.find(word), std::string::npos) << word << "\n" << done.out;
}

TEST_F(ListVerb, Json) {
  const auto all = json_of(tilewright({"list", "--load", TEST_OPERATORS, "--json"}));
  bool found = false;
  for (const auto& entry : all["kernels"]) found |= entry["name"] == "test_scale";
  EXPECT_TRUE(found);
  const auto one = json_of(on("list", "test_scale", {"--json"}));
  EXPECT_EQ(one["kernels"][0]["arguments"].size(), 3u);
  EXPECT_EQ(one["kernels"][0]["tunables"][0]["candidates"], nlohmann::json::parse("[256, 64]"));
  EXPECT_EQ(one["kernels"][0]["constants"][0]["default"], 1);
  EXPECT_EQ(one["settings"][0]["name"], "size");
}

TEST_F(ListVerb, Refusals) {
  expect_refused(on("list", "no_such_kernel"), 2, {"TW3501", "'no_such_kernel'"});
  expect_refused(tilewright({"list", "--load", path("missing.so")}), 2, {"TW3502"});
}

TEST_F(CompileVerb, EveryLevel) {
  for (const auto& [level, word] : {std::pair{"program", "kernel test_scale_kernel("}, {"tile", "tile."}, {"llvm", "define"}, {"asm", "test_scale_kernel:"}}) {
    const Finished done = on("compile", "test_scale", {"--target", "x86-64-v3", "--emit", level});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_NE(done.out.find(word), std::string::npos) << level << "\n" << done.out;
  }
}

TEST_F(CompileVerb, EveryTarget) {
  for (const char* target : {"host", "x86-64-v2", "x86-64-v3", "x86-64-v4"}) EXPECT_NE(on("compile", "test_scale", {"--target", target}).out.find("ret"), std::string::npos) << target;
  EXPECT_NE(on("compile", "test_scale", {"--target", "x86-64-v4"}).out.find("zmm"), std::string::npos);
  EXPECT_EQ(on("compile", "test_scale", {"--target", "x86-64-v3"}).out.find("zmm"), std::string::npos);
  EXPECT_EQ(on("compile", "test_scale", {"--target", "x86-64-v2"}).out.find("ymm"), std::string::npos);
  EXPECT_EQ(on("compile", "test_scale", {"--target", "reference", "--emit", "program"}).exit_code, 0);
}

TEST_F(CompileVerb, SettingsReachTheKernel) {
  const Finished done = on("compile", "test_scale", {"--emit", "program", "--set", "block=64", "--set", "dtype=bf16"});
  EXPECT_NE(done.out.find("where block = 64"), std::string::npos);
  EXPECT_NE(done.out.find("view<?xbf16>"), std::string::npos);
  write_safetensors(path("in"), {{"x", HostTensor(DType::F16, {50})}});
  EXPECT_NE(on("compile", "test_scale", {"--emit", "program", "--input", path("in")}).out.find("view<?xf16>"), std::string::npos);
}

TEST_F(CompileVerb, WritesFiles) {
  const Finished done = on("compile", "test_scale", {"--emit", "program", "-o", path("out.txt")});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(text_of("out.txt"), on("compile", "test_scale", {"--emit", "program"}).out);
  expect_refused(on("compile", "test_scale", {"--emit", "program", "-o", path("no/such/folder")}), 2, {"TW3100"});
}

// The second kernel is launched over as many elements as the first's result counts; on the null device that is none.
TEST_F(CompileVerb, OperatorsThatReadResultsBack) {
  const Finished done = on("compile", "test_two_step", {"--emit", "program"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(count(done.out, "// kernel "), 2u);
  EXPECT_NE(done.out.find("kernel 1 of 2: test_scale_kernel"), std::string::npos);
  EXPECT_NE(done.out.find("kernel 2 of 2: test_mark_kernel"), std::string::npos);
  const Finished one = on("compile", "test_two_step", {"--emit", "program", "--kernel", "test_mark_kernel"});
  EXPECT_EQ(one.out.rfind("kernel test_mark_kernel", 0), 0u);
  EXPECT_EQ(count(on("compile", "test_two_step", {"--emit", "llvm"}).out, "; kernel "), 2u);
}

TEST_F(CompileVerb, DumpsAfterPasses) {
  const Finished all = on("compile", "test_scale", {"--emit", "asm", "--dump-after", "all"});
  EXPECT_EQ(all.exit_code, 0);
  const std::size_t at = all.err.find("// ---- test_scale_kernel after ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(count(all.err, "// ---- "), 2u);
  const std::size_t start = at + std::string("// ---- test_scale_kernel after ").size();
  const std::string pass = all.err.substr(start, all.err.find('\n', start) - start);
  const Finished one = on("compile", "test_scale", {"--emit", "asm", "--dump-after=" + pass});
  EXPECT_EQ(one.out, all.out);
  EXPECT_GE(count(one.err, "// ---- "), 1u);
  EXPECT_LT(count(one.err, "// ---- "), count(all.err, "// ---- "));
  expect_refused(on("compile", "test_scale", {"--dump-after", "no-such-pass"}), 2, {"TW3505", "'no-such-pass'", pass});
}

TEST_F(CompileVerb, Reports) {
  const Finished people = on("compile", "test_two_step", {"--target", "x86-64-v3", "--report"});
  EXPECT_EQ(people.exit_code, 0) << people.err;
  for (const char* word : {"test_scale_kernel for x86-64-v3", "test_mark_kernel for x86-64-v3", "compile ", "import ", "passes ", "code "}) EXPECT_NE(people.out.find(word), std::string::npos) << word;
  const Finished machine = on("compile", "test_scale", {"--target", "x86-64-v3", "--report", "--json"});
  const auto kernels = nlohmann::json::parse(machine.out);
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_EQ(kernels[0]["kernel"], "test_scale_kernel");
  EXPECT_GT(kernels[0]["code_bytes"], 0);
  EXPECT_EQ(kernels[0]["phases"].size(), 4u);
  const Finished both = on("compile", "test_scale", {"--target", "x86-64-v3", "--report", "--emit", "llvm"});
  EXPECT_EQ(both.out, on("compile", "test_scale", {"--target", "x86-64-v3", "--emit", "llvm"}).out);
  EXPECT_NE(both.err.find("test_scale_kernel for x86-64-v3"), std::string::npos);
  expect_refused(on("compile", "test_scale", {"--json"}), 2, {"--report"});
}

TEST_F(CompileVerb, Refusals) {
  expect_refused(tilewright({"compile"}), 2, {"KERNEL"});
  expect_refused(on("compile", "no_such_kernel"), 2, {"TW3501"});
  expect_refused(on("compile", "test_scale", {"--target", "sm_42"}), 2, {"TW2001", "'sm_42'", "x86-64-v4", "sm_90a"});
  expect_refused(on("compile", "test_scale", {"--emit", "poetry"}), 2, {"TW3506", "'poetry'", "program, tile, llvm, asm"});
  for (const char* level : {"tile", "llvm", "asm"}) expect_refused(on("compile", "test_scale", {"--target", "reference", "--emit", level}), 2, {"TW3506", level});
  for (const char* level : {"program", "tile"}) expect_refused(on("compile", "test_scale", {"--emit", level, "--dump-after", "all"}), 2, {"TW3506", level});
  expect_refused(on("compile", "test_scale", {"--kernel", "other"}), 2, {"TW3504", "'other'", "test_scale_kernel"});
  expect_refused(on("compile", "test_scale", {"--set", "size=-5"}), 2, {"TW3002"});
  expect_refused(on("compile", "test_mismatch"), 2, {"error[TW1", "test_operators.cpp:"});
  expect_refused(on("compile", "test_scale", {"--input", path("missing")}), 2, {"TW3100"});
  expect_refused(on("compile", "test_throws"), 4, {"something that is not an Error"});
}

}  // namespace
}  // namespace tilewright::testing
