// Sessions on the store with the real compiler: found code gives the same results, damaged code is compiled again.
#include "compiler/compiler.h"
#include "runtime/cache/artifact_cache.h"
#include "runtime/session.h"
#include "tests/cache/folder.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tilewright::testing {
namespace {

using cache::ArtifactCache;
using cache::CacheSettings;

class SessionCache : public ::testing::Test {
 protected:
  std::unique_ptr<Session> open(cache::JitPolicy jit = cache::JitPolicy::Allow) {
    SessionOptions options;
    options.cache = std::make_shared<ArtifactCache>(CacheSettings{folder_.cache(), std::uint64_t{1} << 30, jit});
    return make_session("cpu", make_compiler(), options);
  }

  // Runs 3x + 1 and compares; returns what it cost.
  LaunchStats run(Session& session) {
    constexpr std::int64_t kCount = 200;
    HostTensor x(DType::F32, {kCount});
    for (std::int64_t i = 0; i < kCount; ++i) x.set(i, static_cast<double>(i));
    const DeviceTensor in = session.upload(x), out = session.allocate(DType::F32, x.shape());
    const Argument arguments[] = {in.view(), out.view(), 3.0};
    session.launch(axpb_kernel(), arguments, {{"b", 1}});
    const HostTensor y = session.download(out);
    for (std::int64_t i = 0; i < kCount; ++i) EXPECT_EQ(y.at(i), 3.0 * static_cast<double>(i) + 1) << i;
    return session.stats();
  }

  std::filesystem::path entry() const {
    std::filesystem::path found;
    for (const auto& file : std::filesystem::directory_iterator(folder_.kernels())) {
      EXPECT_TRUE(found.empty()) << file;
      found = file.path();
    }
    return found;
  }
  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void write(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

  Folder folder_;
};

TEST_F(SessionCache, ANewSessionCompilesNothing) {
  const LaunchStats first = run(*open()), second = run(*open(cache::JitPolicy::Deny));
  EXPECT_EQ(first.compiles, 1);
  EXPECT_EQ(first.cache_hits, 0);
  EXPECT_EQ(second.compiles, 0);
  EXPECT_EQ(second.compile_ms, 0);
  EXPECT_EQ(second.cache_hits, 1);
  EXPECT_GT(second.cache_ms, 0);
}

TEST_F(SessionCache, DeniedCompilationReachesTheCaller) {
  expect_error(3601, {"'axpb' for host"}, [&] { run(*open(cache::JitPolicy::Deny)); });
}

TEST_F(SessionCache, DamagedEntriesAreCompiledAgain) {
  run(*open());
  const std::filesystem::path file = entry();
  const std::string good = bytes_of(file);
  for (std::size_t sample = 0; sample < 200; ++sample) {
    std::string bytes = good;
    const std::size_t at = sample * good.size() / 200;
    if (sample % 4 == 3) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << sample % 8));
    }
    write(file, bytes);
    const LaunchStats stats = run(*open());
    ASSERT_EQ(stats.compiles, 1) << at;
    ASSERT_EQ(run(*open()).cache_hits, 1) << at;
  }
}

TEST_F(SessionCache, CodeThatDoesNotLoadIsCompiledAgain) {
  run(*open());
  cache::Entry wrong = std::move(*cache::decode_entry(bytes_of(entry())).entry);
  wrong.artifact.code.assign(1000, 'x');
  write(entry(), cache::encode_entry(wrong));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run(*open()).compiles, 1);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("the stored code of 'axpb' does not load"), std::string::npos);
  EXPECT_EQ(run(*open()).cache_hits, 1);
}

TEST_F(SessionCache, FoundCodeReportsFailedAssertions) {
  for (int i = 0; i < 2; ++i) {
    const auto session = open();
    HostTensor x(DType::I64, {4});
    for (std::int64_t n = 0; n < 4; ++n) x.set(n, static_cast<double>(n));
    const DeviceTensor there = session->upload(x);
    const Argument arguments[] = {there.view(), std::int64_t{2}};
    expect_error(3401, {"x is below the limit", "bound.cpp:7:3"}, [&] { session->launch(bound_kernel(), arguments); });
    EXPECT_EQ(session->stats().cache_hits, i);
  }
}

// Code for GPUs is kept like any other; no device is needed to see it.
TEST_F(SessionCache, KeepsCodeForGpus) {
  const auto compiler = make_compiler();
  const program::CallFacts call{{{DType::F32, {-1}, true}, {DType::F32, {-1}, true}, {DType::F32, {}, false}}, std::vector<program::ArgumentFacts>(3), {{"b", 1}, {"block", 64}}};
  const auto program = std::make_shared<const program::Program>(axpb_kernel().trace(call));
  ASSERT_TRUE(compiler->keeps_positions("sm_90a"));
  const cache::ContentKey key = cache::content_key(*program, cache::origin_of(*compiler, "sm_90a"));
  CompileOptions options;
  options.target = "sm_90a";
  const Artifact made = compiler->compile(program, options);
  ArtifactCache cache(CacheSettings{folder_.cache(), 1 << 30, cache::JitPolicy::Allow});
  EXPECT_TRUE(cache.get(key, {}, [&] { return made; }).was_compiled);
  const Artifact found = cache.get(key, {}, []() -> Artifact { throw Error(9999, "compiled again"); }).artifact;
  EXPECT_GT(found.launch.threads, 0);
  EXPECT_FALSE(found.code.empty());
  EXPECT_EQ(std::tie(found.code, found.entry, found.target, found.assertions, found.remarks, found.assembler, found.scratch_bytes),
            std::tie(made.code, made.entry, made.target, made.assertions, made.remarks, made.assembler, made.scratch_bytes));
  EXPECT_EQ(std::tie(found.launch.threads, found.launch.cluster, found.launch.shared_bytes, found.usage.registers, found.usage.occupancy),
            std::tie(made.launch.threads, made.launch.cluster, made.launch.shared_bytes, made.usage.registers, made.usage.occupancy));
}

TEST(CompilerBuild, IsKnownAndTheSameForEveryCompiler) {
  const std::string build = make_compiler()->build_id();
  EXPECT_GE(build.size(), 16u);
  EXPECT_EQ(make_compiler()->build_id(), build);
  EXPECT_FALSE(make_compiler()->keeps_positions("host"));
}

}  // namespace
}  // namespace tilewright::testing
