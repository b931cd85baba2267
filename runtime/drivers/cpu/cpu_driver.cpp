#include "runtime/drivers/cpu/cpu_driver.h"

#include "runtime/drivers/cpu/program_queue.h"
#include "runtime/drivers/cpu/processor.h"
#include "runtime/drivers/host_device.h"
#include "runtime/support/error.h"
#include "runtime/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <mutex>
#include <new>
#include <utility>

namespace tilewright {

namespace {

constexpr std::size_t kScratchAlignment = 64;

// Scratch memory for one thread at a time.
class ScratchBuffer {
 public:
  // At least `bytes`, with room for the prefix; what it held before is lost when it grows.
  char* reserve(std::size_t bytes) {
    const std::size_t needed = (std::max(bytes, sizeof(ScratchPrefix)) + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
    if (needed > size_) {
      memory_.reset();
      size_ = 0;
      memory_.reset(static_cast<char*>(::operator new(needed, std::align_val_t{kScratchAlignment}, std::nothrow)));
      if (!memory_) throw Error(3302, "no memory for " + std::to_string(needed) + " bytes of scratch");
      size_ = needed;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(char* p) const { ::operator delete(p, std::align_val_t{kScratchAlignment}); }
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t size_ = 0;
};

// The buffers of a device: as many as threads have ever run at once. The one given back last, which caches may still hold, is taken first.
class ScratchPool {
 public:
  ScratchBuffer take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return {};
    ScratchBuffer buffer = std::move(idle_.back());
    idle_.pop_back();
    return buffer;
  }

  void give_back(ScratchBuffer buffer) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<ScratchBuffer> idle_;
};

// What a failed kernel assertion leaves behind: the first message of a launch. Programs not yet started are skipped then.
class AssertionLog {
 public:
  explicit AssertionLog(ProgramQueue& queue) : queue_(queue) {}

  static void report(void* context, const char* message) {
    auto& log = *static_cast<AssertionLog*>(context);
    log.queue_.close();
    std::lock_guard lock(log.mutex_);
    if (log.message_.empty()) log.message_ = message != nullptr && *message != '\0' ? message : "(no text)";
    log.failed_.store(true, std::memory_order_release);
  }

  // When no program runs any more. The log is then as new.
  void throw_if_failed(const std::string& kernel) {
    if (!failed_.load(std::memory_order_acquire)) return;
    failed_.store(false, std::memory_order_relaxed);
    throw Error(3401, "an assertion of kernel '" + kernel + "' failed: " + std::exchange(message_, {}));
  }

 private:
  ProgramQueue& queue_;
  std::mutex mutex_;
  std::string message_;
  std::atomic<bool> failed_{false};
};

class CpuExecutable : public HostExecutable {
 public:
  CpuExecutable(std::shared_ptr<Device> device, Artifact artifact, const CpuLoader& loader) : HostExecutable(std::move(device), std::move(artifact)) {
    code_ = loader(this->artifact(), entry_);
    if (entry_ == nullptr) throw Error(3303, "the code of kernel '" + this->artifact().kernel + "' has no entry '" + this->artifact().entry + "'");
  }
  CpuEntry entry() const { return entry_; }

 private:
  std::shared_ptr<void> code_;
  CpuEntry entry_ = nullptr;
};

// One launch, worked on by several threads. May be run again when all are done.
class Launch {
 public:
  Launch(const CpuExecutable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments, std::int64_t programs, int workers, bool poison)
      : executable_(executable), grid_(grid), arguments_(arguments), queue_(programs, workers), assertions_(queue_), poison_(poison) {}

  void restart() { queue_.restart(); }

  // Runs programs until none are left.
  void work(ScratchBuffer& buffer) {
    const std::size_t bytes = executable_.artifact().scratch_bytes;
    char* scratch = buffer.reserve(bytes);
    if (poison_) std::memset(scratch, 0xFF, bytes);
    std::int64_t first = 0, last = 0;
    while (queue_.take(first, last)) run(first, last, scratch);
  }

  // To be called when no thread works any more. Throws what an assertion of the kernel reported.
  void finish() { assertions_.throw_if_failed(executable_.artifact().kernel); }

 private:
  void run(std::int64_t first, std::int64_t last, char* scratch) {
    const ScratchPrefix prefix{{&AssertionLog::report, &assertions_}, {}};
    std::int64_t id[3] = {first % grid_[0], first / grid_[0] % grid_[1], first / grid_[0] / grid_[1]};
    for (std::int64_t linear = first; linear < last; ++linear) {
      std::memcpy(scratch, &prefix, sizeof prefix);
      executable_.entry()(arguments_.data(), id, grid_.data(), scratch);
      if (++id[0] < grid_[0]) continue;
      id[0] = 0;
      if (++id[1] < grid_[1]) continue;
      id[1] = 0;
      ++id[2];
    }
  }

  const CpuExecutable& executable_;
  const GridSize grid_;
  std::span<const std::uint64_t> arguments_;
  ProgramQueue queue_;
  AssertionLog assertions_;
  bool poison_;
};

// What runs launches: threads, and scratch for each of them.
struct Workshop {
  ScratchPool scratch;
  WorkerPool workers;

  void run(Launch& launch, int threads) {
    workers.run(threads, [&] {
      ScratchBuffer buffer = scratch.take();
      launch.work(buffer);
      scratch.give_back(std::move(buffer));
    });
    launch.finish();
  }
};

// A launch with arguments of its own, and scratch where one thread is enough.
class BoundCpuLaunch : public HostLaunch {
 public:
  BoundCpuLaunch(Workshop& workshop, const CpuExecutable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments, std::int64_t programs, int threads, bool poison)
      : workshop_(workshop),
        arguments_(arguments.begin(), arguments.end()),
        launch_(executable, grid, arguments_, programs, threads, poison),
        threads_(threads) {
    if (threads_ == 1) scratch_.reserve(executable.artifact().scratch_bytes);
  }

  void run() override {
    launch_.restart();
    if (threads_ != 1) return workshop_.run(launch_, threads_);
    launch_.work(scratch_);
    launch_.finish();
  }

 private:
  Workshop& workshop_;
  std::vector<std::uint64_t> arguments_;
  Launch launch_;
  int threads_;
  ScratchBuffer scratch_;
};

class CpuDevice : public HostDevice {
 public:
  CpuDevice(DeviceProperties properties, CpuLoader loader, const CpuDriverOptions& options)
      : HostDevice(std::move(properties)), loader_(std::move(loader)), poison_scratch_(options.poison_scratch), workshop_{{}, WorkerPool(this->properties().parallelism)} {}

  // Code for the machine at hand first, then the highest level.
  int suits(const std::string& target, const std::string& processor) const override {
    if (!missing_feature(target, processor).empty()) return -1;
    constexpr std::string_view kWorstToBest[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4", "host"};
    return static_cast<int>(std::find(std::begin(kWorstToBest), std::end(kWorstToBest), target) - std::begin(kWorstToBest));
  }

  std::shared_ptr<Executable> load(Artifact artifact) override {
    if (artifact.target == "reference" || artifact.target == "null" || artifact.code.empty()) {
      throw Error(3303, "the artifact of kernel '" + artifact.kernel + "' is for target '" + artifact.target + "' and carries no code for the CPU");
    }
    return std::make_shared<CpuExecutable>(shared_from_this(), std::move(artifact), loader_);
  }

  void run(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) override {
    const int threads = threads_for(programs);
    Launch launch(static_cast<const CpuExecutable&>(executable), grid, arguments, programs, threads, poison_scratch_);
    workshop_.run(launch, threads);
  }

  std::unique_ptr<HostLaunch> bind(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) override {
    return std::make_unique<BoundCpuLaunch>(workshop_, static_cast<const CpuExecutable&>(executable), grid, arguments, programs, threads_for(programs), poison_scratch_);
  }

 private:
  int threads_for(std::int64_t programs) const { return static_cast<int>(std::min<std::int64_t>(properties().parallelism, programs)); }

  CpuLoader loader_;
  bool poison_scratch_;
  Workshop workshop_;
};

class CpuDriver : public Driver {
 public:
  CpuDriver(CpuDriverOptions options, CpuLoader loader) : loader_(std::move(loader)), options_(options) {
    if (options_.threads < 0) throw Error(3002, "a device of " + std::to_string(options_.threads) + " threads");
  }

  std::string name() const override { return "cpu"; }

  std::vector<DeviceProperties> enumerate() const override {
    DeviceProperties properties;
    properties.name = "cpu";
    properties.description = host_processor_name();
    properties.compile_target = "host";
    properties.memory_bytes = host_memory_bytes();
    const int cores = WorkerPool::default_threads();
    properties.parallelism = options_.threads > 0 ? std::min(options_.threads, cores) : cores;
    properties.host_memory = true;
    return {properties};
  }

  std::shared_ptr<Device> open(int ordinal) override {
    if (ordinal != 0) throw Error(3301, "there is no device 'cpu:" + std::to_string(ordinal) + "'").help("there is one: 'cpu'");
    return std::make_shared<CpuDevice>(enumerate()[0], loader_, options_);
  }

 private:
  CpuLoader loader_;
  CpuDriverOptions options_;
};

}  // namespace

std::unique_ptr<Driver> make_cpu_driver(CpuDriverOptions options, CpuLoader loader) { return std::make_unique<CpuDriver>(options, std::move(loader)); }

}  // namespace tilewright
