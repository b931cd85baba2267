// A file descriptor closed when done with.
#pragma once

#include "runtime/cache/file_system.h"

#include <utility>

namespace tilewright::cache {

class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(FileSystem& files, int file) : files_(&files), file_(file) {}
  OpenFile(OpenFile&& other) noexcept : files_(other.files_), file_(std::exchange(other.file_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(files_, other.files_);
    std::swap(file_, other.file_);
    return *this;
  }
  ~OpenFile() { close(); }

  explicit operator bool() const { return file_ >= 0; }
  int get() const { return file_; }

  // Whether the system took everything: a file system may report a failed write only here.
  bool close() {
    const int file = std::exchange(file_, -1);
    return file < 0 || files_->close(file) == 0;
  }

 private:
  FileSystem* files_ = nullptr;
  int file_ = -1;
};

}  // namespace tilewright::cache
