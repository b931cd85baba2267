// Tensor memory of a device whose kernels run in this process.
//
// The system hands out fresh memory page by page, each at its first touch, inside the kernel that writes a new output. So large blocks are kept when they are released, pages and
// all, and handed out again; those of 2 MiB and more ask for huge pages.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace tilewright {

// Thread-safe.
class HostMemory {
 public:
  // Blocks from this size on are kept. A block is reused for a request of at least 4/5 of its size.
  static constexpr std::size_t kLarge = std::size_t{64} << 10;

  // At most `most_idle` bytes are kept; beyond that those go back to the system that were released first.
  explicit HostMemory(std::size_t most_idle) : most_idle_(most_idle) {}
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  // Uninitialised memory, aligned to 256 bytes; zero bytes give an address of their own too. nullptr: there is none.
  void* allocate(std::size_t bytes);
  void release(void* memory) noexcept;

  // Bytes kept for later requests.
  std::size_t idle() const;

 private:
  struct Block {
    std::size_t bytes;
    std::size_t released = 0;  // when, counted in releases; 0: in use
  };
  using Blocks = std::unordered_map<void*, Block>;

  void* reuse(std::size_t bytes);
  Blocks::iterator oldest_idle();
  void free_idle(std::size_t most);

  const std::size_t most_idle_;
  mutable std::mutex mutex_;
  Blocks large_;
  std::size_t idle_ = 0, releases_ = 0;
};

}  // namespace tilewright
