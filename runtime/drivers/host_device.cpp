#include "runtime/drivers/host_device.h"

#include "runtime/support/error.h"

#include <cstring>
#include <fstream>
#include <utility>

#include <unistd.h>

namespace tilewright {

namespace {

// Bytes of released memory that a device keeps. The address sanitizer is to see every use after release, so there nothing is kept.
std::size_t most_idle_memory() {
#ifdef __SANITIZE_ADDRESS__
  return 0;
#else
  return static_cast<std::size_t>(host_memory_bytes() / 8);
#endif
}

class HostEvent : public Event {
 public:
  explicit HostEvent(std::shared_ptr<Device> device) : device_(std::move(device)) {}

  bool reached() const override { return true; }

  double milliseconds_since(const Event& earlier) const override {
    const auto* other = dynamic_cast<const HostEvent*>(&earlier);
    if (other == nullptr || other->device_ != device_) throw Error(3306, "time between events of two devices");
    if (!time_ || !other->time_) throw Error(3305, "time between events of which one was not recorded");
    return std::chrono::duration<double, std::milli>(*time_ - *other->time_).count();
  }

  void record() { time_ = std::chrono::steady_clock::now(); }
  const Device* device() const { return device_.get(); }

 private:
  std::shared_ptr<Device> device_;
  std::optional<std::chrono::steady_clock::time_point> time_;
};

// run() with arguments of its own.
class PlainLaunch : public HostLaunch {
 public:
  PlainLaunch(HostDevice& device, const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments)
      : device_(device), executable_(executable), grid_(grid), programs_(programs), arguments_(arguments.begin(), arguments.end()) {}

  void run() override { device_.run(executable_, grid_, programs_, arguments_); }

 private:
  HostDevice& device_;
  const Executable& executable_;
  GridSize grid_;
  std::int64_t programs_;
  std::vector<std::uint64_t> arguments_;
};

class HostStream : public Stream {
 public:
  explicit HostStream(std::shared_ptr<HostDevice> device) : device_(std::move(device)) {}

  void copy_to_device(void* device, const void* host, std::size_t bytes) override {
    check_range(device, bytes);
    if (bytes != 0) std::memcpy(device, host, bytes);
  }

  void copy_to_host(void* host, const void* device, std::size_t bytes) override {
    check_range(device, bytes);
    if (bytes != 0) std::memcpy(host, device, bytes);
  }

  void fill(void* device, unsigned char value, std::size_t bytes) override {
    check_range(device, bytes);
    if (bytes != 0) std::memset(device, value, bytes);
  }

  void launch(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) override {
    const std::int64_t programs = check(executable, grid, arguments);
    if (programs != 0) attempt([&] { device_->run(executable, grid, programs, arguments); });
  }

  std::unique_ptr<BoundLaunch> bind(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) override {
    const std::int64_t programs = check(executable, grid, arguments);
    return std::make_unique<Bound>(*this, programs == 0 ? nullptr : device_->bind(executable, grid, programs, arguments));
  }

  void record(Event& event) override {
    auto* own = dynamic_cast<HostEvent*>(&event);
    if (own == nullptr || own->device() != device_.get()) throw Error(3306, "an event of another device");
    own->record();
  }

  void wait(const Event& event) override {
    const auto* own = dynamic_cast<const HostEvent*>(&event);
    if (own == nullptr || own->device() != device_.get()) throw Error(3306, "an event of another device");
  }

  void synchronize() override {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  class Bound : public BoundLaunch {
   public:
    Bound(HostStream& stream, std::unique_ptr<HostLaunch> work) : stream_(stream), work_(std::move(work)) {}
    void run() override {
      if (work_) stream_.attempt([this] { work_->run(); });
    }

   private:
    HostStream& stream_;
    std::unique_ptr<HostLaunch> work_;  // null: an empty grid
  };

  // What goes wrong is kept for synchronize().
  template <class Work>
  void attempt(Work work) {
    try {
      work();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  }

  // The number of programs of a launch that can be.
  std::int64_t check(const Executable& executable, const GridSize& grid, std::span<const std::uint64_t> arguments) const {
    const std::string& kernel = executable.artifact().kernel;
    const auto* loaded = dynamic_cast<const HostExecutable*>(&executable);
    if (loaded == nullptr || &loaded->device() != device_.get()) throw Error(3306, "kernel '" + kernel + "' was loaded on another device");
    if (arguments.size() != loaded->slots()) {
      throw Error(3305, "kernel '" + kernel + "' takes " + std::to_string(loaded->slots()) + " argument slots, given are " + std::to_string(arguments.size()));
    }
    const std::int64_t programs = programs_of(grid, kernel);
    device_->check_arguments(executable, arguments);
    return programs;
  }

  void check_range(const void* device, std::size_t bytes) const {
    if (bytes == 0) return;
    if (device == nullptr || !device_->accessible(device, bytes))
      throw Error(3304, "a copy of " + std::to_string(bytes) + " bytes lies outside the memory of device '" + device_->properties().name + "'");
  }

  std::shared_ptr<HostDevice> device_;
  std::exception_ptr failure_;
};

}  // namespace

HostDevice::HostDevice(DeviceProperties properties) : properties_(std::move(properties)), memory_(most_idle_memory()) {}

void* HostDevice::allocate(std::size_t bytes) {
  void* memory = memory_.allocate(bytes);
  if (memory == nullptr) throw Error(3302, "device '" + properties_.name + "' has no memory for " + std::to_string(bytes) + " bytes");
  return memory;
}

void HostDevice::release(void* memory) noexcept { memory_.release(memory); }

std::unique_ptr<Stream> HostDevice::make_stream() { return std::make_unique<HostStream>(std::static_pointer_cast<HostDevice>(shared_from_this())); }

std::unique_ptr<HostLaunch> HostDevice::bind(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) {
  return std::make_unique<PlainLaunch>(*this, executable, grid, programs, arguments);
}

std::unique_ptr<Event> HostDevice::make_event() { return std::make_unique<HostEvent>(shared_from_this()); }

HostExecutable::HostExecutable(std::shared_ptr<Device> device, Artifact artifact) : device_(std::move(device)), artifact_(std::move(artifact)) {
  if (!artifact_.program) throw Error(3303, "the artifact of kernel '" + artifact_.kernel + "' carries no program");
  slots_ = argument_slots(*artifact_.program);
}

std::uint64_t host_memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

std::string host_processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace tilewright
