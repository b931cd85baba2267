#include "runtime/cache/entry.h"

#include "runtime/cache/encoding.h"
#include "runtime/support/error.h"

#include <zstd.h>

#include <cstring>

namespace tilewright::cache {

namespace {

constexpr std::string_view kMagic("\x8aTWC\r\n\x1a\n", 8);
constexpr std::size_t kHashBytes = sizeof(Hash128::bytes);
constexpr std::size_t kHeaderBytes = 8 + 4 + kHashBytes + 8;
constexpr int kCompressionLevel = 3;

std::string_view bytes_of(const Hash128& hash) { return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()}; }

Hash128 read_hash(Decoder& in) {
  Hash128 hash;
  const std::string_view bytes = in.raw(hash.bytes.size());
  if (in.ok()) std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

void pack(Encoder& out, std::string_view raw) {
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), kCompressionLevel);
  if (ZSTD_isError(size) != 0) throw Error(9601, std::string("a cache entry cannot be compressed: ") + ZSTD_getErrorName(size));
  out.u64(raw.size());
  out.text(std::string_view(packed).substr(0, size));
}

template <class Bytes>
void unpack(Decoder& in, Bytes& raw) {
  const std::uint64_t size = in.u64();
  const std::string_view packed = in.text();
  if (!in.ok() || size > kMostUnpackedBytes || ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) return in.fail();
  raw.resize(size);
  if (ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size()) != size) in.fail();
}

void encode_texts(Encoder& out, const std::vector<std::string>& texts) {
  out.u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

std::vector<std::string> decode_texts(Decoder& in) {
  std::vector<std::string> texts(in.count(8));
  for (std::string& text : texts) text = in.text();
  return texts;
}

std::string encode_metadata(const Entry& entry) {
  const Artifact& artifact = entry.artifact;
  const ResourceUsage& usage = artifact.usage;
  Encoder out;
  out.text(artifact.kernel);
  out.text(artifact.target);
  out.text(artifact.entry);
  out.u64(artifact.scratch_bytes);
  out.u32(static_cast<std::uint32_t>(artifact.launch.threads));
  out.u32(static_cast<std::uint32_t>(artifact.launch.cluster));
  out.u64(artifact.launch.shared_bytes);
  out.u8(artifact.launch.overlaps_previous);
  out.u32(static_cast<std::uint32_t>(artifact.maps.size()));
  for (const BoxMap& map : artifact.maps) {
    out.u32(map.parameter);
    out.u32(static_cast<std::uint32_t>(map.box.size()));
    for (std::uint32_t extent : map.box) out.u32(extent);
  }
  out.u32(static_cast<std::uint32_t>(usage.registers));
  out.u32(static_cast<std::uint32_t>(usage.barriers));
  out.u64(usage.stack_bytes);
  out.u64(usage.spill_store_bytes);
  out.u64(usage.spill_load_bytes);
  out.u64(usage.shared_bytes);
  out.u32(static_cast<std::uint32_t>(usage.resident_blocks));
  out.f64(usage.occupancy);
  out.text(usage.occupancy_limit);
  out.text(artifact.assembler);
  out.f64(artifact.compile_ms);
  out.raw(bytes_of(entry.positions));
  encode_texts(out, artifact.assertions);
  encode_texts(out, artifact.remarks);
  out.u32(static_cast<std::uint32_t>(artifact.phases.size()));
  for (const PhaseTime& phase : artifact.phases) {
    out.text(phase.name);
    out.f64(phase.ms);
  }
  return std::move(out).take();
}

bool decode_metadata(std::string_view bytes, Entry& entry) {
  Artifact& artifact = entry.artifact;
  ResourceUsage& usage = artifact.usage;
  Decoder in(bytes);
  artifact.kernel = in.text();
  artifact.target = in.text();
  artifact.entry = in.text();
  artifact.scratch_bytes = in.u64();
  artifact.launch.threads = static_cast<int>(in.u32());
  artifact.launch.cluster = static_cast<int>(in.u32());
  artifact.launch.shared_bytes = in.u64();
  artifact.launch.overlaps_previous = in.u8() != 0;
  artifact.maps.resize(in.count(8));
  for (BoxMap& map : artifact.maps) {
    map.parameter = in.u32();
    map.box.resize(in.count(4));
    for (std::uint32_t& extent : map.box) extent = in.u32();
  }
  usage.registers = static_cast<int>(in.u32());
  usage.barriers = static_cast<int>(in.u32());
  usage.stack_bytes = in.u64();
  usage.spill_store_bytes = in.u64();
  usage.spill_load_bytes = in.u64();
  usage.shared_bytes = in.u64();
  usage.resident_blocks = static_cast<int>(in.u32());
  usage.occupancy = in.f64();
  usage.occupancy_limit = in.text();
  artifact.assembler = in.text();
  artifact.compile_ms = in.f64();
  entry.positions = read_hash(in);
  artifact.assertions = decode_texts(in);
  artifact.remarks = decode_texts(in);
  artifact.phases.resize(in.count(16));
  for (PhaseTime& phase : artifact.phases) {
    phase.name = in.text();
    phase.ms = in.f64();
  }
  return in.done();
}

}  // namespace

std::string encode_entry(const Entry& entry) {
  Encoder body;
  pack(body, entry.key.bytes);
  pack(body, {entry.artifact.code.data(), entry.artifact.code.size()});
  body.text(encode_metadata(entry));

  Encoder out;
  out.raw(kMagic);
  out.u32(kEntryVersion);
  out.raw(bytes_of(entry.key.hash));
  out.u64(kHeaderBytes + body.bytes().size() + kHashBytes);
  out.raw(body.bytes());
  out.raw(bytes_of(hash128(out.bytes())));
  return std::move(out).take();
}

std::string_view describe(EntryProblem problem) {
  constexpr std::string_view kWords[] = {"is good", "is no cache entry", "is of another version of the format", "is cut off or too long", "is damaged: its checksum is wrong", "is malformed"};
  return kWords[static_cast<std::size_t>(problem)];
}

namespace {

// Checks what stands around an entry's parts, and leaves `in` at the first of them.
EntryProblem check_frame(std::string_view bytes, Decoder& in, Hash128& hash) {
  if (bytes.substr(0, kMagic.size()) != kMagic) return EntryProblem::Magic;
  if (bytes.size() < kHeaderBytes + kHashBytes) return EntryProblem::Size;
  in = Decoder(bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - kHashBytes));
  if (in.u32() != kEntryVersion) return EntryProblem::Version;
  hash = read_hash(in);
  if (in.u64() != bytes.size()) return EntryProblem::Size;
  if (bytes_of(hash128(bytes.substr(0, bytes.size() - kHashBytes))) != bytes.substr(bytes.size() - kHashBytes)) return EntryProblem::Checksum;
  return EntryProblem::None;
}

bool unpack_key(Decoder& in, const Hash128& hash, ContentKey& key) {
  std::string bytes;
  unpack(in, bytes);
  return in.ok() && decode_key(bytes, key) && key.hash == hash;
}

}  // namespace

DecodedEntry decode_entry(std::string_view bytes) {
  Decoder in({});
  Hash128 hash;
  const EntryProblem problem = check_frame(bytes, in, hash);
  if (problem != EntryProblem::None) return {problem, {}};
  DecodedEntry decoded{EntryProblem::None, Entry{}};
  Entry& entry = *decoded.entry;
  if (!unpack_key(in, hash, entry.key)) return {EntryProblem::Malformed, {}};
  unpack(in, entry.artifact.code);
  const std::string_view metadata = in.text();
  if (!in.done() || !decode_metadata(metadata, entry)) return {EntryProblem::Malformed, {}};
  return decoded;
}

std::optional<ContentKey> decode_entry_key(std::string_view bytes) {
  Decoder in({});
  Hash128 hash;
  ContentKey key;
  if (check_frame(bytes, in, hash) != EntryProblem::None || !unpack_key(in, hash, key)) return std::nullopt;
  return key;
}

}  // namespace tilewright::cache
