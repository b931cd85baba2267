// Where the elements of one load, store or copy are.
#pragma once

#include "compiler/gpu/lowering/emitter.h"

namespace tilewright::gpu {

// One dimension of the view.
struct Dimension {
  mlir::Value uniform;            // i64; the coordinate that all elements share, or null
  int axis = -1;                  // of the tile, whose position is added; -1: none
  std::vector<mlir::Value> each;  // i64; the coordinate of each register, where an index tile gives it
  mlir::Value low, extent;        // i32; the positions in bounds are low .. low + extent, where `axis` is counted
};

struct Emitter::Access {
  const ViewParts* view = nullptr;
  const Layout* layout = nullptr;  // null for a scalar
  std::vector<layout::Bounds> bounds;
  int contiguous_axis = -1;
  int width = 1;             // elements of a run
  Value whole_runs;          // i1, whether the tile is inside the view along the contiguous axis; null: no run straddles a row's end
  bool runs_inside = false;  // in the version being emitted, no check along the contiguous axis
  Value base;                // address of the thread's elements, before what the register adds
  std::vector<Dimension> dimensions;
};

// Where the last run of a tile was: the next one's address is told from it. Each told from the first would be a sum of its own, and of all those sums a loop would keep the
// part that it does not change in registers.
struct Emitter::RunningAddress {
  mlir::Value at;                     // null before the first
  std::vector<std::int64_t> offsets;  // of its register along each dimension but the contiguous one
  std::int64_t constant = 0;          // along the contiguous one
};

}  // namespace tilewright::gpu
