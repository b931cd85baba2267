// How tiles that stay in shared memory lie there, and how matrix instructions read them.
#pragma once

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/target.h"
#include "compiler/layout/shared_layout.h"

#include <optional>

namespace tilewright::gpu {

// Rows along the last axis, in 16-byte chunks that are swizzled so that a column of eight chunks is read without bank conflicts; rows are multiples of 16 bytes. Of rank 1: element after element.
layout::SharedLayout arrangement(llvm::ArrayRef<std::int64_t> shape, mlir::Type element);

inline constexpr std::int64_t kTileAlignment = 1024;  // bytes, which swizzles need: eight rows of 128

inline constexpr std::int64_t kListAlignment = 128;   // of tiles of rank 1, which the copy engine needs
inline std::int64_t tile_alignment(llvm::ArrayRef<std::int64_t> shape) { return shape.size() == 1 ? kListAlignment : kTileAlignment; }

// Bytes of one tile, a multiple of its alignment.
std::int64_t tile_bytes(tile_gpu::SharedType type);

// What one copy brings of a tile of a channel, or takes of a shared tile, by the dimensions of the view that `maps` takes to its axes: of rank 1 all, of a matrix a column.
template <class TileType>
llvm::SmallVector<std::int64_t> box_of(TileType tile, llvm::ArrayRef<std::int64_t> maps) {
  const std::int64_t column = GroupProduct().row_bytes / (tile.getElementType().getIntOrFloatBitWidth() / 8);
  llvm::SmallVector<std::int64_t> box;
  for (std::int64_t axis : maps) box.push_back(axis < 0 ? 1 : axis == 1 ? column : tile.getShape()[axis]);
  return box;
}

// What a channel takes at most, beside others: its tiles, and behind them two signals for each.
std::int64_t channel_bytes(tile_gpu::ChannelType type);
inline constexpr std::int64_t kSignalBytes = 8;

// Reads of four matrices of 8 rows of 16 bytes at once (GpuTarget::load_matrices), of elements of 1 or 2 bytes. With e of them in a word of 4 bytes, read j brings the registers 4 e j ... 4 e (j + 1) - 1:
// word i those from 4 e j + e i on.
struct MatrixLoads {
  layout::Layout addresses;  // lane 8 i + r is at row r of matrix i
  int low_bits = 0;
  int word_elements = 2;
  bool transposed = false;
  int registers_of_read() const { return 4 * word_elements; }
  // The register of `addresses` that is at the matrices of read j.
  int address_register(int j) const { return (j & ((1 << low_bits) - 1)) | (j >> low_bits << (low_bits + column_bits())); }
  int column_bits() const { return word_elements == 2 ? 3 : 4; }  // of the elements of a row
};
// The reads that bring a tile to `wanted` from memory where neighbours along `contiguous_axis` are next to each other. Nullopt where `wanted` is not made of such matrices.
std::optional<MatrixLoads> matrix_loads(const layout::Layout& wanted, int contiguous_axis, std::int64_t element_bytes);

}  // namespace tilewright::gpu
