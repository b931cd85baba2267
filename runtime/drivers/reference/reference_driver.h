// The driver "reference": runs a program's operations one by one, as their definitions say. For checking other devices, for print, assert and stepping.
#pragma once

#include "runtime/device.h"

#include <functional>
#include <memory>

namespace tilewright {

// Runs every program of a grid that is not empty, with the arguments in the slots runtime/artifact.h describes. Throws Error for failed assertions. Must be thread-safe.
// The interpreter lies above the runtime, so whoever opens the device brings it.
using InterpreterHook = std::function<void(const program::Program& program, const GridSize& grid, std::span<const std::uint64_t> arguments)>;

std::unique_ptr<Driver> make_reference_driver(InterpreterHook interpreter);

}  // namespace tilewright
