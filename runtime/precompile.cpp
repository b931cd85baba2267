#include "runtime/precompile.h"

#include "runtime/support/error.h"
#include "runtime/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

namespace tilewright {

namespace {

// Numbered tasks, taken one by one by several threads.
class Tasks {
 public:
  Tasks(std::size_t count, const PrecompileOptions& options) : count_(count), options_(options) {}

  // `task(i)` does one, `name(i)` is its kernel's.
  template <class Task, class Name>
  void run(Task task, Name name) {
    if (count_ == 0) return;
    const int cores = WorkerPool::default_threads();
    const int most = options_.threads > 0 ? std::min(options_.threads, cores) : cores;
    const int threads = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(most), count_));
    WorkerPool(threads).run(threads, [&] {
      for (std::size_t i = 0; (i = next_.fetch_add(1)) < count_;) attempt(i, task, name);
    });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  template <class Task, class Name>
  void attempt(std::size_t number, Task& task, Name& name) {
    const auto start = std::chrono::steady_clock::now();
    std::string problem;
    try {
      task(number);
    } catch (const std::exception& error) {
      const Error* known = dynamic_cast<const Error*>(&error);
      problem = known != nullptr ? known->message() : error.what();
      fail(number);
    }
    const double milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    std::lock_guard lock(progress_mutex_);
    ++done_;
    if (!options_.progress) return;
    try {
      options_.progress({name(number), done_, count_, milliseconds, std::move(problem)});
    } catch (...) {
      fail(number);
    }
  }

  // Keeps the exception being handled, if it is of the first task that failed.
  void fail(std::size_t number) {
    std::lock_guard lock(failure_mutex_);
    if (failure_ && failed_ <= number) return;
    failed_ = number;
    failure_ = std::current_exception();
  }

  const std::size_t count_;
  const PrecompileOptions& options_;
  std::atomic<std::size_t> next_{0};
  std::mutex progress_mutex_, failure_mutex_;
  std::size_t done_ = 0, failed_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void precompile(Session& session, std::span<const LaunchRequest> requests, const PrecompileOptions& options) {
  Tasks(requests.size(), options)
      .run([&](std::size_t i) { session.compile(*requests[i].kernel, requests[i].arguments, requests[i].settings); },
           [&](std::size_t i) { return requests[i].kernel->name(); });
}

std::future<void> precompile_async(Session& session, std::vector<LaunchRequest> requests, PrecompileOptions options) {
  return std::async(std::launch::async,
                    [&session, requests = std::move(requests), options = std::move(options)] { precompile(session, requests, options); });
}

std::vector<Artifact> compile_all(Compiler& compiler, std::span<const std::shared_ptr<const program::Program>> programs,
                                  const CompileOptions& compile, const PrecompileOptions& options) {
  std::vector<Artifact> artifacts(programs.size());
  Tasks(programs.size(), options)
      .run([&](std::size_t i) { artifacts[i] = compiler.compile(programs[i], compile); }, [&](std::size_t i) { return programs[i]->name; });
  return artifacts;
}

}  // namespace tilewright
