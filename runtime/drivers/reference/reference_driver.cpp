#include "runtime/drivers/reference/reference_driver.h"

#include "runtime/drivers/host_device.h"
#include "runtime/support/error.h"

namespace tilewright {

namespace {

class ReferenceDevice : public HostDevice {
 public:
  ReferenceDevice(DeviceProperties properties, InterpreterHook interpreter) : HostDevice(std::move(properties)), interpreter_(std::move(interpreter)) {}

  std::shared_ptr<Executable> load(Artifact artifact) override { return std::make_shared<HostExecutable>(shared_from_this(), std::move(artifact)); }

  void run(const Executable& executable, const GridSize& grid, std::int64_t programs, std::span<const std::uint64_t> arguments) override {
    interpreter_(*executable.artifact().program, grid, arguments);
  }

 private:
  InterpreterHook interpreter_;
};

class ReferenceDriver : public Driver {
 public:
  explicit ReferenceDriver(InterpreterHook interpreter) : interpreter_(std::move(interpreter)) {}

  std::string name() const override { return "reference"; }

  std::vector<DeviceProperties> enumerate() const override {
    if (!interpreter_) return {};
    DeviceProperties properties;
    properties.name = "reference";
    properties.description = "interpreter of programs";
    properties.memory_bytes = host_memory_bytes();
    properties.host_memory = true;
    return {properties};
  }

  std::shared_ptr<Device> open(int ordinal) override {
    if (!interpreter_) throw Error(3301, "device 'reference' needs an interpreter, and this process has none");
    if (ordinal != 0) throw Error(3301, "there is no device 'reference:" + std::to_string(ordinal) + "'").help("there is one: 'reference'");
    return std::make_shared<ReferenceDevice>(enumerate()[0], interpreter_);
  }

 private:
  InterpreterHook interpreter_;
};

}  // namespace

std::unique_ptr<Driver> make_reference_driver(InterpreterHook interpreter) { return std::make_unique<ReferenceDriver>(std::move(interpreter)); }

}  // namespace tilewright
