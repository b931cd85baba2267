// What a launch was, in words, for error messages.
#pragma once

#include "runtime/artifact.h"
#include "runtime/device.h"

#include <cstdint>
#include <span>
#include <string>

namespace tilewright::cuda {

// "grid 3 x 1 x 1, blocks of 128 threads, 49152 bytes of shared memory".
std::string shape_text(const GridSize& grid, const LaunchShape& shape);

// "x = view f32 at 0x7f00 [3, 40] strides [40, 1], scale = 0.125": the arguments of the program's parameters as they stand in `slots`.
std::string arguments_text(const program::Program& program, std::span<const std::uint64_t> slots);

}  // namespace tilewright::cuda
