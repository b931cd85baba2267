// Entries: what is written is read, and nothing else is.
#include "runtime/cache/entry.h"

#include "runtime/cache/encoding.h"
#include "tests/cache/samples.h"
#include "tests/fuzz/rng.h"

#include <gtest/gtest.h>

namespace tilewright::cache {
namespace {

using testing::sample_entry;

std::string with_trailer(std::string bytes) {
  bytes.resize(bytes.size() - 16);
  const Hash128 hash = hash128(bytes);
  return bytes.append(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
}

TEST(Entry, ReadsWhatWasWritten) {
  for (std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{1} << 20}) {
    const Entry entry = sample_entry(bytes, bytes);
    const DecodedEntry decoded = decode_entry(encode_entry(entry));
    ASSERT_EQ(decoded.problem, EntryProblem::None);
    EXPECT_EQ(decoded.entry->key.bytes, entry.key.bytes);
    EXPECT_EQ(decoded.entry->key.hash, entry.key.hash);
    EXPECT_EQ(decoded.entry->key.parts, entry.key.parts);
    EXPECT_EQ(decoded.entry->positions, entry.positions);
    const Artifact &a = entry.artifact, &b = decoded.entry->artifact;
    EXPECT_EQ(std::tie(a.kernel, a.target, a.entry, a.code, a.scratch_bytes, a.assertions, a.compile_ms, a.assembler, a.remarks),
              std::tie(b.kernel, b.target, b.entry, b.code, b.scratch_bytes, b.assertions, b.compile_ms, b.assembler, b.remarks));
    EXPECT_EQ(std::tie(a.launch.threads, a.launch.cluster, a.launch.shared_bytes, a.launch.overlaps_previous, a.maps),
              std::tie(b.launch.threads, b.launch.cluster, b.launch.shared_bytes, b.launch.overlaps_previous, b.maps));
    EXPECT_EQ(std::tie(a.usage.registers, a.usage.barriers, a.usage.stack_bytes, a.usage.spill_store_bytes, a.usage.spill_load_bytes),
              std::tie(b.usage.registers, b.usage.barriers, b.usage.stack_bytes, b.usage.spill_store_bytes, b.usage.spill_load_bytes));
    EXPECT_EQ(std::tie(a.usage.shared_bytes, a.usage.resident_blocks, a.usage.occupancy, a.usage.occupancy_limit),
              std::tie(b.usage.shared_bytes, b.usage.resident_blocks, b.usage.occupancy, b.usage.occupancy_limit));
    ASSERT_EQ(b.phases.size(), 2u);
    EXPECT_EQ(b.phases[1].name, "passes");
    EXPECT_EQ(b.phases[1].ms, 11);
  }
}

TEST(Entry, EveryFlippedBitIsRefused) {
  const std::string bytes = encode_entry(sample_entry(7));
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      const DecodedEntry decoded = decode_entry(damaged);
      EXPECT_EQ(decoded.problem == EntryProblem::None, decoded.entry.has_value());
      refused += decoded.problem != EntryProblem::None;
    }
  }
  EXPECT_EQ(refused, static_cast<int>(8 * bytes.size()));
  RecordProperty("refused", refused);
}

TEST(Entry, EveryValueOfEveryByteIsRefused) {
  const std::string bytes = encode_entry(sample_entry(8, 20));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      refused += decode_entry(damaged).problem != EntryProblem::None;
    }
  }
  EXPECT_EQ(refused, 255 * bytes.size());
  RecordProperty("refused", static_cast<int>(refused));
}

TEST(Entry, EveryTruncationAndExtensionIsRefused) {
  const std::string bytes = encode_entry(sample_entry(9));
  std::size_t refused = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) refused += decode_entry(std::string_view(bytes).substr(0, size)).problem != EntryProblem::None;
  EXPECT_EQ(refused, bytes.size());
  RecordProperty("refused", static_cast<int>(refused));
  for (std::size_t more = 1; more < 70; ++more) EXPECT_EQ(decode_entry(bytes + std::string(more, '\0')).problem, EntryProblem::Size);
}

TEST(Entry, OtherVersionsAreRefusedEvenWithAGoodChecksum) {
  const std::string good = encode_entry(sample_entry(10));
  for (std::uint32_t version = 0; version < 300; ++version) {
    if (version == kEntryVersion) continue;
    Encoder number;
    number.u32(version);
    std::string bytes = good;
    bytes.replace(8, 4, number.bytes());
    EXPECT_EQ(decode_entry(with_trailer(bytes)).problem, EntryProblem::Version);
  }
}

// Bytes changed and signed again reach the parts behind the checksum: lengths, the compressed frames, the metadata.
TEST(Entry, ForgedEntriesNeitherCrashNorPassForAnotherKey) {
  const Entry entry = sample_entry(11);
  const std::string bytes = encode_entry(entry);
  std::size_t malformed = 0;
  for (std::size_t at = 12; at + 16 < bytes.size(); ++at) {
    for (int change : {1, 0x80, 0xFF}) {
      std::string forged = bytes;
      forged[at] = static_cast<char>(forged[at] ^ change);
      const DecodedEntry decoded = decode_entry(with_trailer(forged));
      malformed += decoded.problem == EntryProblem::Malformed;
      EXPECT_TRUE(!decoded.entry || decoded.entry->key.bytes == entry.key.bytes);
    }
  }
  EXPECT_GT(malformed, bytes.size() / 4);
  for (std::size_t size = 60; size < bytes.size(); ++size) {
    std::string forged = bytes.substr(0, size);
    Encoder length;
    length.u64(size);
    forged.replace(28, 8, length.bytes());
    EXPECT_EQ(decode_entry(with_trailer(forged)).problem, EntryProblem::Malformed) << size;
  }
}

TEST(Entry, NoiseIsRefused) {
  fuzz::Rng rng(5);
  const std::string good = encode_entry(sample_entry(12));
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good.substr(0, 12 + static_cast<std::size_t>(rng.between(0, 40)));
    for (std::int64_t i = rng.between(0, 200); i > 0; --i) bytes += static_cast<char>(rng.between(0, 255));
    EXPECT_NE(decode_entry(bytes).problem, EntryProblem::None);
  }
  EXPECT_EQ(decode_entry("").problem, EntryProblem::Magic);
}

TEST(Entry, ProblemsHaveWords) {
  for (EntryProblem problem : {EntryProblem::None, EntryProblem::Magic, EntryProblem::Version, EntryProblem::Size, EntryProblem::Checksum, EntryProblem::Malformed})
    EXPECT_FALSE(describe(problem).empty());
}

}  // namespace
}  // namespace tilewright::cache
