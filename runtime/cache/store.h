// The store: a directory of entries, one file each, shared by all processes of a user.
//
//   DIRECTORY/kernels/HASH.entry              an entry, never changed once it has its name
//                     HASH.PID-NUMBER.tmp     an entry being written
//                     HASH.lock               held by flock() while HASH is compiled
//
// A file gets its name by rename after it is on the disk, so that a reader meets all of it or nothing, whatever happens to the writer. Locks save work; nothing depends on them.
// The directories must be owned by the user and not writable by anyone else, and so must each file: others could put code there that this process runs.
#pragma once

#include "runtime/cache/file_system.h"
#include "runtime/cache/hash.h"
#include "runtime/cache/open_file.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::cache {

struct StoredFile {
  Hash128 hash;
  std::uint64_t bytes = 0;
  std::int64_t last_use_ns = 0;  // since 1970; to the minute
};

struct PruneResult {
  std::size_t removed = 0, kept = 0;
  std::uint64_t removed_bytes = 0, kept_bytes = 0;
};

// The right to compile one key while others wait; gives it up when destroyed.
class KeyLock {
 public:
  KeyLock(FileSystem& files, int directory, std::string name, OpenFile file) : files_(files), directory_(directory), name_(std::move(name)), file_(std::move(file)) {}
  ~KeyLock();
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;

 private:
  FileSystem& files_;
  int directory_;
  std::string name_;
  OpenFile file_;
};

// Thread-safe. Nothing throws: what fails is a miss, or false with a sentence in `problem`.
class Store {
 public:
  // Makes the directories where they are missing. Null when they cannot be used; `problem` says why.
  static std::unique_ptr<Store> open(const std::string& directory, FileSystem& files, std::string& problem);

  const std::string& directory() const { return directory_; }

  bool contains(const Hash128& hash);

  // The bytes of an entry, unchecked, and the note that it was used now. Empty: not there, or not to be had.
  std::optional<std::string> read(const Hash128& hash);

  // Puts an entry in its place, over an older one.
  bool publish(const Hash128& hash, std::string_view bytes, std::string& problem);

  // Waits for the lock of a key, at most until `deadline`, and no longer than until `ready` says true. Null when it was not got.
  using Clock = std::chrono::steady_clock;
  std::unique_ptr<KeyLock> lock(const Hash128& hash, Clock::time_point deadline, const std::function<bool()>& ready);

  // The entries there are, the one used longest ago first.
  std::vector<StoredFile> list();

  // Removes entries, those used longest ago first, until at most `limit` bytes are left. An entry that a process is reading now, or that was used since the listing, stays. What
  // processes that died left behind for an hour goes too.
  PruneResult prune(std::uint64_t limit);

  bool remove(const Hash128& hash);

 private:
  Store(std::string directory, FileSystem& files, OpenFile folder) : directory_(std::move(directory)), files_(files), folder_(std::move(folder)) {}
  bool remove_unless_used(const StoredFile& file);
  void remove_leftovers();

  std::string directory_;
  FileSystem& files_;
  OpenFile folder_;
};

}  // namespace tilewright::cache
