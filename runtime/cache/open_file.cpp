#include "runtime/cache/open_file.h"

#include <cerrno>

#include <fcntl.h>

namespace tilewright::cache {

std::optional<std::string> read_whole(FileSystem& files, int file, std::uint64_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = files.read(file, bytes.data() + have, bytes.size() - have);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

bool write_whole(FileSystem& files, int directory, const std::string& temporary, const std::string& name, std::string_view bytes) {
  OpenFile file(files, files.openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  if (!file) return false;
  const auto written = [&] {
    while (!bytes.empty()) {
      const ssize_t put = files.write(file.get(), bytes.data(), bytes.size());
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return files.fsync(file.get()) == 0 && file.close() && files.renameat(directory, temporary.c_str(), name.c_str()) == 0;
  };
  if (written()) return true;
  const int problem = errno;
  files.unlinkat(directory, temporary.c_str());
  errno = problem;
  return false;
}

}  // namespace tilewright::cache
