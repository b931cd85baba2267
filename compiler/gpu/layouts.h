// Layouts for tiles that no instruction asks a layout of.
#pragma once

#include "compiler/gpu/access.h"
#include "compiler/layout/layout.h"

namespace tilewright::gpu {

struct BlockThreads {
  int lanes = 32;
  int warps = 4;
  int threads() const { return lanes * warps; }
};

// For a load or store: lanes next to each other along memory, vectors as wide as alignment allows and as all threads have something to do.
layout::Layout access_layout(const AccessShape& access, BlockThreads threads);

// For anything: rows along the last axis.
layout::Layout default_layout(llvm::ArrayRef<std::int64_t> shape, BlockThreads threads);

// Lanes along `axis` first, then the rest: a reduction or scan along the axis stays in as few warps as can be.
layout::Layout along_axis_layout(llvm::ArrayRef<std::int64_t> shape, int axis, BlockThreads threads);

// For a scan along `axis`: short runs in a thread, then lanes, and other warps on other lines where there are enough.
layout::Layout scan_layout(llvm::ArrayRef<std::int64_t> shape, int axis, BlockThreads threads);

// Whether each bit and digit of the numbers of registers, lanes and warps either moves along `axis` alone, by a distance of its own, or does not move along it.
bool counts_in_order(const layout::Layout& layout, int axis);

// The layout of a tile of rank 1 that is used along `axis` of a tile in this layout.
layout::Layout only_axis(layout::Layout layout, int axis);

// The layout of the operand of a broadcast to this layout: extent 1 where `shape` says so.
layout::Layout before_broadcast(layout::Layout layout, llvm::ArrayRef<std::int64_t> shape);

// Of a tile of rank 1 that a warp sorts in its registers: with r of them, lane l holds the elements r l ... r l + r - 1. Nullopt where sorting takes another way.
std::optional<layout::Layout> warp_sort_layout(tile::TopKOp op, BlockThreads threads);

}  // namespace tilewright::gpu
