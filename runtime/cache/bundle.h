// A bundle: entries in one file that can be copied to other machines and read without a store.
//
//   bundle := magic version:u32 count:u32 (hash offset:u64 size:u64)* trailer entry*
//   magic  := 8A 'T' 'W' 'B' 0D 0A 1A 0A
//   hash   := of the entry's key, 16 bytes; they rise from one to the next
//   offset, size := where the entry's bytes are in the file
//   trailer := XXH3-128 of all bytes before it, 16 bytes; the entries have their own
#pragma once

#include "runtime/cache/file_system.h"
#include "runtime/cache/hash.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tilewright::cache {

inline constexpr std::uint32_t kBundleVersion = 1;

std::string encode_bundle(const std::map<Hash128, std::string>& entries);

// Immutable, thread-safe.
class Bundle {
 public:
  // Null when the bytes are no bundle; `problem` says why.
  static std::unique_ptr<Bundle> decode(std::string bytes, std::string& problem);

  // Reads a file into memory. It must belong to the user or to root, and be writable by nobody else. Null when it cannot be used; `problem` names it.
  static std::unique_ptr<Bundle> read(const std::string& path, FileSystem& files, std::string& problem);

  // The bytes of an entry, unchecked; empty when it is not here.
  std::string_view find(const Hash128& hash) const;

  const std::map<Hash128, std::string_view>& entries() const { return entries_; }

 private:
  Bundle() = default;
  std::string bytes_;
  std::map<Hash128, std::string_view> entries_;
};

}  // namespace tilewright::cache
