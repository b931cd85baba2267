// `tilewright bench`.
#include "tests/cli/cli_test.h"

namespace tilewright::testing {
namespace {

class BenchVerb : public CommandLine {
 protected:
  // A folder of peer scripts with this one in it.
  std::string peers(const std::string& script) {
    std::filesystem::create_directories(path("peers"));
    write("peers/made_up_peer.py", script);
    return path("peers");
  }
};

TEST_F(BenchVerb, TimesLaunches) {
  const Finished done = on("bench", "test_scale", {"--budget", "1", "--rounds", "1", "--flush", "1"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  for (const char* word : {"test_scale", "tilewright", " ms "}) EXPECT_NE(done.out.find(word), std::string::npos) << done.out;
}

TEST_F(BenchVerb, WritesJson) {
  const Finished done = on("bench", "test_scale", {"--budget", "1", "--rounds", "3", "--flush", "1", "--check", "--json", "-o", path("result.json")});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto printed = json_of(done);
  EXPECT_EQ(nlohmann::json::parse(text_of("result.json")), printed);
  EXPECT_EQ(printed["device"]["name"], "cpu");
  EXPECT_EQ(printed["flush_bytes"], 1 << 20);
  ASSERT_EQ(printed["cases"].size(), 1u);
  const auto& found = printed["cases"][0];
  EXPECT_EQ(found["kernel"], "test_scale");
  EXPECT_EQ(found["launches"], 1);
  EXPECT_EQ(found["check"]["ok"], true);
  EXPECT_GE(found["tilewright"]["runs"], 30);
  EXPECT_GT(found["tilewright"]["ms"], 0);
  EXPECT_LE(found["tilewright"]["ms_min"], found["tilewright"]["ms_p10"]);
  EXPECT_LE(found["tilewright"]["ms_p10"], found["tilewright"]["ms"]);
  EXPECT_LE(found["tilewright"]["ms"], found["tilewright"]["ms_p90"]);
}

TEST_F(BenchVerb, SuitesAreReadLineByLine) {
  write("suite.txt", "# two cases\n\ntest_scale size=100\ntest_scale size=200 block=64\n");
  const Finished done = tilewright({"bench", "--load", TEST_OPERATORS, "--suite", path("suite.txt"), "--budget", "1", "--rounds", "1", "--flush", "1",
                                    "--json", "--set", "dtype=bf16"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto cases = json_of(done)["cases"];
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0]["settings"]["size"], "100");
  EXPECT_EQ(cases[1]["settings"]["size"], "200");
  EXPECT_EQ(cases[1]["settings"]["dtype"], "bf16");
  EXPECT_EQ(cases[1]["tunables"]["block"], 64);
}

TEST_F(BenchVerb, PeersAreAskedAndCompared) {
  const std::string folder = peers(R"(
import json, sys
print("a library says something")
for line in sys.stdin:
    request = json.loads(line)
    assert request["operator"] == "test_scale" and request["settings"]["size"] == "100" and request["device"] == "cpu", request
    print("and something else")
    print(json.dumps({"peers": [{"name": "slow", "times_ms": [1000.0, 1002.0]}], "absent": {"other": "not here"}, "copy_gbytes_per_s": 12.5, "versions": {"made_up": "1.2"}}), flush=True)
)");
  const Finished done =
      on("bench", "test_scale size=100", {"--against", "made_up", "--peers", folder, "--budget", "1", "--rounds", "2", "--flush", "1", "--json"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto result = json_of(done);
  EXPECT_EQ(result["versions"]["made_up"], "1.2");
  const auto& found = result["cases"][0];
  ASSERT_EQ(found["peers"].size(), 1u);
  EXPECT_EQ(found["peers"][0]["name"], "slow");
  EXPECT_EQ(found["peers"][0]["ms"], 1001.0);
  EXPECT_EQ(found["peers"][0]["runs"], 4);
  EXPECT_GT(found["peers"][0]["speed_of_peer"], 1);
  EXPECT_EQ(found["absent"]["other"], "not here");
  EXPECT_EQ(found["copy_gbytes_per_s"], 12.5);
}

TEST_F(BenchVerb, Refusals) {
  expect_refused(tilewright({"bench"}), 2, {"TW3511"});
  expect_refused(on("bench", "no_such_kernel"), 2, {"TW3501"});
  expect_refused(on("bench", "test_scale size"), 2, {"'size'"});
  expect_refused(on("bench", "test_scale", {"--device", "abacus"}), 3, {"TW3301"});
  expect_refused(tilewright({"bench", "--suite", path("missing")}), 2, {"TW3100"});
  expect_refused(on("bench", "test_scale", {"--against", "made_up", "--peers", path("nowhere")}), 2, {"TW3510", "'made_up'"});
  expect_refused(on("bench", "test_scale", {"--against", "made_up", "--peers", peers("print('no')"), "--budget", "1"}), 2, {"TW3510", "no"});
  expect_refused(on("bench", "test_scale", {"--against", "made_up", "--peers", peers("print(1)"), "--python", "no-such-python"}), 2,
                 {"TW3510", "'no-such-python'"});
  expect_refused(on("bench", "test_scale", {"--rounds", "0"}), 2, {"--rounds"});
}

}  // namespace
}  // namespace tilewright::testing
