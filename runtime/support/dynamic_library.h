// A shared library opened while the process runs, for libraries that a machine may lack. Once open it stays loaded until the process ends.
#pragma once

#include <memory>
#include <span>
#include <string>

namespace tilewright {

// Immutable, thread-safe.
class DynamicLibrary {
 public:
  // The first of `candidates` that loads: bare names, looked up as the dynamic loader does, or paths. Null when none does; `problem` is then a sentence with what the loader said.
  static std::unique_ptr<DynamicLibrary> open(std::span<const std::string> candidates, std::string& problem);

  // Null when the library has no such symbol.
  void* find(const char* symbol) const;

  // The file the loader took.
  const std::string& path() const { return path_; }

 private:
  DynamicLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  void* handle_;
  std::string path_;
};

}  // namespace tilewright
