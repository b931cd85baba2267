#include "runtime/cache/file_system.h"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tilewright::cache {

namespace {

template <class Call>
auto repeat(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace

int FileSystem::open(const char* path, int flags) {
  return repeat([&] { return ::open(path, flags | O_CLOEXEC); });
}
int FileSystem::openat(int directory, const char* name, int flags, mode_t mode) {
  return repeat([&] { return ::openat(directory, name, flags | O_CLOEXEC, mode); });
}
ssize_t FileSystem::read(int file, char* to, std::size_t bytes) {
  return repeat([&] { return ::read(file, to, bytes); });
}
ssize_t FileSystem::write(int file, const char* from, std::size_t bytes) {
  return repeat([&] { return ::write(file, from, bytes); });
}
int FileSystem::fsync(int file) {
  return repeat([&] { return ::fsync(file); });
}
int FileSystem::close(int file) { return ::close(file); }
int FileSystem::fstat(int file, struct stat& status) { return ::fstat(file, &status); }
int FileSystem::fstatat(int directory, const char* name, struct stat& status) { return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW); }
int FileSystem::renameat(int directory, const char* from, const char* to) { return ::renameat(directory, from, directory, to); }
int FileSystem::unlinkat(int directory, const char* name) { return ::unlinkat(directory, name, 0); }
int FileSystem::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int FileSystem::flock(int file, int operation) {
  return repeat([&] { return ::flock(file, operation); });
}
int FileSystem::touch(int file) { return ::futimens(file, nullptr); }

int FileSystem::list(int directory, std::vector<std::string>& names) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // a position of its own
  DIR* const stream = fdopendir(copy);  // null for a copy that is none
  if (stream == nullptr) {
    ::close(copy);
    return -1;
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(stream);
  return 0;
}

FileSystem& system_files() {
  static FileSystem files;
  return files;
}

}  // namespace tilewright::cache
