// What is known of an access to memory at the GPU level: along which axis of the tile memory is contiguous, and how wide an access of a thread may be.
#pragma once

#include "compiler/ir/TileOps.h"

#include <cstdint>

namespace tilewright::gpu {

// A load, a store or an atomic operation.
struct AccessShape {
  mlir::Value view;
  mlir::OperandRange indices;
  llvm::ArrayRef<std::int64_t> maps;
  llvm::ArrayRef<std::int64_t> shape;  // of the tile; empty for a scalar
  mlir::Type element;

  static AccessShape of(tile::LoadOp op);
  static AccessShape of(tile::StoreOp op);
  static AccessShape of(tile::AtomicOp op);

  // The axis of the tile whose neighbours are neighbours in memory; -1: none.
  int contiguous_axis() const;
  // Axes in the order of memory, the contiguous one first.
  std::vector<int> order() const;
  // The widest power of two of elements, at most 16 bytes, such that a run along the contiguous axis that begins at a multiple of it in the tile is aligned to its
  // size in memory; 1 without a contiguous axis.
  int aligned_elements() const;
  // Whether each such run lies in the view as a whole or not at all.
  bool runs_are_whole() const;
};

// The largest power of two, at most 2^16, that certainly divides an integer scalar.
std::int64_t known_divisor(mlir::Value scalar);

}  // namespace tilewright::gpu
