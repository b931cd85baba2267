// Bundles: entries in one file, read by other processes without a store.
#include "runtime/cache/bundle.h"

#include "runtime/cache/artifact_cache.h"
#include "runtime/cache/encoding.h"
#include "tests/cache/faulty_files.h"
#include "tests/cache/folder.h"
#include "tests/cache/samples.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <fstream>

#include <unistd.h>

namespace tilewright::cache {
namespace {

using testing::error_code;
using testing::expect_error;
using testing::OneFault;
using testing::sample_entry;

class BundleTest : public ::testing::Test {
 protected:
  static std::map<Hash128, std::string> samples(std::uint64_t count) {
    std::map<Hash128, std::string> entries;
    for (std::uint64_t seed = 0; seed < count; ++seed) {
      const Entry entry = sample_entry(seed);
      entries[entry.key.hash] = encode_entry(entry);
    }
    return entries;
  }
  std::string write(const std::string& bytes, const std::string& name = "bundle") {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }
  CachedArtifact get(ArtifactCache& cache, std::uint64_t seed) {
    const Entry entry = sample_entry(seed);
    CachedArtifact got = cache.get(entry.key, entry.positions, [&] { return entry.artifact; });
    EXPECT_EQ(got.artifact.code, entry.artifact.code);
    return got;
  }

  testing::Folder folder_;
  std::string problem_;
};

TEST_F(BundleTest, ReadsWhatWasWritten) {
  for (std::uint64_t count : {0, 1, 5}) {
    const std::map<Hash128, std::string> entries = samples(count);
    const auto bundle = Bundle::decode(encode_bundle(entries), problem_);
    ASSERT_NE(bundle, nullptr) << problem_;
    EXPECT_EQ(bundle->entries().size(), entries.size());
    for (const auto& [hash, bytes] : entries) EXPECT_EQ(bundle->find(hash), bytes);
    EXPECT_EQ(bundle->find(hash128("none")), "");
  }
}

TEST_F(BundleTest, EveryFlipAndTruncationIsSeen) {
  const std::map<Hash128, std::string> entries = samples(3);
  const std::string good = encode_bundle(entries);
  // A bundle whose index is right still hands out only what the entries' own checksums cover.
  const auto intact = [&](const Bundle& bundle) {
    std::size_t count = 0;
    for (const auto& [hash, bytes] : entries) count += decode_entry(bundle.find(hash)).entry.has_value();
    return count;
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto bundle = Bundle::decode(damaged, problem_);
    EXPECT_TRUE(bundle == nullptr || intact(*bundle) == 2) << at;
    EXPECT_EQ(Bundle::decode(good.substr(0, at), problem_), nullptr) << at;
    EXPECT_FALSE(problem_.empty());
  }
}

TEST_F(BundleTest, OtherVersionsAndForgedIndicesAreRefused) {
  std::string bytes = encode_bundle(samples(1));
  bytes[8] = 2;
  EXPECT_EQ(Bundle::decode(bytes, problem_), nullptr);
  EXPECT_EQ(problem_, "is a bundle of another version");
  for (std::size_t at : {std::size_t{12}, std::size_t{32}, std::size_t{39}, std::size_t{40}, std::size_t{47}}) {  // count, offset, size; signed again
    bytes = encode_bundle(samples(1));
    bytes[at] = static_cast<char>(bytes[at] ^ 0x70);
    const Hash128 hash = hash128(std::string_view(bytes).substr(0, 48));
    bytes.replace(48, 16, reinterpret_cast<const char*>(hash.bytes.data()), 16);
    const auto bundle = Bundle::decode(bytes, problem_);
    EXPECT_TRUE(bundle == nullptr || !decode_entry(bundle->find(sample_entry(0).key.hash)).entry) << at;
  }
}

TEST_F(BundleTest, OnlyFilesOfTheUserAreRead) {
  const std::string path = write(encode_bundle(samples(1)));
  ASSERT_NE(Bundle::read(path, system_files(), problem_), nullptr) << problem_;
  std::filesystem::permissions(path, std::filesystem::perms::others_write, std::filesystem::perm_options::add);
  EXPECT_EQ(Bundle::read(path, system_files(), problem_), nullptr);
  EXPECT_NE(problem_.find("nobody else can write"), std::string::npos);
  EXPECT_EQ(Bundle::read(folder_.path(), system_files(), problem_), nullptr);
  EXPECT_EQ(Bundle::read(folder_.path() + "/none", system_files(), problem_), nullptr);
  EXPECT_NE(problem_.find("No such file"), std::string::npos);
  EXPECT_EQ(Bundle::read(write("noise"), system_files(), problem_), nullptr);
  EXPECT_NE(problem_.find("is no bundle"), std::string::npos);
  OneFault files;
  files.call = OneFault::Fstat;
  EXPECT_EQ(Bundle::read(write(encode_bundle(samples(1))), files, problem_), nullptr);
  EXPECT_NE(problem_.find("cannot be opened"), std::string::npos);
  if (geteuid() == 0) {
    const std::string foreign = write(encode_bundle(samples(1)), "foreign");
    ASSERT_EQ(chown(foreign.c_str(), 12345, 12345), 0);
    EXPECT_EQ(Bundle::read(foreign, system_files(), problem_), nullptr);
    EXPECT_NE(problem_.find("you or root own"), std::string::npos);
  }
  files.call = OneFault::Read;
  EXPECT_EQ(Bundle::read(write(encode_bundle(samples(1))), files, problem_), nullptr);
  EXPECT_NE(problem_.find("cannot be read"), std::string::npos);
  const std::string huge = write("");
  ASSERT_EQ(truncate(huge.c_str(), off_t{1} << 33), 0);
  EXPECT_EQ(Bundle::read(huge, system_files(), problem_), nullptr);
}

TEST_F(BundleTest, TheCacheAsksBundlesFirst) {
  std::map<Hash128, std::string> entries = samples(3);
  const std::string good = write(encode_bundle(entries), "good");
  entries.begin()->second.back() ^= 1;
  const std::string damaged = write(encode_bundle(entries), "damaged");
  // Without a store, and where nothing may be compiled.
  ArtifactCache denied(CacheSettings{"", 0, JitPolicy::Deny, {damaged, good}});
  for (std::uint64_t seed : {0, 1, 2}) EXPECT_FALSE(get(denied, seed).was_compiled);
  EXPECT_EQ(denied.counters().hits, 3u);
  EXPECT_EQ(denied.counters().refused, 1u);  // the second bundle has it whole
  EXPECT_EQ(error_code([&] { get(denied, 3); }), 3601);

  // With one, what a bundle has is not put there.
  ArtifactCache both(CacheSettings{folder_.cache(), 1 << 30, JitPolicy::Allow, {good}});
  EXPECT_FALSE(get(both, 0).was_compiled);
  EXPECT_TRUE(get(both, 3).was_compiled);
  EXPECT_EQ(both.counters().published, 1u);
}

// For processes without a compiler: found by the program, whoever compiled it.
TEST_F(BundleTest, PrecompiledKernelsAreFoundByTheirProgram) {
  const CodeOrigin host{"host", "znver9 +avx2", "some compiler", false}, level{"x86-64-v2", "x86-64-v2", "another", false}, gpu{"sm_90a", "sm_90a", "a third", true};
  const auto made = [](std::uint64_t seed, const CodeOrigin& origin) {
    Entry entry = sample_entry(seed);
    const program::Program program = fuzz::generate(seed).program;
    entry.key = content_key(program, origin);
    entry.positions = positions_of(program);
    entry.artifact.target = origin.target;
    return entry;
  };
  std::map<Hash128, std::string> entries;
  const auto put = [&](const Entry& entry) { entries[entry.key.hash] = encode_entry(entry); };
  put(made(0, host));
  put(made(0, level));
  put(made(0, gpu));
  put(made(1, level));
  Entry moved = made(2, level);  // its remarks speak of another place
  moved.positions = hash128("elsewhere");
  put(moved);
  Entry forged = made(4, level);  // a key that the program's own cannot be
  forged.key = content_key(fuzz::generate(4).program, level);
  for (auto& [name, value] : forged.key.parts) {
    if (name == "positions") value = "elsewhere";
  }
  Encoder bytes;
  bytes.u32(static_cast<std::uint32_t>(forged.key.parts.size()));
  for (const auto& [name, value] : forged.key.parts) {
    bytes.text(name);
    bytes.text(value);
  }
  forged.key.bytes = std::move(bytes).take();
  forged.key.hash = hash128(forged.key.bytes);
  put(forged);
  // Good up to its key, and cut off behind it.
  const Entry whole = made(6, host);
  std::string cut = encode_entry(whole);
  cut.resize(cut.size() - 17);
  Encoder size;
  size.u64(cut.size() + 16);
  cut.replace(28, 8, size.bytes());
  const Hash128 trailer = hash128(cut);
  entries[whole.key.hash] = cut.append(reinterpret_cast<const char*>(trailer.bytes.data()), trailer.bytes.size());
  EXPECT_TRUE(decode_entry_key(cut));
  std::string torn = encode_entry(whole);  // the size of its key is wrong, and signed again
  torn[36] ^= 1;
  const Hash128 signature = hash128(std::string_view(torn).substr(0, torn.size() - 16));
  torn.replace(torn.size() - 16, 16, reinterpret_cast<const char*>(signature.bytes.data()), 16);
  EXPECT_FALSE(decode_entry_key(torn));
  entries[hash128("a")] = "noise";
  std::string damaged = encode_entry(made(5, host));
  damaged.back() ^= 1;
  entries[hash128("b")] = damaged;

  ArtifactCache cache(CacheSettings{"", 0, JitPolicy::Allow, {write(encode_bundle(entries))}});
  const auto found = [&](std::uint64_t seed, const ArtifactCache::Suits& suits) { return cache.find_precompiled(fuzz::generate(seed).program, suits); };
  const auto on_cpu = [](const std::string& target, const std::string&) { return target == "host" ? 2 : target == "x86-64-v2" ? 1 : -1; };
  const auto on_old_cpu = [](const std::string& target, const std::string& processor) { return processor.find("avx2") == std::string::npos && target == "x86-64-v2" ? 1 : -1; };
  EXPECT_EQ(found(0, on_cpu).target, "host");
  EXPECT_EQ(found(0, on_old_cpu).target, "x86-64-v2");
  EXPECT_EQ(found(0, [](const std::string& target, const std::string&) { return target == "sm_90a" ? 0 : -1; }).target, "sm_90a");
  EXPECT_EQ(found(1, on_cpu).remarks, sample_entry(1).artifact.remarks);
  EXPECT_TRUE(found(2, on_cpu).remarks.empty());
  EXPECT_EQ(cache.counters().hits, 5u);
  EXPECT_EQ(cache.counters().refused, 2u);
  for (std::uint64_t seed : {3, 4, 5, 6}) EXPECT_EQ(error_code([&] { found(seed, on_cpu); }), 3601) << seed;
  EXPECT_EQ(error_code([&] { found(0, [](const std::string&, const std::string&) { return -1; }); }), 3601);
  EXPECT_EQ(cache.counters().misses, 5u);
  ArtifactCache none(CacheSettings{"", 0, JitPolicy::Allow, {}});
  expect_error(3601, {"TILEWRIGHT_BUNDLES names no bundle"}, [&] { none.find_precompiled(fuzz::generate(0).program, on_cpu); });
}

TEST_F(BundleTest, ABundleThatCannotBeUsedIsWarnedOf) {
  ArtifactCache cache(CacheSettings{"", 0, JitPolicy::Allow, {folder_.path() + "/none"}});
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(get(cache, 0).was_compiled);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("/none' cannot be opened"), std::string::npos);
  EXPECT_EQ(said.find("warn:"), said.rfind("warn:"));
}

TEST_F(BundleTest, TheEnvironmentListsThem) {
  const CacheSettings settings = read_settings([](const char* name) -> const char* { return std::string_view(name) == "TILEWRIGHT_BUNDLES" ? "/a:b::c d" : nullptr; });
  EXPECT_EQ(settings.bundles, (std::vector<std::string>{"/a", "b", "c d"}));
}

}  // namespace
}  // namespace tilewright::cache
