// Cases run on a device of the runtime, for comparison with the reference.
#pragma once

#include "runtime/device.h"
#include "tests/fuzz/run.h"

#include <memory>
#include <string>

namespace tilewright::fuzz {

// The device of this name, "cuda:0" or "cpu". Throws Error TW3301 when there is none.
std::shared_ptr<Device> open_device(const std::string& name, std::shared_ptr<Compiler> compiler);

// Code for a device, run there on copies of the case's tensors. Copies have the alignment of the originals, and bytes around them in which a store is seen.
std::unique_ptr<Target> device_target(std::shared_ptr<Compiler> compiler, std::shared_ptr<Device> device);

}  // namespace tilewright::fuzz
