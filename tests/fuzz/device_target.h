// Cases run on a device of the runtime, for comparison with the reference.
#pragma once

#include "runtime/device.h"
#include "tests/fuzz/run.h"

#include <memory>

namespace tilewright::fuzz {

// Code for a device, run there on copies of the case's tensors. Copies have the alignment of the originals, and bytes around them in which a store is seen.
std::unique_ptr<Target> device_target(std::shared_ptr<Compiler> compiler, std::shared_ptr<Device> device);

}  // namespace tilewright::fuzz
