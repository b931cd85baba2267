// Finds accesses to memory that barriers do not put in an order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tilewright::simt {

// Follows every byte that the threads of one block touch. Between two barriers a byte that one thread writes may be neither read nor written by another, except that several may
// write the same value.
class RaceDetector {
 public:
  void begin_block();
  void barrier() { ++epoch_; }

  // Each returns what is wrong, or null. A store is announced before it takes place and confirmed afterwards.
  const char* load(int thread, const std::byte* at, std::size_t bytes);
  void before_store(const std::byte* at, std::size_t bytes);
  const char* after_store(int thread, const std::byte* at, std::size_t bytes);

 private:
  struct Access {
    std::uint32_t writer_epoch = 0, reader_epoch = 0;  // of the latest ones; 0: never
    int writer = -1, reader = -1;                      // kSeveral: more than one reader
  };
  static constexpr int kSeveral = -2;
  static constexpr std::uintptr_t kRun = 64;  // bytes that are kept together

  Access& of(const std::byte* at);

  std::uint32_t epoch_ = 1;
  std::unordered_map<std::uintptr_t, std::vector<Access>> runs_;
  std::vector<std::byte> before_;
};

}  // namespace tilewright::simt
