#include "compiler/gpu/transforms/scratch_reserve.h"

#include "compiler/layout/conversion.h"
#include "runtime/support/error.h"

#include <algorithm>

namespace tilewright::gpu {

namespace {

constexpr std::int64_t kUsualReserve = 16 << 10;

std::int64_t scratch_of(tile_gpu::ConvertLayoutOp op) {
  const layout::Layout from = tile_gpu::layout_of(op.getInput()), to = tile_gpu::layout_of(op.getResult());
  layout::ConversionOptions options;
  options.element_bytes = static_cast<int>(std::max(1u, op.getType().getElementTypeBitWidth() / 8));
  options.max_scratch_bytes = kUsualReserve;
  try {
    layout::plan_conversion(from, to, options);
    return kUsualReserve;
  } catch (const Error&) {
    const layout::ConversionPlan plan = layout::plan_conversion(from, to, {.element_bytes = options.element_bytes});
    return plan.shared->elements * options.element_bytes;
  }
}

}  // namespace

std::int64_t scratch_reserve(mlir::func::FuncOp kernel, llvm::function_ref<bool(tile_gpu::ConvertLayoutOp)> without) {
  std::int64_t reserve = kUsualReserve;
  kernel.walk([&](tile_gpu::ConvertLayoutOp op) {
    if (!without || !without(op)) reserve = std::max(reserve, scratch_of(op));
  });
  return reserve;
}

}  // namespace tilewright::gpu
