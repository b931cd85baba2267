#include "runtime/device.h"

#include "runtime/support/error.h"

namespace tilewright {

std::int64_t programs_of(const GridSize& grid, const std::string& kernel) {
  const std::string text = "[" + std::to_string(grid[0]) + ", " + std::to_string(grid[1]) + ", " + std::to_string(grid[2]) + "]";
  for (std::int64_t size : grid) {
    if (size < 0) throw Error(3305, "the grid of kernel '" + kernel + "' has a negative size: " + text);
  }
  if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0) return 0;
  std::int64_t count = 0;
  if (__builtin_mul_overflow(grid[0], grid[1], &count) || __builtin_mul_overflow(count, grid[2], &count))
    throw Error(3305, "the grid of kernel '" + kernel + "' has more than 2^63 - 1 programs: " + text);
  return count;
}

std::size_t argument_slots(const program::Program& program) {
  std::size_t slots = 0;
  for (const program::Param& param : program.params) {
    const program::Type& type = program.type(param.value);
    slots += type.is_view ? 1 + 2 * type.rank() : 1;
  }
  return slots;
}

}  // namespace tilewright
