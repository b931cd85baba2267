// Threads for work that is spread over the cores, such as the programs of a grid or kernels to compile: an arena of TBB.
#pragma once

#include <functional>
#include <memory>

namespace tilewright {

// Thread-safe: several threads may run work at once; they share the cores.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();

  // Calls `work` `times` times, spread over up to that many threads, the calling one among them, and waits. What work throws is thrown here, once.
  void run(int times, const std::function<void()>& work);

  // Threads that are used where as many as possible are wanted: one for each core this process may use.
  static int default_threads();

 private:
  class Arena;
  std::unique_ptr<Arena> arena_;
};

}  // namespace tilewright
