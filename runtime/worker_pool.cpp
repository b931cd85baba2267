#include "runtime/worker_pool.h"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <atomic>

namespace tilewright {

namespace {

// TBB orders what the threads do with what the caller of run() does. The atomics say so once more where thread sanitizers, which cannot see into TBB, can read it;
// the few accesses before the first of them are listed in cmake/sanitizers/tsan.supp.
struct Round {
  const std::function<void()>& work;
  std::atomic<bool> ready{false};
  std::atomic<int> finished{0};
};

struct Task {
  Round* round;
  void operator()(int) const {
    if (!round->ready.load(std::memory_order_acquire)) return;
    round->work();
    round->finished.fetch_add(1, std::memory_order_release);
  }
};

}  // namespace

class WorkerPool::Arena : public tbb::task_arena {
 public:
  using task_arena::task_arena;
};

WorkerPool::WorkerPool(int threads) : arena_(std::make_unique<Arena>(threads)) {}
WorkerPool::~WorkerPool() = default;

int WorkerPool::default_threads() { return tbb::info::default_concurrency(); }

void WorkerPool::run(int times, const std::function<void()>& work) {
  if (times == 1) return work();
  Round round{work};
  round.ready.store(true, std::memory_order_release);
  arena_->execute([&] { tbb::parallel_for(0, times, Task{&round}, tbb::simple_partitioner{}); });
  round.finished.load(std::memory_order_acquire);
}

}  // namespace tilewright
