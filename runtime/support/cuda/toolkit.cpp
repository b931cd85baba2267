#include "runtime/support/cuda/toolkit.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace tilewright {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// The entries of a folder whose names begin with `prefix`, in order of name; none when the folder cannot be read.
std::vector<fs::path> entries(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().rfind(prefix, 0) == 0) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Numbers in names compare as numbers: cuda-12.10 is newer than cuda-12.9.
bool is_newer(const fs::path& a, const fs::path& b) {
  const auto numbers = [](const fs::path& path) {
    std::vector<long> values;
    long value = -1;
    for (char c : path.filename().string() + ".") {
      if (c >= '0' && c <= '9') {
        value = std::max(value, 0L) * 10 + (c - '0');
      } else if (value >= 0) {
        values.push_back(value);
        value = -1;
      }
    }
    return values;
  };
  return numbers(a) > numbers(b);
}

void add_folder(std::vector<fs::path>& folders, const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || !fs::is_directory(folder, error)) return;
  const fs::path real = fs::canonical(folder, error);
  if (!error && std::find(folders.begin(), folders.end(), real) == folders.end()) folders.push_back(real);
}

bool is_program(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<fs::path> toolkit_folders() {
  std::vector<fs::path> folders;
  add_folder(folders, environment("CUDA_HOME"));
  add_folder(folders, environment("CUDA_PATH"));
  add_folder(folders, "/usr/local/cuda");
  std::vector<fs::path> installed = entries("/usr/local", "cuda-");
  std::sort(installed.begin(), installed.end(), is_newer);
  for (const fs::path& folder : installed) add_folder(folders, folder);
  const std::string python = environment("VIRTUAL_ENV");
  if (!python.empty()) {
    for (const fs::path& version : entries(fs::path(python) / "lib", "python3")) {
      for (const fs::path& package : entries(version / "site-packages" / "nvidia", "")) add_folder(folders, package);
    }
  }
  return folders;
}

std::vector<std::string> toolkit_library_candidates(std::string_view stem, const std::vector<std::string>& versions) {
  const std::string file = "lib" + std::string(stem) + ".so";
  std::vector<std::string> candidates;
  for (const std::string& version : versions) candidates.push_back(file + "." + version);
  candidates.push_back(file);
  for (const fs::path& folder : toolkit_folders()) {
    for (const char* libraries : {"lib64", "lib"}) {
      std::vector<fs::path> found = entries(folder / libraries, file);
      std::sort(found.begin(), found.end(), is_newer);
      for (const fs::path& library : found) candidates.push_back(library.string());
    }
  }
  return candidates;
}

fs::path find_toolkit_program(const std::string& name) {
  std::istringstream path(environment("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    if (!folder.empty() && is_program(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  for (const fs::path& folder : toolkit_folders()) {
    if (is_program(folder / "bin" / name)) return folder / "bin" / name;
  }
  return {};
}

std::vector<fs::path> toolkit_include_folders(const std::string& header) {
  std::vector<fs::path> found;
  for (const fs::path& folder : toolkit_folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / "include" / header, error)) found.push_back(folder / "include");
  }
  return found;
}

}  // namespace tilewright
