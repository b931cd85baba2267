#include "runtime/cache/store.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tilewright::cache {

namespace {

constexpr std::string_view kEntryEnd = ".entry", kLockEnd = ".lock", kTemporaryEnd = ".tmp";
constexpr std::uint64_t kMostEntryBytes = std::uint64_t{1} << 29;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kUsePrecision = 60 * kSecond;   // a use is noted at most this often, so that reading mostly writes nothing
constexpr std::int64_t kLeftoverAge = 3600 * kSecond;  // of temporaries and locks

std::string file_name(const Hash128& hash, std::string_view end) { return to_hex(hash).append(end); }

std::int64_t modified(const struct stat& status) { return status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec; }

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::string reason() { return std::strerror(errno); }

// Whether nobody but the user, and root, can have made or changed it.
bool is_private(const struct stat& status) { return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0; }

// Makes a directory and those above it, as far as they are missing.
void make_directories(FileSystem& files, const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) files.mkdir(path.substr(0, at).c_str(), 0700);
  files.mkdir(path.c_str(), 0700);
}

OpenFile open_private_directory(FileSystem& files, const std::string& path, std::string& problem) {
  OpenFile folder(files, files.open(path.c_str(), O_RDONLY | O_DIRECTORY));
  struct stat status {};
  if (!folder || files.fstat(folder.get(), status) != 0) {
    problem = "'" + path + "' cannot be opened: " + reason();
    return {};
  }
  if (!is_private(status)) {
    problem = "'" + path + "' is not yours alone: it must be owned by you and writable by nobody else";
    return {};
  }
  return folder;
}

bool ends_with(std::string_view text, std::string_view end) { return text.size() >= end.size() && text.substr(text.size() - end.size()) == end; }

}  // namespace

KeyLock::~KeyLock() { files_.unlinkat(directory_, name_.c_str()); }

std::unique_ptr<Store> Store::open(const std::string& directory, FileSystem& files, std::string& problem) {
  const std::string folder = directory + "/kernels";
  make_directories(files, folder);
  if (!open_private_directory(files, directory, problem)) return nullptr;
  OpenFile opened = open_private_directory(files, folder, problem);
  if (!opened) return nullptr;
  return std::unique_ptr<Store>(new Store(directory, files, std::move(opened)));
}

bool Store::contains(const Hash128& hash) {
  struct stat status {};
  return files_.fstatat(folder_.get(), file_name(hash, kEntryEnd).c_str(), status) == 0;
}

std::optional<std::string> Store::read(const Hash128& hash) {
  const OpenFile file(files_, files_.openat(folder_.get(), file_name(hash, kEntryEnd).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || files_.fstat(file.get(), status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || !is_private(status) || static_cast<std::uint64_t>(status.st_size) > kMostEntryBytes) return std::nullopt;
  files_.flock(file.get(), LOCK_SH | LOCK_NB);  // shows a pruning process that the entry is in use; reading works without
  std::optional<std::string> bytes = read_whole(files_, file.get(), static_cast<std::uint64_t>(status.st_size));
  if (bytes && now() - modified(status) > kUsePrecision) files_.touch(file.get());
  return bytes;
}

bool Store::publish(const Hash128& hash, std::string_view bytes, std::string& problem) {
  static std::atomic<std::uint64_t> number{0};
  const std::string name = file_name(hash, kEntryEnd),
                    temporary = to_hex(hash) + "." + std::to_string(getpid()) + "-" + std::to_string(++number) + std::string(kTemporaryEnd);
  if (!write_whole(files_, folder_.get(), temporary, name, bytes)) {
    problem = "'" + directory_ + "' cannot be written: " + reason();
    return false;
  }
  files_.fsync(folder_.get());  // without it a crash of the machine may lose the name, no more
  return true;
}

std::unique_ptr<KeyLock> Store::lock(const Hash128& hash, Clock::time_point deadline, const std::function<bool()>& ready) {
  const std::string name = file_name(hash, kLockEnd);
  std::chrono::milliseconds pause(1);
  for (;;) {
    OpenFile file(files_, files_.openat(folder_.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (!file) return nullptr;
    if (files_.flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      // Its owner removes a lock's file before it gives it up: the lock counts only on the file that has the name now.
      struct stat mine {}, named {};
      if (files_.fstat(file.get(), mine) != 0) return nullptr;
      const bool is_named = files_.fstatat(folder_.get(), name.c_str(), named) == 0 && named.st_ino == mine.st_ino;
      if (is_named) return std::make_unique<KeyLock>(files_, folder_.get(), name, std::move(file));
    } else if (errno != EWOULDBLOCK) {
      return nullptr;
    }
    file.close();
    if (Clock::now() >= deadline || ready()) return nullptr;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(20));
  }
}

std::vector<StoredFile> Store::list() {
  std::vector<std::string> names;
  files_.list(folder_.get(), names);
  std::vector<StoredFile> found;
  for (const std::string& name : names) {
    StoredFile file;
    struct stat status {};
    if (!ends_with(name, kEntryEnd) || !parse_hex(std::string_view(name).substr(0, name.size() - kEntryEnd.size()), file.hash)) continue;
    if (files_.fstatat(folder_.get(), name.c_str(), status) != 0) continue;
    file.bytes = static_cast<std::uint64_t>(status.st_size);
    file.last_use_ns = modified(status);
    found.push_back(file);
  }
  std::sort(found.begin(), found.end(), [](const StoredFile& a, const StoredFile& b) { return std::tie(a.last_use_ns, a.hash) < std::tie(b.last_use_ns, b.hash); });
  return found;
}

bool Store::remove_unless_used(const StoredFile& listed) {
  const std::string name = file_name(listed.hash, kEntryEnd);
  const OpenFile file(files_, files_.openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (file && files_.flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  if (file && files_.fstat(file.get(), status) == 0 && modified(status) != listed.last_use_ns) return false;
  return files_.unlinkat(folder_.get(), name.c_str()) == 0;
}

void Store::remove_leftovers() {
  std::vector<std::string> names;
  files_.list(folder_.get(), names);
  const std::int64_t oldest = now() - kLeftoverAge;
  for (const std::string& name : names) {
    const bool is_lock = ends_with(name, kLockEnd);
    struct stat status {};
    if ((!is_lock && !ends_with(name, kTemporaryEnd)) || files_.fstatat(folder_.get(), name.c_str(), status) != 0 || modified(status) > oldest) continue;
    if (!is_lock) {
      files_.unlinkat(folder_.get(), name.c_str());
      continue;
    }
    Hash128 hash;
    if (parse_hex(std::string_view(name).substr(0, name.size() - kLockEnd.size()), hash)) lock(hash, Clock::now(), [] { return true; });  // its end removes the file
  }
}

PruneResult Store::prune(std::uint64_t limit) {
  remove_leftovers();
  const std::vector<StoredFile> files = list();
  PruneResult result;
  for (const StoredFile& file : files) result.kept_bytes += file.bytes;
  result.kept = files.size();
  for (const StoredFile& file : files) {
    if (result.kept_bytes <= limit) break;
    if (!remove_unless_used(file)) continue;
    ++result.removed;
    --result.kept;
    result.removed_bytes += file.bytes;
    result.kept_bytes -= file.bytes;
  }
  return result;
}

bool Store::remove(const Hash128& hash) { return files_.unlinkat(folder_.get(), file_name(hash, kEntryEnd).c_str()) == 0; }

}  // namespace tilewright::cache
