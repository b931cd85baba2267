// Descriptors of operands of wgmma: the addresses that the PTX ISA derives from one are those at which compiler/gpu/shared_tiles.h puts the elements.
#include "compiler/targets/nvidia/matrix_descriptor.h"

#include "compiler/layout/shared_layout.h"

#include <gtest/gtest.h>

namespace tilewright::nvidia {
namespace {

// PTX ISA, "Canonical layouts", in bytes of 2-byte elements with rows of 128 bytes: the instruction sees 16 elements of depth, and others in matrices of 8 rows of 128 bytes each. The chunk of 16 bytes
// that an element is in is xored with bits 7 to 9 of its address.
std::int64_t address(std::uint64_t descriptor, bool depth_along_rows, std::int64_t outer, std::int64_t depth) {
  const auto field = [&](int first) { return static_cast<std::int64_t>((descriptor >> first & 0x3fff) * 16); };
  const std::int64_t start = field(0), leading = field(16), stride = field(32);
  const std::int64_t at = depth_along_rows ? start + outer / 8 * stride + outer % 8 * 128 + depth * 2 : start + outer / 64 * leading + outer % 64 * 2 + depth / 8 * stride + depth % 8 * 128;
  return at ^ (at >> 7 & 7) << 4;
}

void compare(std::int64_t rows, std::int64_t columns, bool depth_along_rows) {
  const auto memory = layout::SharedLayout::swizzled({rows, columns}, {1, 0}, 2, layout::standard_swizzle(128));
  const MatrixDescriptor form = matrix_descriptor(rows, depth_along_rows);
  EXPECT_EQ(form.fixed_bits >> 62, 1u);
  constexpr std::int64_t kTile = 5 * 1024;
  const std::int64_t outers = depth_along_rows ? rows : columns, depths = depth_along_rows ? columns : rows;
  for (std::int64_t first = 0; first < outers; first += 64) {
    for (std::int64_t k = 0; k < depths; k += 16) {
      const std::uint64_t descriptor = (form.fixed_bits | static_cast<std::uint64_t>(kTile + first * form.row_bytes) / 16) + static_cast<std::uint64_t>(form.step(k));
      for (std::int64_t outer = 0; first + outer < outers; ++outer) {
        for (std::int64_t depth = 0; depth < 16; ++depth) {
          const std::int64_t row = depth_along_rows ? first + outer : k + depth, column = depth_along_rows ? k + depth : first + outer;
          ASSERT_EQ(address(descriptor, depth_along_rows, outer, depth), kTile + 2 * memory.offset({row, column})) << rows << " x " << columns << ", element " << row << ", " << column;
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
}

}  // namespace
}  // namespace tilewright::nvidia
