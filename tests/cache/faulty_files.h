// A file system with faults: calls fail as disks, networks and full or read-only file systems make them fail, write or read less than asked, and sometimes damage what they carry.
#pragma once

#include "runtime/cache/file_system.h"
#include "tests/fuzz/rng.h"

#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>

namespace tilewright::testing {

// Faults by chance, the same for the same seed. Thread-safe.
class RandomFaults : public cache::FileSystem {
 public:
  RandomFaults(std::uint64_t seed, int percent) : rng_(seed), percent_(percent) {}
  std::uint64_t faults() const { return faults_; }

  int open(const char* path, int flags) override { return fails() ? -1 : FileSystem::open(path, flags); }
  int openat(int directory, const char* name, int flags, mode_t mode) override { return fails() ? -1 : FileSystem::openat(directory, name, flags, mode); }
  ssize_t read(int file, char* to, std::size_t bytes) override {
    if (fails()) return -1;
    const ssize_t got = FileSystem::read(file, to, chance() ? bytes / 2 + 1 : bytes);
    if (got > 0 && chance()) to[below(got)] ^= 4;
    return got;
  }
  ssize_t write(int file, const char* from, std::size_t bytes) override {
    if (fails()) return -1;
    const ssize_t put = FileSystem::write(file, from, chance() ? bytes / 2 + 1 : bytes);
    return put > 0 && chance() ? static_cast<ssize_t>(bytes) : put;  // perhaps less than it says: the entry is then cut off
  }
  int fsync(int file) override { return fails() ? -1 : FileSystem::fsync(file); }
  int close(int file) override {
    const int result = FileSystem::close(file);
    return fails() ? -1 : result;
  }
  int fstat(int file, struct stat& status) override { return fails() ? -1 : FileSystem::fstat(file, status); }
  int fstatat(int directory, const char* name, struct stat& status) override { return fails() ? -1 : FileSystem::fstatat(directory, name, status); }
  int renameat(int directory, const char* from, const char* to) override {
    if (fails()) return -1;
    const int result = FileSystem::renameat(directory, from, to);
    return fails() ? -1 : result;  // done, and yet reported as failed, as over a network
  }
  int unlinkat(int directory, const char* name) override { return fails() ? -1 : FileSystem::unlinkat(directory, name); }
  int mkdir(const char* path, mode_t mode) override { return fails() ? -1 : FileSystem::mkdir(path, mode); }
  int flock(int file, int operation) override { return fails() ? -1 : FileSystem::flock(file, operation); }
  int touch(int file) override { return fails() ? -1 : FileSystem::touch(file); }
  int list(int directory, std::vector<std::string>& names) override { return fails() ? -1 : FileSystem::list(directory, names); }

 private:
  std::int64_t below(std::int64_t bound) {
    std::lock_guard lock(mutex_);
    return rng_.below(bound);
  }
  bool chance() { return below(100) < percent_; }
  bool fails() {
    if (!chance()) return false;
    constexpr int kErrors[] = {ESTALE, EBUSY, ENOENT, EIO, ENOSPC, EROFS, EACCES};
    ++faults_;
    errno = kErrors[below(std::size(kErrors))];
    return true;
  }

  std::mutex mutex_;
  fuzz::Rng rng_;
  int percent_;
  std::atomic<std::uint64_t> faults_{0};
};

// One call fails, every time, with one error.
class OneFault : public cache::FileSystem {
 public:
  enum Call { None, Open, OpenAt, Create, Read, Write, ShortWrite, Fsync, Close, Fstat, FstatAt, Rename, Unlink, Mkdir, Flock, Touch, List };
  Call call = None;
  int error = EIO;
  std::function<void()> before_flock = [] {};

  int open(const char* path, int flags) override { return is(Open) ? -1 : FileSystem::open(path, flags); }
  int openat(int directory, const char* name, int flags, mode_t mode) override {
    return is(OpenAt) || (mode != 0 && is(Create)) ? -1 : FileSystem::openat(directory, name, flags, mode);
  }
  ssize_t read(int file, char* to, std::size_t bytes) override { return is(Read) ? -1 : FileSystem::read(file, to, bytes); }
  ssize_t write(int file, const char* from, std::size_t bytes) override {
    return is(Write) ? -1 : FileSystem::write(file, from, is(ShortWrite) ? 1 : bytes);
  }
  int fsync(int file) override { return is(Fsync) ? -1 : FileSystem::fsync(file); }
  int close(int file) override {
    const int result = FileSystem::close(file);
    return is(Close) ? -1 : result;
  }
  int fstat(int file, struct stat& status) override { return is(Fstat) ? -1 : FileSystem::fstat(file, status); }
  int fstatat(int directory, const char* name, struct stat& status) override { return is(FstatAt) ? -1 : FileSystem::fstatat(directory, name, status); }
  int renameat(int directory, const char* from, const char* to) override { return is(Rename) ? -1 : FileSystem::renameat(directory, from, to); }
  int unlinkat(int directory, const char* name) override { return is(Unlink) ? -1 : FileSystem::unlinkat(directory, name); }
  int mkdir(const char* path, mode_t mode) override { return is(Mkdir) ? -1 : FileSystem::mkdir(path, mode); }
  int flock(int file, int operation) override {
    before_flock();
    return is(Flock) ? -1 : FileSystem::flock(file, operation);
  }
  int touch(int file) override { return is(Touch) ? -1 : FileSystem::touch(file); }
  int list(int directory, std::vector<std::string>& names) override { return is(List) ? -1 : FileSystem::list(directory, names); }

 private:
  bool is(Call wanted) {
    if (call != wanted) return false;
    errno = error;
    return true;
  }
};

}  // namespace tilewright::testing
