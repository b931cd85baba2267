// `tilewright run`: results, JSON, exit codes, and refusals of everything that can be wrong with its input.
#include "tests/cli/cli_test.h"

#include "runtime/random.h"
#include "runtime/safetensors.h"

#include <cmath>

namespace tilewright::testing {
namespace {

class RunVerb : public CommandLine {};

HostTensor ramp(DType dtype, std::int64_t count) {
  HostTensor tensor(dtype, {count});
  for (std::int64_t i = 0; i < count; ++i) tensor.set(i, static_cast<double>(i));
  return tensor;
}

TEST_F(RunVerb, ChecksOnEveryDevice) {
  for (const std::string device : {"cpu", "reference"}) {
    for (const auto& [dtype, tolerance] : {std::pair{"f32", 1e-5}, {"f16", 1e-3}, {"bf16", 5e-3}}) {
      const Finished done = on("run", "test_scale", {"--device", device, "--check", "--json", "--set", std::string("dtype=") + dtype, "--repeat", "0"});
      ASSERT_EQ(done.exit_code, 0) << done.err;
      const auto json = json_of(done);
      EXPECT_EQ(json["kernel"], "test_scale");
      EXPECT_EQ(json["device"], device);
      EXPECT_EQ(json["ok"], true);
      EXPECT_LE(json["rms_ratio"].get<double>(), tolerance);
      EXPECT_EQ(json["tolerance"], tolerance);
      EXPECT_GE(json["max_abs"].get<double>(), 0);
      EXPECT_GE(json["time_ms"].get<double>(), 0);
      EXPECT_GT(json["open_ms"].get<double>(), 0);
      EXPECT_GT(json["compile_ms"].get<double>(), 0);
      EXPECT_EQ(json["cache"], "miss");
      EXPECT_EQ(json["settings"]["dtype"], dtype);
      EXPECT_EQ(json["seed"], 0);
      EXPECT_FALSE(json.contains("mismatched_scores"));
      EXPECT_EQ(done.out.find('\n'), done.out.size() - 1);  // one line
    }
  }
}

TEST_F(RunVerb, WithoutCheckThereIsNoVerdict) {
  const auto json = json_of(on("run", "test_scale", {"--device", "reference", "--json"}));
  EXPECT_TRUE(json["ok"].is_null());
  EXPECT_TRUE(json["rms_ratio"].is_null());
  EXPECT_EQ(json["runs"], 5);
}

TEST_F(RunVerb, RepeatCountsTimedRuns) {
  EXPECT_EQ(json_of(on("run", "test_scale", {"--device", "reference", "--json", "--repeat", "3"}))["runs"], 3);
  EXPECT_EQ(json_of(on("run", "test_scale", {"--device", "reference", "--json", "--repeat", "0"}))["runs"], 1);
}

TEST_F(RunVerb, AFailedCheckExitsWith1) {
  for (const std::string device : {"cpu", "reference"}) {
    const Finished done = on("run", "test_wrong", {"--device", device, "--check", "--json"});
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_EQ(json_of(done)["ok"], false);
  }
  const Finished for_people = on("run", "test_wrong", {"--device", "reference", "--check"});
  EXPECT_EQ(for_people.exit_code, 1);
  EXPECT_NE(for_people.out.find("FAILED"), std::string::npos);
  EXPECT_EQ(on("run", "test_wrong", {"--device", "reference"}).exit_code, 0);  // not checked
}

TEST_F(RunVerb, SelectionsReportMismatchedScores) {
  const Finished good = on("run", "test_selection", {"--device", "reference", "--check", "--json"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(json_of(good)["mismatched_scores"], 0);
  EXPECT_FALSE(json_of(good).contains("rms_ratio"));
  const Finished bad = on("run", "test_selection", {"--device", "reference", "--check", "--json", "--set", "mismatched=3"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(json_of(bad)["mismatched_scores"], 3);
}

TEST_F(RunVerb, ForPeople) {
  const Finished done = on("run", "test_scale", {"--device", "reference", "--check"});
  EXPECT_EQ(done.exit_code, 0);
  for (const char* word : {"test_scale on reference", "x f32[1000]", "y f32[1000]", "check    ok", "GFLOP/s"}) EXPECT_NE(done.out.find(word), std::string::npos) << word;
}

TEST_F(RunVerb, SeedsDecideTheInputs) {
  const auto output = [&](const std::string& seed, const std::string& name) {
    EXPECT_EQ(on("run", "test_scale", {"--device", "reference", "--seed", seed, "--output", path(name)}).exit_code, 0);
    return text_of(name);
  };
  EXPECT_EQ(output("7", "a"), output("7", "b"));
  EXPECT_NE(output("7", "a"), output("8", "c"));
}

TEST_F(RunVerb, ReadsInputsAndWritesOutputs) {
  write_safetensors(path("in"), {{"x", ramp(DType::F32, 300)}});
  for (const std::string device : {"cpu", "reference"}) {
    const Finished done = on("run", "test_scale", {"--device", device, "--input", path("in"), "--output", path("out"), "--check", "--json", "--set", "factor=0.5"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_FALSE(json_of(done).contains("seed"));
    const auto outputs = read_safetensors(path("out"));
    ASSERT_EQ(outputs.size(), 1u);
    for (std::int64_t i = 0; i < 300; ++i) ASSERT_EQ(outputs.at("y").at(i), 0.5 * i + 1);
  }
}

TEST_F(RunVerb, TunablesAndConstantsOfKernels) {
  EXPECT_EQ(on("run", "test_scale", {"--check", "--set", "block=64", "--set", "block=128"}).exit_code, 0);
  const auto json = json_of(on("run", "test_scale", {"--device", "reference", "--json", "--set", "block=64"}));
  EXPECT_EQ(json["tunables"]["block"], 64);
  EXPECT_EQ(on("run", "test_scale", {"--device", "reference", "--check", "--set", "shift=2"}).exit_code, 1);  // another problem than the reference's
}

TEST_F(RunVerb, EmptyTensors) {
  for (const std::string device : {"cpu", "reference", "null"}) {
    const Finished done = on("run", "test_scale", {"--device", device, "--set", "size=0", "--check", "--json"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_EQ(json_of(done)["rms_ratio"], 0);
  }
}

TEST_F(RunVerb, TheNullDeviceRunsNothing) {
  const Finished done = on("run", "test_scale", {"--device", "null", "--check", "--json"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_TRUE(json_of(done)["rms_ratio"].is_null());  // the outputs are poison, which no ratio measures
}

TEST_F(RunVerb, UnknownOperators) {
  expect_refused(on("run", "no_such_kernel"), 2, {"TW3501", "'no_such_kernel'", "test_scale"});
  expect_refused(tilewright({"run", "test_scale"}), 2, {"TW3501", "'test_scale'"});
}

TEST_F(RunVerb, UnknownDevices) {
  for (const std::string device : {"cuda:99", "gpu", "cpu:1", "", "CPU"})
    expect_refused(on("run", "test_scale", {"--device", device, "--json"}), 3, {"TW3301", "'" + device + "'", "cpu, reference, null"});
}

TEST_F(RunVerb, MalformedSettings) {
  expect_refused(on("run", "test_scale", {"--set", "size"}), 2, {"TW3508", "'size'", "NAME=VALUE"});
  expect_refused(on("run", "test_scale", {"--set", "=5"}), 2, {"TW3508"});
  expect_refused(on("run", "test_scale", {"--set", "colour=red"}), 2, {"TW3001", "'colour'", "size"});
  for (const std::string value : {"12x", "", "-1", "1e3", "99999999999999999999", "0x10", " 5"})
    expect_refused(on("run", "test_scale", {"--set", "size=" + value}), 2, {"TW3002", "'size'", "'" + value + "'"});
  for (const std::string value : {"two", "", "nan", "inf", "1,5"})
    expect_refused(on("run", "test_scale", {"--set", "factor=" + value}), 2, {"TW3002", "'factor'", "'" + value + "'"});
  expect_refused(on("run", "test_scale", {"--set", "dtype=f31"}), 2, {"TW3002", "'dtype'", "'f31'"});
  expect_refused(on("run", "test_scale", {"--set", "block=large"}), 2, {"TW3002", "'block'", "'large'"});
  expect_refused(on("run", "test_scale", {"--set", "size=100000000000000000"}), 2, {"TW3010"});
}

TEST_F(RunVerb, MalformedOptions) {
  expect_refused(on("run", "test_scale", {"--repeat", "-2"}), 2, {"--repeat"});
  expect_refused(on("run", "test_scale", {"--repeat", "many"}), 2, {"--repeat"});
  expect_refused(on("run", "test_scale", {"--seed", "x"}), 2, {"--seed"});
  expect_refused(on("run", "test_scale", {"--threads", "0"}), 2, {"--threads"});
  expect_refused(on("run", "test_scale", {"--colour"}), 2, {"--colour"});
  expect_refused(on("run", "test_scale", {"--set"}), 2, {"--set"});
  expect_refused(on("run", "test_scale", {"more"}), 2, {"more"});
  expect_refused(tilewright({"run"}), 2, {"KERNEL"});
}

TEST_F(RunVerb, BadInputFiles) {
  const auto refused = [&](const std::string& file, const std::vector<std::string>& words) {
    expect_refused(on("run", "test_scale", {"--input", path(file), "--json", "--check"}), 2, words);
  };
  refused("missing", {"TW3100", "missing"});
  write("empty", "");
  refused("empty", {"TW3101", "empty"});
  write("text", "this is not a file of tensors, just some words");
  refused("text", {"TW3102"});
  write_safetensors(path("good"), {{"x", ramp(DType::F32, 100)}});
  const std::string good = text_of("good");
  for (const std::size_t keep : {std::size_t{5}, std::size_t{20}, good.size() - 1}) {
    write("cut", good.substr(0, keep));
    refused("cut", {"error[TW31"});
  }
  write_safetensors(path("name"), {{"y", ramp(DType::F32, 100)}});
  refused("name", {"TW3110", "'x'"});
  write_safetensors(path("dtype"), {{"x", ramp(DType::I32, 100)}});
  refused("dtype", {"TW3112", "'x'", "i32"});
  write_safetensors(path("rank"), {{"x", HostTensor(DType::F32, {10, 10})}});
  refused("rank", {"TW3111", "'x'", "2"});
  write_safetensors(path("none"), {{"x", HostTensor(DType::F32, {0})}});
  EXPECT_EQ(on("run", "test_scale", {"--input", path("none"), "--check"}).exit_code, 0);
}

TEST_F(RunVerb, OutputsThatCannotBeWritten) {
  expect_refused(on("run", "test_scale", {"--device", "reference", "--output", path("no/such/folder")}), 2, {"TW3100", "no/such/folder"});
}

TEST_F(RunVerb, LibrariesThatAreNone) {
  expect_refused(tilewright({"run", "test_scale", "--load", path("missing.so")}), 2, {"TW3502", "missing.so"});
  write("text.so", "not a library");
  expect_refused(tilewright({"run", "test_scale", "--load", path("text.so")}), 2, {"TW3502", "text.so"});
  expect_refused(tilewright({"run", "test_scale", "--load", folder_.string()}), 2, {"TW3502"});
  expect_refused(tilewright({"run", "test_scale", "--load", "no_slash.so"}), 2, {"TW3502", "no_slash.so"});
}

TEST_F(RunVerb, ALibraryLoadedTwiceRegistersOnce) { EXPECT_EQ(on("run", "test_scale", {"--load", TEST_OPERATORS, "--device", "reference"}).exit_code, 0); }

TEST_F(RunVerb, ErrorsOfTheAuthorCarryTheirPosition) {
  for (const std::string device : {"cpu", "reference"})
    expect_refused(on("run", "test_mismatch", {"--device", device, "--json"}), 2, {"error[TW1", "test_operators.cpp:"});
}

TEST_F(RunVerb, AssertionsOfKernels) {
  for (const std::string device : {"cpu", "reference"}) {
    EXPECT_EQ(on("run", "test_bounded", {"--device", device}).exit_code, 0);
    expect_refused(on("run", "test_bounded", {"--device", device, "--set", "factor=1000", "--json"}), 2, {"TW3401", "values stay below a hundred", "test_operators.cpp:"});
  }
}

TEST_F(RunVerb, WhatIsNotOurErrorIsReportedAsADefect) { expect_refused(on("run", "test_throws", {"--device", "reference"}), 4, {"something that is not an Error"}); }

TEST_F(RunVerb, TracesOperationsWithTheirValues) {
  write_safetensors(path("in"), {{"x", ramp(DType::F32, 300)}});
  const Finished done = on("run", "test_scale", {"--device", "reference", "--input", path("in"), "--trace", "--json"});
  EXPECT_EQ(done.exit_code, 0);
  json_of(done);
  for (const char* word : {"program [0, 0, 0] of test_scale_kernel", "program [1, 0, 0]", "test_operators.cpp:", " = load(", "store("})
    EXPECT_NE(done.err.find(word), std::string::npos) << word << "\n" << done.err;
  EXPECT_EQ(done.err.find("step>"), std::string::npos);
}

TEST_F(RunVerb, StepsThroughOperations) {
  const auto step = [&](const std::string& keys) { return on("run", "test_scale", {"--device", "reference", "--step"}, {}, keys); };
  const auto operations = [](const Finished& done) {
    std::size_t count = 0;
    for (std::size_t at = done.err.find("step>"); at != std::string::npos; at = done.err.find("step>", at + 1)) ++count;
    return count;
  };
  const Finished stopped = step("\n\nq\n");
  EXPECT_EQ(stopped.exit_code, 0);
  EXPECT_EQ(stopped.out, "");
  EXPECT_EQ(operations(stopped), 3u);
  const Finished run_on = step("\nc\n");
  EXPECT_EQ(run_on.exit_code, 0);
  EXPECT_NE(run_on.out.find("test_scale on reference"), std::string::npos);
  EXPECT_EQ(operations(run_on), 2u);
  const Finished next_program = step("p\np\nq\n");
  EXPECT_NE(next_program.err.find("program [2, 0, 0]"), std::string::npos);
  EXPECT_EQ(operations(next_program), 3u);
  EXPECT_NE(step("what\nq\n").err.find("the next program"), std::string::npos);
  EXPECT_EQ(operations(step("\n")), 2u);  // the end of stdin is `c`
  expect_refused(on("run", "test_scale", {"--step"}), 2, {"TW3507", "'cpu'", "--device reference"});
}

TEST_F(RunVerb, LogLevels) {
  const auto err = [&](const std::string& level) { return on("run", "test_scale", {"--device", "reference", "--repeat", "0"}, {"TILEWRIGHT_LOG=" + level}).err; };
  EXPECT_EQ(err("warn"), "");
  EXPECT_EQ(err("error"), "");
  EXPECT_EQ(err(""), "");
  EXPECT_NE(err("info").find("compiled 'test_scale_kernel'"), std::string::npos);
  EXPECT_EQ(err("info").find("launched"), std::string::npos);
  EXPECT_NE(err("debug").find("launched 'test_scale_kernel' on reference, grid 4 x 1 x 1"), std::string::npos);
  EXPECT_NE(err("loud").find("TILEWRIGHT_LOG is 'loud'"), std::string::npos);
}

}  // namespace
}  // namespace tilewright::testing
