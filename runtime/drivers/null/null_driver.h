// The driver "null": checks and records what is asked of it and runs nothing. It shows which kernels an operator would launch, and with what.
//
// Its memory is host memory that starts as zeros, so results read back are zeros. It knows its allocations: an argument or a copy that reaches outside them is refused.
#pragma once

#include "runtime/drivers/host_device.h"

#include <memory>
#include <vector>

namespace tilewright {

struct NullLaunch {
  std::string kernel;
  std::shared_ptr<const program::Program> program;
  GridSize grid{};
  std::vector<std::uint64_t> arguments;  // slots, as in runtime/artifact.h
};

class NullDevice : public HostDevice {
 public:
  using HostDevice::HostDevice;
  // Launches so far, in order; empty grids are not among them. Thread-safe.
  virtual std::vector<NullLaunch> launches() const = 0;
  // The programs loaded so far, in order.
  virtual std::vector<std::shared_ptr<const program::Program>> programs() const = 0;
};

std::unique_ptr<Driver> make_null_driver();
// As kernels find it, it offers these explicit levels.
std::shared_ptr<NullDevice> open_null_device(std::vector<std::string> explicit_levels = {});

}  // namespace tilewright
