// The programs of one launch, handed out to the threads that run them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace tilewright {

// Guided self-scheduling: a thread takes the next chunk of linear program numbers, 1/8 of its fair share of what is left. Early chunks are long, so the counter is seldom
// touched; late ones are single programs, so the threads end together even where later programs do more work. All operations are thread-safe.
class ProgramQueue {
 public:
  ProgramQueue(std::int64_t programs, int workers) : programs_(programs), divisor_(std::int64_t{8} * workers) {}

  // The next chunk [first, last); false when none is left.
  bool take(std::int64_t& first, std::int64_t& last) {
    first = next_.load(std::memory_order_relaxed);
    do {
      if (first >= programs_) return false;
      last = first + std::max<std::int64_t>((programs_ - first) / divisor_, 1);
    } while (!next_.compare_exchange_weak(first, last, std::memory_order_relaxed));
    return true;
  }

  // Hands out every program again. Not while threads take.
  void restart() { next_.store(0, std::memory_order_relaxed); }

  // Nothing more is handed out.
  void close() { next_.store(programs_, std::memory_order_relaxed); }

 private:
  const std::int64_t programs_, divisor_;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace tilewright
