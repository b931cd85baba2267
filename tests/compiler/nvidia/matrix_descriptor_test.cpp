// Descriptors of operands of wgmma: the addresses that the PTX ISA derives from one are those at which compiler/gpu/shared_tiles.h puts the elements.
#include "compiler/targets/nvidia/matrix_descriptor.h"

#include "compiler/layout/shared_layout.h"

#include <gtest/gtest.h>

namespace tilewright::nvidia {
namespace {

// PTX ISA, "Canonical layouts", in bytes with rows of 128 bytes, of 2-byte elements where the depth runs across them: the instruction sees 32 bytes of depth, and others in matrices of 8 rows of 128 bytes each. The chunk of 16 bytes
// that an element is in is xored with bits 7 to 9 of its address.
std::int64_t address(std::uint64_t descriptor, bool depth_along_rows, std::int64_t outer, std::int64_t depth, std::int64_t size) {
  const auto field = [&](int first) { return static_cast<std::int64_t>((descriptor >> first & 0x3fff) * 16); };
  const std::int64_t start = field(0), leading = field(16), stride = field(32);
  const std::int64_t at = depth_along_rows ? start + outer / 8 * stride + outer % 8 * 128 + depth * size : start + outer / 64 * leading + outer % 64 * 2 + depth / 8 * stride + depth % 8 * 128;
  return at ^ (at >> 7 & 7) << 4;
}

void compare(std::int64_t rows, std::int64_t columns, bool depth_along_rows, std::int64_t size = 2) {
  const auto memory = layout::SharedLayout::swizzled({rows, columns}, {1, 0}, static_cast<int>(size), layout::standard_swizzle(128));
  const MatrixDescriptor form = matrix_descriptor(rows, depth_along_rows);
  EXPECT_EQ(form.fixed_bits >> 62, 1u);
  constexpr std::int64_t kTile = 5 * 1024;
  const std::int64_t outers = depth_along_rows ? rows : columns, depths = depth_along_rows ? columns : rows;
  for (std::int64_t first = 0; first < outers; first += 64) {
    for (std::int64_t k = 0; k < depths; k += 32 / size) {
      const std::uint64_t descriptor = (form.fixed_bits | static_cast<std::uint64_t>(kTile + first * form.row_bytes) / 16) + static_cast<std::uint64_t>(form.step(k, size));
      for (std::int64_t outer = 0; first + outer < outers; ++outer) {
        for (std::int64_t depth = 0; depth < 32 / size; ++depth) {
          const std::int64_t row = depth_along_rows ? first + outer : k + depth, column = depth_along_rows ? k + depth : first + outer;
          ASSERT_EQ(address(descriptor, depth_along_rows, outer, depth, size), kTile + size * memory.offset({row, column})) << rows << " x " << columns << ", element " << row << ", " << column;
        }
      }
    }
  }
}

TEST(MatrixDescriptor, FindsWhatSharedTilesHold) {
  for (const bool depth_along_rows : {true, false}) {
    compare(64, 64, depth_along_rows);
    compare(128, 64, depth_along_rows);
    compare(64, 256, depth_along_rows);
    compare(48, 128, depth_along_rows);
    compare(256, 128, depth_along_rows);
  }
  for (const std::int64_t columns : {128, 256})
    for (const std::int64_t rows : {64, 48, 256}) compare(rows, columns, /*depth_along_rows=*/true, /*size=*/1);
}

}  // namespace
}  // namespace tilewright::nvidia
