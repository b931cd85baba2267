// Cooperative threads of one operating system thread: code that can be stopped in the middle and resumed later.
#pragma once

#include <cstddef>
#include <functional>

namespace tilewright::simt {

// Runs what start() was given whenever resume() is called, until that returns or calls suspend(). A fiber that is not finished may be started anew or destroyed; nothing on
// its stack is unwound then.
class Fiber {
 public:
  explicit Fiber(std::size_t stack_bytes);
  Fiber(Fiber&& other) noexcept;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  Fiber& operator=(Fiber&&) = delete;
  ~Fiber();

  void start(std::function<void()> work);
  void resume();   // from outside of all fibers; the fiber is not finished
  void suspend();  // from inside of this one
  bool finished() const { return finished_; }

 private:
  static void enter(Fiber* self);

  std::byte* mapping_ = nullptr;  // a guard page, then the stack
  std::size_t mapped_ = 0;
  void* own_ = nullptr;     // stack pointer while suspended
  void* caller_ = nullptr;  // that of resume() while running
  std::function<void()> work_;
  bool finished_ = true;
};

}  // namespace tilewright::simt
