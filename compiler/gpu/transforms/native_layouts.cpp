#include "compiler/gpu/transforms/native_layouts.h"

#include "compiler/gpu/dot_layouts.h"
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/layout/queries.h"
#include "compiler/layout/shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::gpu {

using layout::Layout;
namespace scf = mlir::scf;

bool is_tile(mlir::Value value) { return llvm::isa<mlir::RankedTensorType>(value.getType()); }

bool is_elementwise(mlir::Operation* op) {
  return !llvm::isa<mlir::arith::ConstantOp>(op) && op->hasTrait<mlir::OpTrait::Elementwise>();
}

NativeLayouts::NativeLayouts(mlir::func::FuncOp kernel, const GpuTarget& target, BlockThreads threads) : target_(target), threads_(threads), group_dots_(kernel, target, threads.warps) {
  int dots = 0, reductions = 0;
  kernel.walk([&](mlir::Operation* op) {
    dots += llvm::isa<tile::DotOp>(op);
    reductions += llvm::isa<tile::ReduceOp>(op);
  });
  rows_together_ = dots > 1 || reductions > 0;
  visit(kernel.getBody().front());
}

const NativeLayouts::Native* NativeLayouts::native(mlir::Value tile) const {
  const auto found = natives_.find(tile);
  return found == natives_.end() ? nullptr : &found->second;
}

const Layout* NativeLayouts::find(mlir::Value tile) const {
  const Native* found = native(tile);
  return found ? &found->layout : nullptr;
}

Layout NativeLayouts::of(mlir::Value tile) const {
  if (const Layout* layout = find(tile)) return *layout;
  return default_layout(tile::shape_of(tile.getType()), threads_);
}

void NativeLayouts::set(mlir::Value tile, Layout layout, Weight weight) { natives_.insert_or_assign(tile, Native{std::move(layout), weight}); }

bool NativeLayouts::merge(mlir::Value into, mlir::Value from) {
  const Native* source = native(from);
  if (!source) return false;
  const Native* present = native(into);
  if (present && present->weight >= source->weight) return false;
  set(into, Layout(source->layout), source->weight);
  return true;
}

void NativeLayouts::settle(mlir::Value tile) {
  if (is_tile(tile) && !find(tile)) set(tile, of(tile), kDefault);
}

void NativeLayouts::visit(mlir::Block& block) {
  for (mlir::Operation& op : block) visit(&op);
}

void NativeLayouts::visit(mlir::Operation* op) {
  if (llvm::isa<scf::ForOp>(op)) return visit_for(op);
  if (llvm::isa<scf::IfOp>(op)) return visit_if(op);
  if (llvm::isa<scf::WhileOp>(op)) return visit_while(op);
  if (auto roles = llvm::dyn_cast<tile_gpu::RolesOp>(op)) {
    for (mlir::Region& role : roles->getRegions()) visit(role.front());
    return;
  }
  if (op->getNumResults() == 0 || !llvm::any_of(op->getResults(), is_tile)) return;
  mlir::Value result = op->getResult(0);
  const auto shape = tile::shape_of(result.getType());

  if (auto load = llvm::dyn_cast<tile::LoadOp>(op); load && is_flexible(load)) return;
  if (llvm::isa<tile_gpu::ChannelLoadOp, tile_gpu::LocalLoadOp>(op)) return;  // in any layout, as it is wanted
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) return set(result, access_layout(AccessShape::of(load), threads_), kMemory);
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(op)) {
    // Element by element, so the value stays where it is.
    const Layout* own = find(atomic.getValue());
    return set(result, own ? Layout(*own) : access_layout(AccessShape::of(atomic), threads_), kMemory);
  }
  if (auto dot = llvm::dyn_cast<tile::DotOp>(op)) {
    DotLayouts layouts = dot_layouts(target_, dot, threads_.warps, rows_together_ || group_dots_.contains(dot));
    return set(result, std::move(layouts.acc), layouts.instruction ? kDot : kMemory);
  }
  if (auto dot = llvm::dyn_cast<tile_gpu::GroupDotOp>(op)) return set(result, group_layouts(target_, dot, threads_.warps).acc, kDot);
  if (auto wait = llvm::dyn_cast<tile_gpu::GroupWaitOp>(op)) return set(result, of(wait.getProduct()), kDot);
  if (llvm::isa<tile::ReduceOp, tile::ArgMaxOp, tile::ArgMinOp>(op)) {
    const Native* input = native(op->getOperand(0));
    const auto axis = static_cast<int>(op->getAttrOfType<mlir::IntegerAttr>("axis").getInt());
    const Layout reduced = layout::sliced(for_operand(op->getOpOperand(0)), axis).layout;
    for (mlir::Value each : op->getResults()) set(each, reduced, input ? input->weight : kDefault);
    return;
  }
  if (llvm::isa<tile::ScanOp>(op)) {
    for (mlir::Value each : op->getResults()) set(each, for_operand(op->getOpOperand(0)), kMemory);
    return;
  }
  if (auto sort = llvm::dyn_cast<tile::TopKOp>(op))
    if (auto layout = warp_sort_layout(sort, threads_)) {
      set(sort.getIndices(), Layout(*layout), kDefault);
      return set(sort.getValues(), std::move(*layout), kDefault);
    }
  if (llvm::isa<tile::TopKOp, tile::ConcatOp, tile::SliceOp>(op)) {
    for (mlir::Value each : op->getResults()) set(each, default_layout(shape, threads_), kDefault);
    return;
  }
  if (auto take = llvm::dyn_cast<tile::TakeOp>(op)) return set(result, of(take.getIndex()), kMemory);
  if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(op)) {
    if (!llvm::cast<mlir::DenseElementsAttr>(constant.getValue()).isSplat()) settle(result);
    return;
  }
  if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(op)) {
    const Native* input = native(reshape.getInput());
    if (!input) return;
    auto reshaped = layout::reshaped(input->layout, shape.vec());
    if (reshaped) set(result, std::move(*reshaped), input->weight);
    else settle(result);
    return;
  }
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
    const Native* input = native(transpose.getInput());
    if (!input) return;
    set(result, layout::transposed(input->layout, {transpose.getPermutation().begin(), transpose.getPermutation().end()}), input->weight);
    return;
  }
  if (is_elementwise(op)) {
    for (mlir::Value operand : op->getOperands())
      if (is_tile(operand)) merge(result, operand);
  }
}

bool NativeLayouts::is_flexible(tile::LoadOp load) const {
  const auto type = llvm::cast<mlir::RankedTensorType>(load.getResult().getType());
  if (llvm::is_contained(group_dots_.rows(), load)) return true;
  if (type.getRank() != 1 || type.getNumElements() > threads_.threads() || llvm::any_of(load.getOperands(), is_tile) || AccessShape::of(load).contiguous_axis() != 0) return false;
  return llvm::any_of(load->getBlock()->getOps<tile::DotOp>(), [&](tile::DotOp dot) { return group_dots_.contains(dot); });
}

void NativeLayouts::visit_for(mlir::Operation* op) {
  auto loop = llvm::cast<scf::ForOp>(op);
  const auto carried = llvm::zip(loop.getRegionIterArgs(), loop.getInits());
  for (auto [argument, init] : carried)
    if (is_tile(argument)) merge(argument, init);
  bool changed = true;
  while (changed) {
    visit(*loop.getBody());
    changed = false;
    for (auto [argument, yielded] : llvm::zip(loop.getRegionIterArgs(), loop.getBody()->getTerminator()->getOperands()))
      if (is_tile(argument)) changed |= merge(argument, yielded);
  }
  bool settled = false;
  for (mlir::Value argument : loop.getRegionIterArgs()) {
    settled |= is_tile(argument) && !find(argument);
    settle(argument);
  }
  if (settled) visit(*loop.getBody());
  for (auto [argument, result] : llvm::zip(loop.getRegionIterArgs(), loop.getResults()))
    if (is_tile(argument)) merge(result, argument);
}

void NativeLayouts::visit_if(mlir::Operation* op) {
  auto branch = llvm::cast<scf::IfOp>(op);
  for (mlir::Region& region : branch->getRegions()) {
    if (region.empty()) continue;
    visit(region.front());
    for (auto [result, yielded] : llvm::zip(branch.getResults(), region.front().getTerminator()->getOperands()))
      if (is_tile(result)) merge(result, yielded);
  }
  for (mlir::Value result : branch.getResults()) settle(result);
}

void NativeLayouts::visit_while(mlir::Operation* op) {
  auto loop = llvm::cast<scf::WhileOp>(op);
  for (auto [argument, init] : llvm::zip(loop.getBeforeArguments(), loop.getInits()))
    if (is_tile(argument)) merge(argument, init);
  bool changed = true;
  for (int pass = 0; changed; ++pass) {
    changed = false;
    if (pass == 1) {
      for (mlir::Value argument : loop.getBeforeArguments()) settle(argument);
    }
    visit(*loop.getBeforeBody());
    for (auto [argument, forwarded] : llvm::zip(loop.getAfterArguments(), loop.getConditionOp().getArgs()))
      if (is_tile(argument)) changed |= merge(argument, forwarded);
    if (pass >= 1) {
      for (mlir::Value argument : loop.getAfterArguments()) settle(argument);
    }
    visit(*loop.getAfterBody());
    for (auto [argument, yielded] : llvm::zip(loop.getBeforeArguments(), loop.getYieldOp()->getOperands()))
      if (is_tile(argument)) changed |= merge(argument, yielded);
    changed |= pass == 0;
  }
  for (auto [argument, result] : llvm::zip(loop.getAfterArguments(), loop.getResults()))
    if (is_tile(argument)) merge(result, argument);
}

Layout NativeLayouts::for_access(const AccessShape& access, Layout tile, mlir::OpOperand& operand) const {
  const mlir::Operation::operand_range indices = access.indices;
  const unsigned first = indices.getBeginOperandIndex();
  const unsigned number = operand.getOperandNumber();
  if (number < first || number >= first + indices.size()) return tile;  // value, mask, other
  const std::int64_t map = access.maps[number - first];
  return map == tile::kMapWhole ? tile : only_axis(tile, static_cast<int>(map));
}

// A tile is stored as it is where that costs little: where there is not much of it, or where its runs are as long as those of the best layout.
Layout NativeLayouts::stored(tile::StoreOp op) const {
  const AccessShape access = AccessShape::of(op);
  Layout best = access_layout(access, threads_);
  const Layout* own = find(op.getValue());
  if (!own) return best;
  if (own->elements() <= threads_.threads()) return *own;
  const int axis = access.contiguous_axis();
  if (axis >= 0 && layout::contiguity(*own, axis) >= layout::contiguity(best, axis) && native(op.getValue())->weight != kDot) return *own;
  return best;
}

Layout NativeLayouts::for_operand(mlir::OpOperand& operand) const {
  mlir::Operation* op = operand.getOwner();
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) return for_access(AccessShape::of(load), of(load.getResult()), operand);
  if (auto store = llvm::dyn_cast<tile::StoreOp>(op)) return for_access(AccessShape::of(store), stored(store), operand);
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(op)) return for_access(AccessShape::of(atomic), of(atomic.getResult()), operand);
  if (auto dot = llvm::dyn_cast<tile::DotOp>(op)) {
    const Layout acc = of(dot.getResult());
    if (operand.getOperandNumber() == 2) return acc;
    const DotLayouts layouts = operand_layouts(target_, dot, acc);
    const auto& wanted = operand.getOperandNumber() == 0 ? layouts.a : layouts.b;
    return wanted ? *wanted : of(operand.get());
  }
  if (auto dot = llvm::dyn_cast<tile_gpu::GroupDotOp>(op)) {
    const DotLayouts layouts = group_layouts(target_, dot, threads_.warps);
    return operand.get() == dot.getA() && layouts.a ? *layouts.a : layouts.acc;
  }
  if (auto scan = llvm::dyn_cast<tile::ScanOp>(op)) {
    // Operands that are scanned together have one layout: the first one's.
    const auto axis = static_cast<int>(scan.getAxis());
    const mlir::Value first = scan.getInputs().front();
    const Layout* own = find(first);
    if (own && counts_in_order(*own, axis)) return *own;
    return scan_layout(tile::shape_of(first.getType()), axis, threads_);
  }
  if (llvm::isa<tile::ReduceOp, tile::ArgMaxOp, tile::ArgMinOp>(op)) {
    // Operands that are reduced together have one layout: the first one's.
    const auto axis = static_cast<int>(op->getAttrOfType<mlir::IntegerAttr>("axis").getInt());
    const mlir::Value first = op->getOperand(0);
    const Layout* own = find(first);
    if (own && layout::axis_threads(*own, axis).separable) return *own;
    return along_axis_layout(tile::shape_of(first.getType()), axis, threads_);
  }
  if (llvm::isa<tile::TakeOp>(op) && operand.getOperandNumber() == 1) return of(op->getResult(0));
  if (is_elementwise(op)) return of(op->getResult(0));
  return of(operand.get());
}

}  // namespace tilewright::gpu
