// Guard pages by mmap and mprotect.
#include "tests/fuzz/guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

namespace tilewright::fuzz {

namespace {

std::size_t page() {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

Guarded::Guarded(std::size_t bytes, Placement placement, std::size_t alignment, std::ptrdiff_t anchor) : bytes_(bytes) {
  const std::size_t inner = (bytes + alignment + page() - 1) / page() * page();
  mapped_ = inner + 2 * page();
  void* mapping = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(mapping);
  const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(mapping_) + page();
  std::uintptr_t start = placement == Placement::AtStart ? first : first + inner - bytes;
  const std::uintptr_t excess = (start + static_cast<std::uintptr_t>(anchor)) % alignment;
  if (excess != 0) start = placement == Placement::AtStart ? start + alignment - excess : start - excess;
  data_ = reinterpret_cast<std::byte*>(start);
  set_writable(true);
}

Guarded::Guarded(Guarded&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), mapped_(other.mapped_), data_(other.data_), bytes_(other.bytes_) {}

Guarded::~Guarded() {
  if (mapping_) munmap(mapping_, mapped_);
}

bool Guarded::contains(const void* address) const { return address >= mapping_ && address < mapping_ + mapped_; }

void Guarded::set_writable(bool writable) { mprotect(mapping_ + page(), mapped_ - 2 * page(), writable ? PROT_READ | PROT_WRITE : PROT_READ); }

}  // namespace tilewright::fuzz
