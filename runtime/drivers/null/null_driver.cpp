#include "runtime/drivers/null/null_driver.h"

#include "runtime/support/error.h"

#include <cstdlib>
#include <map>
#include <mutex>

namespace tilewright {

namespace {

constexpr std::size_t kAlignment = 256;

class RecordingDevice : public NullDevice {
 public:
  using NullDevice::NullDevice;

  ~RecordingDevice() override {
    for (const auto& [address, allocation] : allocations_) std::free(allocation.block);
  }

  // calloc leaves large blocks untouched until they are written, so problems larger than the machine can be recorded.
  void* allocate(std::size_t bytes) override {
    const std::size_t size = bytes == 0 ? 1 : bytes;
    void* block = size <= SIZE_MAX - kAlignment ? std::calloc(size + kAlignment, 1) : nullptr;
    if (block == nullptr) throw Error(3302, "device 'null' has no memory for " + std::to_string(bytes) + " bytes");
    const std::uintptr_t address = (reinterpret_cast<std::uintptr_t>(block) + kAlignment - 1) / kAlignment * kAlignment;
    std::lock_guard lock(mutex_);
    allocations_[address] = {block, bytes};
    return reinterpret_cast<void*>(address);
  }

  void release(void* memory) noexcept override {
    if (memory == nullptr) return;
    std::lock_guard lock(mutex_);
    const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(memory));
    if (found == allocations_.end()) return;
    std::free(found->second.block);
    allocations_.erase(found);
  }

  bool accessible(const void* address, std::size_t bytes) const override {
    const auto first = reinterpret_cast<std::uintptr_t>(address);
    std::lock_guard lock(mutex_);
    auto after = allocations_.upper_bound(first);
    if (after == allocations_.begin()) return false;
    const auto& [start, allocation] = *--after;
    return first - start <= allocation.bytes && bytes <= allocation.bytes - (first - start);
  }

  std::shared_ptr<Executable> load(Artifact artifact) override {
    auto executable = std::make_shared<HostExecutable>(shared_from_this(), std::move(artifact));
    std::lock_guard lock(mutex_);
    programs_.push_back(executable->artifact().program);
    return executable;
  }

  void check_arguments(const Executable& executable, std::span<const std::uint64_t> arguments) const override {
    const Artifact& artifact = executable.artifact();
    const program::Program& program = *artifact.program;
    std::size_t slot = 0;
    for (const program::Param& param : program.params) {
      const program::Type& type = program.type(param.value);
      if (!type.is_view) {
        ++slot;
        continue;
      }
      check_view(artifact.kernel, param.name, type, arguments.subspan(slot, 1 + 2 * type.rank()));
      slot += 1 + 2 * type.rank();
    }
  }

  void run(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) override {
    std::lock_guard lock(mutex_);
    launches_.push_back({executable.artifact().kernel, executable.artifact().program, grid, {arguments.begin(), arguments.end()}});
  }

  std::vector<NullLaunch> launches() const override {
    std::lock_guard lock(mutex_);
    return launches_;
  }

  std::vector<std::shared_ptr<const program::Program>> programs() const override {
    std::lock_guard lock(mutex_);
    return programs_;
  }

 private:
  struct Allocation {
    void* block = nullptr;
    std::size_t bytes = 0;
  };

  // All elements of the view lie in one allocation.
  void check_view(const std::string& kernel, const std::string& name, const program::Type& type, std::span<const std::uint64_t> slots) const {
    const std::size_t rank = type.rank();
    std::int64_t low = 0, high = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto size = static_cast<std::int64_t>(slots[1 + axis]), stride = static_cast<std::int64_t>(slots[1 + rank + axis]);
      if (size == 0) return;
      std::int64_t reach = 0;
      std::int64_t& end = stride < 0 ? low : high;
      if (size < 0 || __builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(end, reach, &end))
        throw Error(3305, "kernel '" + kernel + "', argument '" + name + "': sizes and strides that cannot be");
    }
    const auto element = static_cast<std::int64_t>(size_of(type.dtype));
    std::int64_t first = 0, bytes = 0;
    const bool overflow = __builtin_mul_overflow(low, element, &first) || __builtin_sub_overflow(high, low, &bytes) ||
                          __builtin_add_overflow(bytes, 1, &bytes) || __builtin_mul_overflow(bytes, element, &bytes);
    const std::uintptr_t address = slots[0] + static_cast<std::uint64_t>(first);
    if (overflow || !accessible(reinterpret_cast<const void*>(address), static_cast<std::size_t>(bytes)))
      throw Error(3304, "kernel '" + kernel + "', argument '" + name + "': the view reaches outside the memory of device 'null'");
  }

  mutable std::mutex mutex_;
  std::map<std::uintptr_t, Allocation> allocations_;  // by the address given out
  std::vector<NullLaunch> launches_;
  std::vector<std::shared_ptr<const program::Program>> programs_;
};

class NullDriver : public Driver {
 public:
  std::string name() const override { return "null"; }

  std::vector<DeviceProperties> enumerate() const override {
    DeviceProperties properties;
    properties.name = "null";
    properties.description = "records launches, runs nothing";
    properties.memory_bytes = host_memory_bytes();
    properties.host_memory = true;
    return {properties};
  }

  std::shared_ptr<Device> open(int ordinal) override {
    if (ordinal != 0) throw Error(3301, "there is no device 'null:" + std::to_string(ordinal) + "'").help("there is one: 'null'");
    return open_null_device();
  }
};

}  // namespace

std::unique_ptr<Driver> make_null_driver() { return std::make_unique<NullDriver>(); }

std::shared_ptr<NullDevice> open_null_device(std::vector<std::string> explicit_levels) {
  DeviceProperties properties = NullDriver().enumerate()[0];
  properties.explicit_levels = std::move(explicit_levels);
  return std::make_shared<RecordingDevice>(std::move(properties));
}

}  // namespace tilewright
