// `tilewright cache` and what the environment says about it, over several processes.
#include "tests/cli/cli_test.h"

namespace tilewright::testing {
namespace {

class CacheVerb : public CommandLine {
 protected:
  std::vector<std::string> environment(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"TILEWRIGHT_CACHE=1", "TILEWRIGHT_CACHE_DIR=" + path("cache")});
    return more;
  }
  Finished cache(const std::vector<std::string>& words) const {
    std::vector<std::string> arguments = {"cache"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return tilewright(arguments, environment());
  }
  nlohmann::json scale(const std::string& dtype, const std::vector<std::string>& more = {}) const {
    const Finished done = on("run", "test_scale", {"--device", "cpu", "--check", "--json", "--set", "dtype=" + dtype, "--repeat", "0"}, environment(more));
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return json_of(done);
  }
  // The hashes of the entries, the kernel used longest ago first.
  std::vector<std::string> hashes() const {
    std::vector<std::string> found;
    const nlohmann::json stat = json_of(cache({"stat", "--entries", "--json"}));
    for (const auto& entry : stat["list"]) found.push_back(entry["hash"]);
    return found;
  }
};

TEST_F(CacheVerb, ASecondProcessCompilesNothing) {
  const auto first = scale("f32"), second = scale("f32");
  EXPECT_EQ(first["cache"], "miss");
  EXPECT_GT(first["compile_ms"].get<double>(), 0);
  EXPECT_EQ(first["cache_ms"], 0);
  EXPECT_EQ(second["cache"], "hit");
  EXPECT_EQ(second["ok"], true);
  EXPECT_EQ(second["compile_ms"], 0);
  EXPECT_GT(second["cache_ms"].get<double>(), 0);
  EXPECT_EQ(scale("f32", {"TILEWRIGHT_JIT=deny"})["cache"], "hit");
  EXPECT_EQ(scale("f16")["cache"], "miss");
}

TEST_F(CacheVerb, StatVerifyAndPrune) {
  EXPECT_EQ(json_of(cache({"stat", "--json"}))["entries"], 0);
  scale("f32");
  scale("f16");
  const auto stat = json_of(cache({"stat", "--json"}));
  EXPECT_EQ(stat["directory"], path("cache"));
  EXPECT_EQ(stat["entries"], 2);
  EXPECT_EQ(stat["limit_bytes"], 1 << 30);
  const Finished shown = cache({"stat", "--entries"});
  EXPECT_NE(shown.out.find("entries    2"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find(" for host"), std::string::npos) << shown.out;
  EXPECT_EQ(cache({"verify"}).out, "2 entries, 0 bad\n");

  const std::string file = path("cache/kernels/" + hashes()[0] + ".entry");
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const Finished verified = cache({"verify"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_NE(verified.out.find("is cut off or too long"), std::string::npos) << verified.out;
  EXPECT_EQ(json_of(cache({"verify", "--json"}))["bad"].size(), 1u);
  EXPECT_NE(cache({"stat", "--entries"}).out.find("is cut off"), std::string::npos);
  EXPECT_EQ(cache({"verify", "--remove"}).exit_code, 0);
  EXPECT_EQ(cache({"verify"}).exit_code, 0);

  EXPECT_EQ(json_of(cache({"prune", "--json"}))["entries"], 1);
  EXPECT_EQ(json_of(cache({"prune", "--to", "0", "--json"}))["removed"], 1);
  EXPECT_NE(cache({"prune", "--to", "1G"}).out.find("removed 0 entries"), std::string::npos);
  expect_refused(cache({"prune", "--to", "much"}), 2, {"TW3603", "'much'"});
}

TEST_F(CacheVerb, ExplainNamesWhatDiffers) {
  scale("f32");
  scale("f16");
  const std::vector<std::string> names = hashes();
  ASSERT_EQ(names.size(), 2u);
  const Finished done = cache({"explain", names[0].substr(0, 12), names[1]});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.out.find("parameters: other names, kinds, types or facts"), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find("compiler:"), std::string::npos) << done.out;
  EXPECT_EQ(cache({"explain", names[0], names[0]}).out, "the keys are equal\n");
  EXPECT_FALSE(json_of(cache({"explain", names[0], names[1], "--json"}))["differences"].empty());
  expect_refused(cache({"explain", names[0], "nothing"}), 2, {"TW3603", "no entry 'nothing'"});
  expect_refused(cache({"explain", "", names[0]}), 2, {"TW3603", "begins the names of 2 entries"});
}

TEST_F(CacheVerb, EntriesTravelInBundles) {
  scale("f32");
  scale("f16");
  const std::string bundle = path("all.bundle"), one = path("one.bundle");
  ASSERT_EQ(cache({"export", "-o", bundle}).exit_code, 0);
  ASSERT_EQ(cache({"export", "-o", one, hashes()[0]}).exit_code, 0);
  EXPECT_GT(std::filesystem::file_size(bundle), std::filesystem::file_size(one));
  cache({"prune", "--to", "0"});
  // Read as they are, where nothing may be compiled and no store is used ...
  const std::vector<std::string> bundles = {"TILEWRIGHT_CACHE=0", "TILEWRIGHT_JIT=deny", "TILEWRIGHT_BUNDLES=" + path("none") + ":" + bundle};
  const Finished done = on("run", "test_scale", {"--device", "cpu", "--check", "--json"}, bundles);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(json_of(done)["cache"], "hit");
  EXPECT_NE(done.err.find("/none' cannot be opened"), std::string::npos) << done.err;
  // ... or put back into it.
  EXPECT_EQ(cache({"import", bundle}).exit_code, 0);
  EXPECT_EQ(scale("f16", {"TILEWRIGHT_JIT=deny"})["cache"], "hit");
  write("noise", "noise");
  expect_refused(cache({"import", path("noise")}), 2, {"TW3605", "is no bundle"});
}

TEST_F(CacheVerb, BundlesAreCompiledAhead) {
  const std::string bundle = path("ahead.bundle");
  ASSERT_EQ(on("compile", "test_scale", {"--emit", "bundle", "-o", bundle}).exit_code, 0);
  const std::vector<std::string> bundles = {"TILEWRIGHT_CACHE=0", "TILEWRIGHT_JIT=deny", "TILEWRIGHT_BUNDLES=" + bundle};
  EXPECT_EQ(json_of(on("run", "test_scale", {"--device", "cpu", "--check", "--json"}, bundles))["ok"], true);
  expect_refused(on("run", "test_scale", {"--device", "cpu", "--set", "dtype=f16"}, bundles), 2, {"TW3601", "TILEWRIGHT_JIT=deny", "--emit bundle"});
  expect_refused(on("compile", "test_scale", {"--emit", "bundle"}), 2, {"TW3506", "-o"});
  expect_refused(on("compile", "test_scale", {"--emit", "bundle", "-o", bundle, "--target", "reference"}), 2, {"TW3506", "reference"});
  expect_refused(on("compile", "test_scale", {"--emit", "bundle", "-o", bundle, "--dump-after", "all"}), 2, {"TW3506", "--dump-after"});
  expect_refused(on("compile", "test_scale", {"--emit", "bundle", "-o", path("no/folder")}), 2, {"TW3100"});
}

TEST_F(CacheVerb, BundlesHoldTheKernelsOfASuite) {
  const std::string bundle = path("suite.bundle");
  write("suite", "# comment\ntest_scale dtype=f32\n\n  test_scale dtype=f16 \ntest_scale dtype=f32\n");
  const auto compile = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"compile", "--load", TEST_OPERATORS, "--target", "host"});
    return tilewright(more, {"TILEWRIGHT_LOG=info"});
  };
  const Finished done = compile({"--suite", path("suite"), "--emit", "bundle", "-o", bundle, "--jobs", "2"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.err.find("2 of 2: "), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("suite.bundle: 2 kernels"), std::string::npos) << done.err;
  for (const char* dtype : {"f32", "f16"}) {
    const std::vector<std::string> bundles = {"TILEWRIGHT_CACHE=0", "TILEWRIGHT_JIT=deny", "TILEWRIGHT_BUNDLES=" + bundle};
    EXPECT_EQ(json_of(on("run", "test_scale", {"--device", "cpu", "--check", "--json", "--set", std::string("dtype=") + dtype}, bundles))["ok"], true);
  }
  expect_refused(compile({"--suite", path("suite"), "--emit", "asm"}), 2, {"TW3506", "--suite is for --emit bundle"});
  expect_refused(compile({"test_scale", "--suite", path("suite"), "--emit", "bundle", "-o", bundle}), 2, {"TW3506", "either"});
  expect_refused(compile({"--emit", "bundle", "-o", bundle}), 2, {"TW3506", "either"});
  expect_refused(compile({"--suite", path("none"), "--emit", "bundle", "-o", bundle}), 2, {"TW3100", "cannot be opened"});
  write("empty", "# nothing\n");
  expect_refused(compile({"--suite", path("empty"), "--emit", "bundle", "-o", bundle}), 2, {"TW3506", "names no operator"});
}

TEST_F(CacheVerb, BadEnvironmentsAreRefused) {
  expect_refused(on("run", "test_scale", {"--device", "cpu"}, {"TILEWRIGHT_JIT=never"}), 2, {"TW3602", "TILEWRIGHT_JIT is 'never'"});
  expect_refused(tilewright({"cache", "stat"}, {"TILEWRIGHT_CACHE=0"}), 2, {"TW3604", "switched off"});
  write("file", "");
  expect_refused(tilewright({"cache", "stat"}, {"TILEWRIGHT_CACHE=1", "TILEWRIGHT_CACHE_DIR=" + path("file")}), 2, {"TW3604", "cannot be opened"});
  expect_refused(tilewright({"cache"}), 2, {});
}

}  // namespace
}  // namespace tilewright::testing
