// A file descriptor closed when done with, and whole files read and written.
#pragma once

#include "runtime/cache/file_system.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

// The first `size` bytes of a file, fewer where it ends before. Empty when reading fails, and errno says why.
std::optional<std::string> read_whole(FileSystem& files, int file, std::uint64_t size);

// Writes a file of the user's alone under a temporary name, and gives it `name` once it is on the disk. False when a step fails; errno says why, and nothing is left.
bool write_whole(FileSystem& files, int directory, const std::string& temporary, const std::string& name, std::string_view bytes);

}  // namespace tilewright::cache
