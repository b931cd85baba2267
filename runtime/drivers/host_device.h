// What the drivers share whose kernels run in this process: host memory, and streams that finish each piece of work before the call returns.
#pragma once

#include "runtime/device.h"
#include "runtime/drivers/host_memory.h"

#include <chrono>
#include <exception>
#include <optional>

namespace tilewright {

// A grid that is not empty, ready to run with arguments that fit; throws what the kernel did wrong.
class HostLaunch {
 public:
  virtual ~HostLaunch() = default;
  virtual void run() = 0;
};

class HostDevice : public Device {
 public:
  explicit HostDevice(DeviceProperties properties);

  const DeviceProperties& properties() const override { return properties_; }
  void* allocate(std::size_t bytes) override;
  void release(void* memory) noexcept override;
  bool accessible(const void* address, std::size_t bytes) const override { return true; }
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;

  // Throws for arguments that the device can tell are wrong, before anything runs. Their number has been checked.
  virtual void check_arguments(const Executable& executable, std::span<const std::uint64_t> arguments) const {}

  // Runs a grid that is not empty, with arguments that fit; throws what the kernel did wrong.
  virtual void run(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) = 0;

  // The same in two steps, for a grid that is run again and again. The executable outlives what is returned; the arguments are copied.
  virtual std::unique_ptr<HostLaunch> bind(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments);

 private:
  DeviceProperties properties_;
  HostMemory memory_;
};

// An executable that remembers its device.
class HostExecutable : public Executable {
 public:
  HostExecutable(std::shared_ptr<Device> device, Artifact artifact);
  const Artifact& artifact() const override { return artifact_; }
  const Device& device() const { return *device_; }
  std::size_t slots() const { return slots_; }

 private:
  std::shared_ptr<Device> device_;
  Artifact artifact_;
  std::size_t slots_;
};

// Physical memory of the machine, in bytes.
std::uint64_t host_memory_bytes();
// The model name of the processor, or "unknown processor".
std::string host_processor_name();

}  // namespace tilewright
