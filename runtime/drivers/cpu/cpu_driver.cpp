#include "runtime/drivers/cpu/cpu_driver.h"

#include "runtime/drivers/cpu/program_queue.h"
#include "runtime/drivers/host_device.h"
#include "runtime/support/error.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

namespace tilewright {

namespace {

// The scratch memory of one thread.
class ScratchBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  // At least `bytes`, with room for the prefix; what it held before is lost when it grows.
  char* reserve(std::size_t bytes) {
    const std::size_t needed = (std::max(bytes, sizeof(ScratchPrefix)) + kAlignment - 1) / kAlignment * kAlignment;
    if (needed > size_) {
      memory_.reset();
      size_ = 0;
      memory_.reset(static_cast<char*>(::operator new(needed, std::align_val_t{kAlignment}, std::nothrow)));
      if (!memory_) throw Error(3302, "no memory for " + std::to_string(needed) + " bytes of scratch");
      size_ = needed;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(char* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t size_ = 0;
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
  }

  void throw_if_failed(const std::string& kernel) {
    std::lock_guard lock(mutex_);
    if (!message_.empty()) throw Error(3401, "an assertion of kernel '" + kernel + "' failed: " + message_);
  }

 private:
  ProgramQueue& queue_;
  std::mutex mutex_;
  std::string message_;
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

class CpuDevice : public HostDevice {
 public:
  CpuDevice(DeviceProperties properties, CpuLoader loader, const CpuDriverOptions& options)
      : HostDevice(std::move(properties)), loader_(std::move(loader)), poison_scratch_(options.poison_scratch), arena_(this->properties().parallelism) {}

  std::shared_ptr<Executable> load(Artifact artifact) override {
    if (artifact.target == "reference" || artifact.target == "null" || artifact.code.empty()) {
      throw Error(3303, "the artifact of kernel '" + artifact.kernel + "' is for target '" + artifact.target + "' and carries no code for the CPU");
    }
    return std::make_shared<CpuExecutable>(shared_from_this(), std::move(artifact), loader_);
  }

  void run(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) override {
    const auto& loaded = static_cast<const CpuExecutable&>(executable);
    const Artifact& artifact = loaded.artifact();
    const auto workers = static_cast<int>(std::min<std::int64_t>(properties().parallelism, programs));
    ProgramQueue queue(programs, workers);
    AssertionLog assertions(queue);
    const ScratchPrefix prefix{{&AssertionLog::report, &assertions}, {}};

    const auto work = [&](int) {
      char* scratch = scratch_.local().reserve(artifact.scratch_bytes);
      if (poison_scratch_) std::memset(scratch, 0xFF, artifact.scratch_bytes);
      std::int64_t first = 0, last = 0;
      while (queue.take(first, last)) {
        std::int64_t id[3] = {first % grid[0], first / grid[0] % grid[1], first / grid[0] / grid[1]};
        for (std::int64_t linear = first; linear < last; ++linear) {
          std::memcpy(scratch, &prefix, sizeof prefix);
          loaded.entry()(arguments.data(), id, grid.data(), scratch);
          if (++id[0] == grid[0]) {
            id[0] = 0;
            if (++id[1] == grid[1]) {
              id[1] = 0;
              ++id[2];
            }
          }
        }
      }
    };
    if (workers == 1) {
      work(0);
    } else {
      arena_.execute([&] { tbb::parallel_for(0, workers, work, tbb::simple_partitioner{}); });
    }
    assertions.throw_if_failed(artifact.kernel);
  }

 private:
  CpuLoader loader_;
  bool poison_scratch_;
  tbb::task_arena arena_;
  tbb::enumerable_thread_specific<ScratchBuffer> scratch_;
};

class CpuDriver : public Driver {
 public:
  CpuDriver(CpuLoader loader, CpuDriverOptions options) : loader_(std::move(loader)), options_(options) {
    if (options_.threads < 0) throw Error(3002, "a device of " + std::to_string(options_.threads) + " threads");
  }

  std::string name() const override { return "cpu"; }

  std::vector<DeviceProperties> enumerate() const override {
    DeviceProperties properties;
    properties.name = "cpu";
    properties.description = host_processor_name();
    properties.compile_target = "host";
    properties.memory_bytes = host_memory_bytes();
    const int cores = tbb::info::default_concurrency();
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

std::unique_ptr<Driver> make_cpu_driver(CpuLoader loader, CpuDriverOptions options) { return std::make_unique<CpuDriver>(std::move(loader), options); }

}  // namespace tilewright
