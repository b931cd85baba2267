#include "compiler/gpu/layouts.h"

#include "compiler/layout/build.h"
#include "compiler/layout/shape.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <numeric>

namespace tilewright::gpu {

using layout::Layout;

namespace {

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

}  // namespace tilewright::gpu
