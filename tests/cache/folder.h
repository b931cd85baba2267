// A folder of a test's own, gone afterwards.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tilewright::testing {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "tilewright_cache_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string cache() const { return path_ + "/cache"; }
  std::string kernels() const { return cache() + "/kernels"; }

 private:
  std::string path_;
};

}  // namespace tilewright::testing
