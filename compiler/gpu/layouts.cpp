#include "compiler/gpu/layouts.h"

#include "compiler/layout/build.h"
#include "compiler/layout/shape.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <numeric>

namespace tilewright::gpu {

using layout::Layout;

namespace {

constexpr int kLongestRun = 8;  // elements of a line that a thread scans by itself before it turns to others

Layout blocked(llvm::ArrayRef<std::int64_t> shape, std::vector<int> order, int vector, BlockThreads threads) {
  return layout::blocked(shape.vec(), {.order = std::move(order), .vector = vector, .lanes = threads.lanes, .warps = threads.warps});
}

std::vector<int> row_major(std::size_t rank) {
  std::vector<int> order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

std::int64_t elements(llvm::ArrayRef<std::int64_t> shape) { return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()); }

}  // namespace

Layout access_layout(const AccessShape& access, BlockThreads threads) {
  int vector = access.aligned_elements();
  while (vector > 1 && elements(access.shape) < std::int64_t{vector} * threads.threads()) vector /= 2;
  return blocked(access.shape, access.order(), vector, threads);
}

Layout default_layout(llvm::ArrayRef<std::int64_t> shape, BlockThreads threads) { return blocked(shape, row_major(shape.size()), 1, threads); }

Layout along_axis_layout(llvm::ArrayRef<std::int64_t> shape, int axis, BlockThreads threads) {
  std::vector<int> order = row_major(shape.size());
  order.erase(llvm::find(order, axis));
  order.insert(order.begin(), axis);
  return blocked(shape, order, 1, threads);
}

Layout scan_layout(llvm::ArrayRef<std::int64_t> shape, int axis, BlockThreads threads) {
  std::vector<int> order = row_major(shape.size());
  order.erase(llvm::find(order, axis));
  order.insert(order.begin(), axis);
  int vector = 1;
  while (vector < kLongestRun && std::int64_t{vector} * threads.lanes < shape[axis]) vector *= 2;
  return blocked(shape, order, vector, threads);
}

bool counts_in_order(const Layout& layout, int axis) {
  llvm::SmallVector<std::int64_t> strides;
  for (layout::Place place : layout::kPlaces) {
    const std::string& name = layout::place_name(place);
    for (int bit = 0; bit < layout.atom().input_bits(name); ++bit) {
      const layout::Point moved = layout.atom().basis(name, bit);
      if (moved[axis] == 0) continue;
      const bool alone = llvm::count_if(moved, [](std::uint32_t distance) { return distance != 0; }) == 1;
      const bool single = (moved[axis] & (moved[axis] - 1)) == 0;
      if (!alone || !single || place == layout::Place::kBlock || llvm::is_contained(strides, moved[axis])) return false;
      strides.push_back(moved[axis]);
    }
  }
  return true;
}

Layout only_axis(Layout layout, int axis) {
  for (int other = layout.rank() - 1; other >= 0; --other)
    if (other != axis) layout = layout::sliced(layout, other).layout;
  return layout;
}

Layout before_broadcast(Layout layout, llvm::ArrayRef<std::int64_t> shape) {
  for (int axis = 0; axis < layout.rank(); ++axis)
    if (shape[axis] == 1 && layout.extents()[axis] != 1) layout = layout::expanded(layout::sliced(layout, axis).layout, axis);
  return layout;
}

std::optional<layout::Layout> warp_sort_layout(tile::TopKOp op, BlockThreads threads) {
  constexpr std::int64_t kMostRegisters = 16;  // while the code of the network is short
  const auto type = op.getInput().getType();
  const mlir::Type element = type.getElementType();
  if (threads.warps != 1 || type.getRank() != 1 || !element.isInteger() || element.getIntOrFloatBitWidth() > 32) return std::nullopt;
  const std::int64_t extent = type.getNumElements(), registers = std::max<std::int64_t>(1, static_cast<std::int64_t>(llvm::PowerOf2Ceil(static_cast<std::uint64_t>(extent))) / threads.lanes);
  if (op.getK() != extent || !op.getIndices().use_empty() || registers > kMostRegisters) return std::nullopt;
  layout::Bases bases{{"register", {}}, {"lane", {}}};
  const int register_bits = static_cast<int>(llvm::Log2_64(static_cast<std::uint64_t>(registers))), bits = register_bits + static_cast<int>(llvm::Log2_32(static_cast<std::uint32_t>(threads.lanes)));
  for (int bit = 0; bit < bits; ++bit) bases[bit < register_bits ? 0 : 1].second.push_back({1u << bit});
  return layout::Layout({extent}, layout::LinearMap(bases, {{"dim0", bits}}), {});
}

}  // namespace tilewright::gpu
