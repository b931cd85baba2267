#include "runtime/cache/bundle.h"

#include "runtime/cache/encoding.h"
#include "runtime/cache/open_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace tilewright::cache {

namespace {

constexpr std::string_view kMagic("\x8aTWB\r\n\x1a\n", 8);
constexpr std::size_t kHashBytes = sizeof(Hash128::bytes);
constexpr std::size_t kHeaderBytes = 16, kIndexBytes = kHashBytes + 16;
constexpr std::uint64_t kMostBundleBytes = std::uint64_t{1} << 32;

std::string_view bytes_of(const Hash128& hash) { return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()}; }

}  // namespace

std::string encode_bundle(const std::map<Hash128, std::string>& entries) {
  Encoder out;
  out.raw(kMagic);
  out.u32(kBundleVersion);
  out.u32(static_cast<std::uint32_t>(entries.size()));
  std::uint64_t offset = kHeaderBytes + entries.size() * kIndexBytes + kHashBytes;
  for (const auto& [hash, bytes] : entries) {
    out.raw(bytes_of(hash));
    out.u64(offset);
    out.u64(bytes.size());
    offset += bytes.size();
  }
  out.raw(bytes_of(hash128(out.bytes())));
  for (const auto& [hash, bytes] : entries) out.raw(bytes);
  return std::move(out).take();
}

std::unique_ptr<Bundle> Bundle::decode(std::string bytes, std::string& problem) {
  std::unique_ptr<Bundle> bundle(new Bundle);
  bundle->bytes_ = std::move(bytes);
  const std::string_view all = bundle->bytes_;
  Decoder in(all);
  if (in.raw(kMagic.size()) != kMagic) {
    problem = "is no bundle";
    return nullptr;
  }
  if (in.u32() != kBundleVersion) {
    problem = "is a bundle of another version";
    return nullptr;
  }
  problem = "is damaged or cut off";
  const std::uint32_t count = in.count(kIndexBytes);
  const std::size_t index_end = kHeaderBytes + count * kIndexBytes;
  if (!in.ok() || all.size() < index_end + kHashBytes || all.substr(index_end, kHashBytes) != bytes_of(hash128(all.substr(0, index_end)))) return nullptr;
  for (std::uint32_t i = 0; i < count; ++i) {
    Hash128 hash;
    std::memcpy(hash.bytes.data(), in.raw(kHashBytes).data(), kHashBytes);
    const std::uint64_t offset = in.u64(), size = in.u64();
    if (offset > all.size() || size > all.size() - offset) return nullptr;
    bundle->entries_[hash] = all.substr(offset, size);
  }
  problem.clear();
  return bundle;
}

std::unique_ptr<Bundle> Bundle::read(const std::string& path, FileSystem& files, std::string& problem) {
  const OpenFile file(files, files.open(path.c_str(), O_RDONLY | O_NONBLOCK));
  struct stat status {};
  std::optional<std::string> bytes;
  if (!file || files.fstat(file.get(), status) != 0) {
    problem = "bundle '" + path + "' cannot be opened: " + std::strerror(errno);
    return nullptr;
  }
  if (!S_ISREG(status.st_mode) || (status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    problem = "bundle '" + path + "' must be a file that you or root own and nobody else can write";
    return nullptr;
  }
  if (static_cast<std::uint64_t>(status.st_size) <= kMostBundleBytes) bytes = read_whole(files, file.get(), static_cast<std::uint64_t>(status.st_size));
  if (!bytes) {
    problem = "bundle '" + path + "' cannot be read";
    return nullptr;
  }
  std::unique_ptr<Bundle> bundle = decode(std::move(*bytes), problem);
  if (!bundle) problem = "'" + path + "' " + problem;
  return bundle;
}

std::string_view Bundle::find(const Hash128& hash) const {
  const auto found = entries_.find(hash);
  return found == entries_.end() ? std::string_view() : found->second;
}

}  // namespace tilewright::cache
