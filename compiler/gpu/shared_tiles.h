// How tiles that stay in shared memory lie there, and how matrix instructions read them.
#pragma once

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/layout/shared_layout.h"

#include <optional>

namespace tilewright::gpu {

// Rows along the last axis, in 16-byte chunks that are swizzled so that a column of eight chunks is read without bank conflicts. Rank 2; rows are multiples of 16 bytes.
layout::SharedLayout arrangement(llvm::ArrayRef<std::int64_t> shape, mlir::Type element);

inline constexpr std::int64_t kTileAlignment = 1024;  // bytes, which swizzles need: eight rows of 128

// Bytes of one tile, a multiple of the alignment.
std::int64_t tile_bytes(tile_gpu::SharedType type);

// The same of a channel: its tiles, and behind them two signals for each.
std::int64_t channel_bytes(tile_gpu::ChannelType type);
inline constexpr std::int64_t kSignalBytes = 8;

// Reads of four 8 x 8 matrices of 2-byte elements at once (GpuTarget::load_matrices). Read j brings the registers 8 j ... 8 j + 7: word i the registers 8 j + 2 i and 8 j + 2 i + 1.
struct MatrixLoads {
  layout::Layout addresses;  // lane 8 i + r is at row r of matrix i
  int low_bits = 0;
  bool transposed = false;
  // The register of `addresses` that is at the matrices of read j.
  int address_register(int j) const { return (j & ((1 << low_bits) - 1)) | (j >> low_bits << (low_bits + 3)); }
};
// The reads that bring a tile to `wanted` from memory where neighbours along `contiguous_axis` are next to each other. Nullopt where `wanted` is not made of such matrices.
std::optional<MatrixLoads> matrix_loads(const layout::Layout& wanted, int contiguous_axis);

}  // namespace tilewright::gpu
