// The system calls of the store, behind an interface, so that a test can put faults under it. Each does what the system call of its name does, errno included; a call that a signal
// interrupts is repeated.
#pragma once

#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace tilewright::cache {

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual int open(const char* path, int flags);
  virtual int openat(int directory, const char* name, int flags, mode_t mode = 0);
  virtual ssize_t read(int file, char* to, std::size_t bytes);
  virtual ssize_t write(int file, const char* from, std::size_t bytes);
  virtual int fsync(int file);
  virtual int close(int file);
  virtual int fstat(int file, struct stat& status);
  virtual int fstatat(int directory, const char* name, struct stat& status);  // of a link itself
  virtual int renameat(int directory, const char* from, const char* to);
  virtual int unlinkat(int directory, const char* name);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int flock(int file, int operation);
  virtual int touch(int file);                                                // modified now
  virtual int list(int directory, std::vector<std::string>& names);           // all but "." and ".."
};

// The system's own.
FileSystem& system_files();

}  // namespace tilewright::cache
