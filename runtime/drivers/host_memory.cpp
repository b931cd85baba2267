#include "runtime/drivers/host_memory.h"

#include <cstdint>
#include <new>

#include <sys/mman.h>

namespace tilewright {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::align_val_t alignment_of(std::size_t bytes) { return std::align_val_t{bytes >= kHugePage ? kHugePage : 256}; }

void* take_from_system(std::size_t bytes) {
  constexpr std::size_t most = PTRDIFF_MAX - 2 * kHugePage;  // rounding the size up to the alignment must not wrap
  if (bytes > most) return nullptr;
  void* memory = ::operator new(bytes, alignment_of(bytes), std::nothrow);
  if (memory != nullptr && bytes >= kHugePage) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a hint: a kernel without huge pages refuses it
  return memory;
}

}  // namespace

HostMemory::~HostMemory() {
  for (const auto& [memory, block] : large_) ::operator delete(memory, alignment_of(block.bytes));
}

void* HostMemory::allocate(std::size_t bytes) {
  if (bytes < kLarge) return take_from_system(bytes == 0 ? 1 : bytes);
  std::lock_guard lock(mutex_);
  if (void* memory = reuse(bytes)) return memory;
  void* memory = take_from_system(bytes);
  if (memory == nullptr && idle_ > 0) {
    free_idle(0);
    memory = take_from_system(bytes);
  }
  if (memory != nullptr) large_.emplace(memory, Block{bytes});
  return memory;
}

void HostMemory::release(void* memory) noexcept {
  if (memory == nullptr) return;
  std::lock_guard lock(mutex_);
  const auto found = large_.find(memory);
  if (found == large_.end()) return ::operator delete(memory, alignment_of(1));
  found->second.released = ++releases_;
  idle_ += found->second.bytes;
  free_idle(most_idle_);
}

std::size_t HostMemory::idle() const {
  std::lock_guard lock(mutex_);
  return idle_;
}

// The block released last, which caches may still hold, among those that fit.
void* HostMemory::reuse(std::size_t bytes) {
  auto best = large_.end();
  for (auto it = large_.begin(); it != large_.end(); ++it) {
    const Block& block = it->second;
    if (block.released == 0 || block.bytes < bytes || block.bytes - bytes > block.bytes / 5) continue;
    if (best == large_.end() || block.released > best->second.released) best = it;
  }
  if (best == large_.end()) return nullptr;
  best->second.released = 0;
  idle_ -= best->second.bytes;
  return best->first;
}

HostMemory::Blocks::iterator HostMemory::oldest_idle() {
  auto oldest = large_.end();
  for (auto it = large_.begin(); it != large_.end(); ++it) {
    if (it->second.released != 0 && (oldest == large_.end() || it->second.released < oldest->second.released)) oldest = it;
  }
  return oldest;
}

void HostMemory::free_idle(std::size_t most) {
  while (idle_ > most) {
    const auto oldest = oldest_idle();
    idle_ -= oldest->second.bytes;
    ::operator delete(oldest->first, alignment_of(oldest->second.bytes));
    large_.erase(oldest);
  }
}

}  // namespace tilewright
