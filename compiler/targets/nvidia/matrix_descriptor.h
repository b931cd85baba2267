// The descriptor by which wgmma finds an operand in shared memory, for tiles as compiler/gpu/shared_tiles.h arranges them: columns of 128 bytes behind each other, their rows in swizzled chunks of 16 bytes.
//
//   bits 0..13  address / 16        16..29  leading offset / 16      32..45  stride offset / 16      62..63  swizzle; 1: rows of 128 bytes
//
// PTX ISA, "Matrix descriptor format" and "Strides": the stride offset is from eight rows of memory to the next eight. The leading offset is from one column to the next, where the product's depth runs
// across the rows; where it runs along them, an instruction stays in one column.
#pragma once

#include <cstdint>

namespace tilewright::nvidia {

struct MatrixDescriptor {
  std::uint64_t fixed_bits = 0;     // all but the address
  std::int64_t rows = 0;            // of the tile in memory
  bool depth_along_rows = false;
  std::int64_t row_bytes = 0;       // from one of the operand's rows or columns to the next; of every 64th where the depth runs across the rows of memory, as an average
  // What to add to the descriptor for depth `k`, of elements of so many bytes; 2 where the depth runs across the rows.
  std::int64_t step(std::int64_t k, std::int64_t element_bytes) const {
    const std::int64_t bytes = k * element_bytes;
    return (depth_along_rows ? bytes / 128 * rows * 128 + bytes % 128 : k * 128) / 16;
  }
};

inline MatrixDescriptor matrix_descriptor(std::int64_t rows, bool depth_along_rows) {
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  const std::uint64_t stride = 8 * 128 / 16, leading = depth_along_rows ? 1 : static_cast<std::uint64_t>(rows) * 128 / 16;
  return {kSwizzle128 | stride << 32 | leading << 16, rows, depth_along_rows, depth_along_rows ? 128 : rows * 2};
}

}  // namespace tilewright::nvidia
