// Memory between pages that may not be touched: an access beyond either end of what a test hands out is a fault at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tilewright::fuzz {

enum class Placement { AtEnd, AtStart };  // which end of the memory lies against its guard page

class Guarded {
 public:
  // `alignment` (a power of two, at most a page) is of the byte `anchor` bytes after data(), which may leave a gap below it to the guard page.
  Guarded(std::size_t bytes, Placement placement, std::size_t alignment = 1, std::ptrdiff_t anchor = 0);
  Guarded(Guarded&& other) noexcept;
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  Guarded& operator=(Guarded&&) = delete;
  ~Guarded();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  bool contains(const void* address) const;  // guard pages included
  void set_writable(bool writable);

 private:
  std::byte* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tilewright::fuzz
