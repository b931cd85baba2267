// Finds accesses to memory that barriers do not put in an order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tilewright::simt {

// Follows every byte that the threads of one block touch. Between two barriers a byte that one thread writes may be neither read nor written by another, except that several may
// write the same value, and that several may act atomically. A barrier of a warp is one for its own threads.
class RaceDetector {
 public:
  RaceDetector(int lanes, int warps)
      : lanes_(lanes), warp_epochs_(static_cast<std::size_t>(warps), 1), released_(static_cast<std::size_t>(lanes * warps)), acquired_(released_) {}

  void begin_block();
  void barrier() { ++epoch_; }
  void warp_barrier(int warp) { ++warp_epochs_[static_cast<std::size_t>(warp)]; }

  // Each returns what is wrong, or null. A store is announced before it takes place and confirmed afterwards.
  const char* load(int thread, const std::byte* at, std::size_t bytes);
  void before_store(const std::byte* at, std::size_t bytes);
  const char* after_store(int thread, const std::byte* at, std::size_t bytes);
  const char* atomic(int thread, const std::byte* at, std::size_t bytes);

  // Fences: what other threads stored before theirs has to be behind a barrier before a thread releases it, and a barrier has to follow before what one thread has acquired is there for all.
  void global_store(int thread);
  const char* global_load(int thread) const;
  const char* fence(int thread, bool releases, bool acquires);

 private:
  struct Access {
    // Of the latest ones, by barriers of the block and of their warp; 0: never.
    std::uint32_t writer_epoch = 0, reader_epoch = 0, writer_warp_epoch = 0, reader_warp_epoch = 0, atomic_epoch = 0;
    int writer = -1, reader = -1, reader_warp = -1, atomic = -1;  // kSeveral: more than one
  };
  static constexpr int kSeveral = -2;
  static constexpr std::uintptr_t kRun = 64;  // bytes that are kept together

  Access& of(const std::byte* at);
  bool is_unordered(std::uint32_t epoch, std::uint32_t warp_epoch, int other, int other_warp, int thread) const;

  int lanes_;
  std::uint32_t epoch_ = 1;
  std::vector<std::uint32_t> warp_epochs_;
  std::vector<std::uint32_t> released_, acquired_;  // of each thread, when it last did
  std::uint32_t store_epoch_ = 0;                   // of the latest store in front of the thread's release
  int storer_ = -1;
  std::unordered_map<std::uintptr_t, std::vector<Access>> runs_;
  std::vector<std::byte> before_;
};

}  // namespace tilewright::simt
