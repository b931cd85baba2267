// A cache entry: one compiled kernel as one sequence of bytes, which is one file of the store. Numbers are little-endian, text := length:u64 bytes.
//
//   entry    := magic version:u32 hash size:u64 packed packed metadata:text trailer
//   magic    := 8A 'T' 'W' 'C' 0D 0A 1A 0A
//   hash     := the key's hash, 16 bytes, by which the entry is found
//   size     := bytes of the whole entry
//   packed   := raw:u64 text                      `raw` bytes, compressed by zstd as one frame; first the key (content_key.h), then the code
//   metadata := kernel:text target:text entry:text scratch:u64
//               threads:u32 cluster:u32 shared:u64 overlaps:u8 count:u32 (parameter:u32 numbers(box))*
//               registers:u32 barriers:u32 stack:u64 spill_stores:u64 spill_loads:u64 shared:u64 resident_blocks:u32 occupancy:f64 limit:text
//               assembler:text compile_ms:f64 positions:16 bytes texts(assertions) texts(remarks) count:u32 (phase:text ms:f64)*
//   texts    := count:u32 text*
//   numbers  := count:u32 number:u32*
//   trailer  := XXH3-128 of all bytes before it, 16 bytes
//
// Everything is checked before it is used: the trailer first, then every length against the bytes there are. Whatever is wrong, decoding refuses; there is one version at a time.
#pragma once

#include "runtime/artifact.h"
#include "runtime/cache/content_key.h"

#include <optional>
#include <string>
#include <string_view>

namespace tilewright::cache {

inline constexpr std::uint32_t kEntryVersion = 2;
inline constexpr std::uint64_t kMostUnpackedBytes = std::uint64_t{1} << 28;  // of a key or code

struct Entry {
  ContentKey key;
  Artifact artifact;   // without its program
  Hash128 positions;   // of the program it was compiled from, all of them; remarks speak of these
};

std::string encode_entry(const Entry& entry);

enum class EntryProblem { None, Magic, Version, Size, Checksum, Malformed };
std::string_view describe(EntryProblem problem);  // "is cut off or too long"

struct DecodedEntry {
  EntryProblem problem = EntryProblem::None;
  std::optional<Entry> entry;  // exactly without a problem
};
DecodedEntry decode_entry(std::string_view bytes);

// The key alone, at a fraction of the time; empty where decode_entry() would refuse what comes before the code.
std::optional<ContentKey> decode_entry_key(std::string_view bytes);

}  // namespace tilewright::cache
