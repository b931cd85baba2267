// The cache as a session uses it: hits, misses, damage, denial, and a store that cannot be used.
#include "runtime/cache/artifact_cache.h"

#include "tests/cache/faulty_files.h"
#include "tests/cache/folder.h"
#include "tests/cache/samples.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <thread>

namespace tilewright::cache {
namespace {

using testing::error_code;
using testing::expect_error;
using testing::OneFault;
using testing::sample_entry;

class ArtifactCacheTest : public ::testing::Test {
 protected:
  CacheSettings settings(JitPolicy jit = JitPolicy::Allow) const { return {folder_.cache(), std::uint64_t{1} << 30, jit}; }

  // Gets a sample; `compiles_` counts how often it was made.
  CachedArtifact get(ArtifactCache& cache, std::uint64_t seed) {
    const Entry entry = sample_entry(seed);
    CachedArtifact got = cache.get(entry.key, entry.positions, [&] {
      ++compiles_;
      return entry.artifact;
    });
    EXPECT_EQ(got.artifact.code, entry.artifact.code);
    EXPECT_EQ(got.artifact.scratch_bytes, entry.artifact.scratch_bytes);
    return got;
  }
  std::string file(std::uint64_t seed) const { return folder_.kernels() + "/" + to_hex(sample_entry(seed).key.hash) + ".entry"; }

  testing::Folder folder_;
  std::atomic<int> compiles_{0};
};

TEST_F(ArtifactCacheTest, FindsWhatAnotherMade) {
  ArtifactCache one(settings()), other(settings());
  EXPECT_TRUE(get(one, 1).was_compiled);
  EXPECT_FALSE(get(one, 1).was_compiled);
  EXPECT_FALSE(get(other, 1).was_compiled);
  EXPECT_TRUE(get(other, 2).was_compiled);
  EXPECT_EQ(compiles_, 2);
  EXPECT_EQ(one.counters().hits, 1u);
  EXPECT_EQ(one.counters().misses, 1u);
  EXPECT_EQ(one.counters().published, 1u);
  EXPECT_EQ(other.counters().hits, 1u);
  EXPECT_EQ(one.counters().refused, 0u);
}

TEST_F(ArtifactCacheTest, RemarksOfAnotherSourceAreLeftOut) {
  ArtifactCache cache(settings());
  const Entry entry = sample_entry(1);
  const auto never = []() -> Artifact { throw Error(9999, "compiled again"); };
  EXPECT_EQ(get(cache, 1).artifact.remarks.size(), 2u);
  EXPECT_EQ(cache.get(entry.key, entry.positions, never).artifact.remarks.size(), 2u);
  EXPECT_TRUE(cache.get(entry.key, hash128("moved"), never).artifact.remarks.empty());
}

TEST_F(ArtifactCacheTest, DamageIsAMissAndIsRepaired) {
  ArtifactCache cache(settings());
  get(cache, 1);
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file(1)));
  for (int sample = 0; sample < 200; ++sample) {
    const std::int64_t at = sample * size / 200;
    {
      std::fstream stream(file(1), std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(at);
      const char byte = static_cast<char>(stream.get() ^ (1 << sample % 8));
      stream.seekp(at);
      stream.put(byte);
    }
    EXPECT_TRUE(get(cache, 1).was_compiled) << at;
    EXPECT_FALSE(get(cache, 1).was_compiled);
    std::filesystem::resize_file(file(1), static_cast<std::uintmax_t>(at));
    EXPECT_TRUE(get(cache, 1).was_compiled) << at;
  }
  EXPECT_EQ(cache.counters().refused, 400u);
  EXPECT_EQ(cache.counters().misses, 401u);
}

// A good entry under the name of another key, as by a collision of hashes.
TEST_F(ArtifactCacheTest, AnotherKernelsEntryIsRefused) {
  ArtifactCache cache(settings());
  get(cache, 1);
  get(cache, 2);
  std::filesystem::copy_file(file(2), file(1), std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(file(1), std::filesystem::perms::owner_all);
  EXPECT_TRUE(get(cache, 1).was_compiled);
  EXPECT_EQ(cache.counters().refused, 1u);
}

TEST_F(ArtifactCacheTest, WhatDoesNotLoadIsReplaced) {
  ArtifactCache cache(settings());
  get(cache, 1);
  Entry entry = sample_entry(1);
  entry.artifact.scratch_bytes = 1;
  EXPECT_TRUE(cache.replace(entry.key, entry.positions, [&] { return entry.artifact; }).was_compiled);
  EXPECT_EQ(cache.counters().refused, 1u);
  EXPECT_EQ(cache.get(entry.key, entry.positions, [&] { return Artifact(); }).artifact.scratch_bytes, 1u);
}

TEST_F(ArtifactCacheTest, DeniedCompilationNamesTheKernel) {
  ArtifactCache deny(settings(JitPolicy::Deny)), allow(settings());
  const Entry entry = sample_entry(1);
  expect_error(3601, {"'" + entry.artifact.kernel + "' for host", "TILEWRIGHT_JIT=deny", folder_.cache()}, [&] { get(deny, 1); });
  EXPECT_EQ(compiles_, 0);
  get(allow, 1);
  EXPECT_FALSE(get(deny, 1).was_compiled);
  CacheSettings off{"", 0, JitPolicy::Deny};
  ArtifactCache without(off);
  expect_error(3601, {"switched off"}, [&] { get(without, 1); });
}

TEST_F(ArtifactCacheTest, WarnedCompilationCompiles) {
  ArtifactCache warn(settings(JitPolicy::Warn));
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(get(warn, 1).was_compiled);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("is not in the cache and is compiled now"), std::string::npos);
}

TEST_F(ArtifactCacheTest, SwitchedOffItCompilesEveryTime) {
  ArtifactCache cache(CacheSettings{});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(get(cache, 1).was_compiled);
  const Entry entry = sample_entry(1);
  EXPECT_TRUE(cache.replace(entry.key, entry.positions, [&] { return entry.artifact; }).was_compiled);
  EXPECT_FALSE(std::filesystem::exists(folder_.cache()));
}

TEST_F(ArtifactCacheTest, AStoreThatCannotBeUsedIsWarnedOfOnce) {
  std::ofstream(folder_.cache()) << "a file";
  ArtifactCache cache(settings());
  ::testing::internal::CaptureStderr();
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(get(cache, i).was_compiled);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("kernels are not kept on disk"), said.rfind("kernels are not kept on disk"));
  EXPECT_NE(said.find(folder_.cache()), std::string::npos);
}

TEST_F(ArtifactCacheTest, AFullOrReadOnlyDiskIsWarnedOfOnceAndRead) {
  for (const auto& [call, error] : std::map<OneFault::Call, int>{{OneFault::Write, ENOSPC}, {OneFault::Create, EROFS}, {OneFault::Fsync, EIO}}) {
    OneFault files;
    ArtifactCache good(settings()), cache(settings(), files);
    get(good, 1);
    files.call = call;
    files.error = error;
    ::testing::internal::CaptureStderr();
    EXPECT_FALSE(get(cache, 1).was_compiled);
    for (std::uint64_t i : {2, 3, 2}) EXPECT_TRUE(get(cache, i).was_compiled);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find(std::strerror(error)), std::string::npos) << said;
    EXPECT_EQ(said.find("warn:"), said.rfind("warn:"));
    EXPECT_EQ(cache.counters().not_published, 3u);
  }
}

TEST_F(ArtifactCacheTest, ErrorsOfTheCompilerReachTheCallerAndLockNobodyOut) {
  ArtifactCache cache(settings());
  const Entry entry = sample_entry(1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(error_code([&] { cache.get(entry.key, entry.positions, []() -> Artifact { throw Error(2001, "no"); }); }), 2001);
  EXPECT_TRUE(get(cache, 1).was_compiled);
}

TEST_F(ArtifactCacheTest, ManyThreadsAndCachesCompileOnce) {
  ArtifactCache one(settings()), other(settings());
  const Entry entry = sample_entry(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      const CachedArtifact got = (t % 2 ? one : other).get(entry.key, entry.positions, [&] {
        ++compiles_;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return entry.artifact;
      });
      EXPECT_EQ(got.artifact.code, entry.artifact.code);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compiles_, 1);
  EXPECT_EQ(one.counters().misses + other.counters().misses, 1u);
}

TEST_F(ArtifactCacheTest, StaysWithinItsLimit) {
  CacheSettings small = settings();
  small.limit_bytes = 100'000;
  for (int process = 0; process < 3; ++process) {  // each prunes at its first publication
    ArtifactCache cache(small);
    for (std::uint64_t i = 0; i < 20; ++i) get(cache, static_cast<std::uint64_t>(100 * process) + i);
  }
  ArtifactCache last(small);
  get(last, 1000);
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_.kernels())) bytes += file.file_size();
  EXPECT_LE(bytes, small.limit_bytes);
  EXPECT_GT(bytes, small.limit_bytes / 2);
}

TEST(CacheSettings, AreReadFromTheEnvironment) {
  const auto read = [](std::map<std::string, std::string> variables) {
    return read_settings([=](const char* name) mutable -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  EXPECT_EQ(read({}).directory, "");
  EXPECT_EQ(read({{"HOME", "/home/u"}}).directory, "/home/u/.cache/tilewright");
  EXPECT_EQ(read({{"HOME", "/home/u"}, {"XDG_CACHE_HOME", "/x"}}).directory, "/x/tilewright");
  EXPECT_EQ(read({{"HOME", "/home/u"}, {"XDG_CACHE_HOME", "relative"}}).directory, "/home/u/.cache/tilewright");
  EXPECT_EQ(read({{"XDG_CACHE_HOME", "/x"}, {"TILEWRIGHT_CACHE_DIR", "there"}}).directory, "there");
  EXPECT_EQ(read({{"TILEWRIGHT_CACHE_DIR", "there"}, {"TILEWRIGHT_CACHE", "0"}}).directory, "");
  EXPECT_EQ(read({{"TILEWRIGHT_CACHE_DIR", "there"}, {"TILEWRIGHT_CACHE", "1"}}).directory, "there");
  EXPECT_EQ(read({}).limit_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(read({{"TILEWRIGHT_CACHE_LIMIT", "3M"}}).limit_bytes, std::uint64_t{3} << 20);
  EXPECT_EQ(read({}).jit, JitPolicy::Allow);
  EXPECT_EQ(read({{"TILEWRIGHT_JIT", "allow"}}).jit, JitPolicy::Allow);
  EXPECT_EQ(read({{"TILEWRIGHT_JIT", "warn"}}).jit, JitPolicy::Warn);
  EXPECT_EQ(read({{"TILEWRIGHT_JIT", "deny"}}).jit, JitPolicy::Deny);
  expect_error(3602, {"TILEWRIGHT_CACHE is 'off'"}, [&] { read({{"TILEWRIGHT_CACHE", "off"}}); });
  expect_error(3602, {"TILEWRIGHT_CACHE_LIMIT is '1.5G'"}, [&] { read({{"TILEWRIGHT_CACHE_LIMIT", "1.5G"}}); });
  expect_error(3602, {"TILEWRIGHT_JIT is 'never'"}, [&] { read({{"TILEWRIGHT_JIT", "never"}}); });
}

TEST(CacheSettings, AProcessHasOneCacheOfItsEnvironment) {
  setenv("TILEWRIGHT_CACHE", "1", 1);
  setenv("TILEWRIGHT_CACHE_DIR", "/nowhere/at/all", 1);
  const auto cache = ArtifactCache::of_environment();
  setenv("TILEWRIGHT_CACHE_DIR", "/elsewhere", 1);
  EXPECT_EQ(ArtifactCache::of_environment(), cache);
  EXPECT_EQ(cache->settings().directory, "/nowhere/at/all");
  unsetenv("TILEWRIGHT_CACHE_DIR");
  unsetenv("TILEWRIGHT_CACHE");
}

TEST(CacheSettings, SizesHaveUnits) {
  std::uint64_t bytes = 0;
  const auto size = [&](std::string_view text) { return parse_size(text, bytes) ? bytes : ~std::uint64_t{0}; };
  EXPECT_EQ(size("0"), 0u);
  EXPECT_EQ(size("123"), 123u);
  EXPECT_EQ(size("2K"), 2048u);
  EXPECT_EQ(size("1T"), std::uint64_t{1} << 40);
  for (const char* text : {"", "x", "-1", "1X", "1MB", "99999999999T", "999999999999999999999"}) EXPECT_FALSE(parse_size(text, bytes)) << text;
}

}  // namespace
}  // namespace tilewright::cache
