#include "compiler/gpu/group_dots.h"

#include "compiler/gpu/access.h"
#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace tilewright::gpu {

namespace scf = mlir::scf;
using mlir::Value;

namespace {

constexpr std::int64_t kSwizzleRows = 8;  // shared_tiles.h

Value root_of(Value view) {
  while (auto narrow = view.getDefiningOp<tile::NarrowOp>()) view = narrow.getView();
  return view;
}

bool is_tile(mlir::Type type) { return llvm::isa<mlir::RankedTensorType>(type); }

// Whether a fence is executed after the loop, always.
bool is_behind(tile::FenceOp fence, scf::ForOp loop) {
  for (mlir::Operation* around = loop; around; around = around->getParentOp()) {
    if (around != loop && llvm::isa<scf::ForOp, scf::WhileOp>(around)) return false;
    mlir::Operation* other = around->getBlock()->findAncestorOpInBlock(*fence);
    if (!other) continue;
    if (other == around || other->isBeforeInBlock(around)) return false;
    for (mlir::Operation* outer = around->getParentOp(); outer; outer = outer->getParentOp())
      if (llvm::isa<scf::ForOp, scf::WhileOp>(outer)) return false;
    return true;
  }
  return false;
}

bool is_made_before(Value tile, scf::ForOp loop) { return !loop->isAncestor(tile.getParentRegion()->getParentOp()); }

// Whether a tile's rows are such as a product reads from shared memory.
bool has_whole_rows(Value tile, const GroupProduct& product) {
  const auto type = llvm::cast<mlir::RankedTensorType>(tile.getType());
  return type.getRank() == 2 && type.getShape()[1] * type.getElementTypeBitWidth() / 8 % product.row_bytes == 0;
}

// What an operand is made of by conversions of layout, and by transpositions where they are allowed.
StoredTile behind(Value operand, bool through_transpositions) {
  StoredTile stored{operand};
  while (mlir::Operation* op = stored.tile.getDefiningOp()) {
    if (auto convert = llvm::dyn_cast<tile_gpu::ConvertLayoutOp>(op); convert && convert.getInput().getType().getShape() == convert.getType().getShape()) stored.tile = convert.getInput();
    else if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op); transpose && through_transpositions) stored = {transpose.getInput(), !stored.transposed};
    else break;
  }
  return stored;
}

// The dots that a load's tile reaches; nullopt where it reaches something else.
std::optional<llvm::SmallVector<mlir::OpOperand*>> dots_of(Value tile) {
  llvm::SmallVector<mlir::OpOperand*> dots;
  for (mlir::OpOperand& use : tile.getUses()) {
    if (llvm::isa<tile::DotOp>(use.getOwner()) && use.getOperandNumber() < 2) {
      dots.push_back(&use);
    } else if (llvm::isa<tile_gpu::ConvertLayoutOp, tile::TransposeOp>(use.getOwner())) {
      auto further = dots_of(use.getOwner()->getResult(0));
      if (!further) return std::nullopt;
      dots.append(*further);
    } else {
      return std::nullopt;
    }
  }
  return dots;
}

}  // namespace

std::optional<OperandSource> operand_source(Value operand) {
  OperandSource source;
  while (mlir::Operation* op = operand.getDefiningOp()) {
    if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) return source.load = load, source;
    if (llvm::isa<tile::TransposeOp>(op)) source.transposed = !source.transposed;
    else if (!llvm::isa<tile_gpu::ConvertLayoutOp>(op)) return std::nullopt;
    operand = op->getOperand(0);
  }
  return std::nullopt;
}

GroupDots::GroupDots(mlir::func::FuncOp kernel, const GpuTarget& target, int warps) : target_(target), warps_(warps) {
  kernel.walk([&](tile::StoreOp op) { stored_.insert(root_of(op.getView())); });
  kernel.walk([&](tile::AtomicOp op) { stored_.insert(root_of(op.getView())); });
  kernel.walk([&](tile::FenceOp op) {
    if (op.acquires()) acquires_.push_back(op);
  });
  kernel.walk<mlir::WalkOrder::PreOrder>([&](scf::ForOp loop) { visit(loop); });
}

void GroupDots::visit(scf::ForOp loop) {
  const auto stages = loop->getAttrOfType<mlir::IntegerAttr>(tile::kStagesAttr);
  if (!stages || stages.getInt() < 2 || loop->hasAttr(tile::kUniformWarpsAttr)) return;
  // The producer has to find the way to the loop.
  for (mlir::Operation* op = loop; !llvm::isa<mlir::func::FuncOp>(op); op = op->getParentOp()) {
    if (auto outer = llvm::dyn_cast<scf::ForOp>(op)) {
      if (!llvm::all_of(mlir::ValueRange{outer.getLowerBound(), outer.getUpperBound(), outer.getStep()}, [&](Value v) { return is_known_ahead(v); })) return;
    } else if (auto branch = llvm::dyn_cast<scf::IfOp>(op)) {
      if (!is_known_ahead(branch.getCondition())) return;
    } else {
      return;
    }
  }

  const bool runs_ahead = llvm::all_of(acquires_, [&](tile::FenceOp fence) { return is_behind(fence, loop); });
  llvm::SetVector<tile::DotOp> dots;
  for (auto dot : loop.getBody()->getOps<tile::DotOp>()) {
    if (!target_.group_product(DotElements::of(dot))) continue;
    std::string problem = runs_ahead ? problem_of(dot, loop) : "a fence may come before the loop, and copies of a producer would not wait for it";
    if (problem.empty()) dots.insert(dot);
    else reasons_[dot] = std::move(problem);
  }
  // A load is of use if all that it feeds are such dots; a dot, if what it loads are such loads.
  llvm::SetVector<tile::LoadOp> loads;
  for (bool changed = true; changed;) {
    changed = false;
    loads.clear();
    for (auto load : loop.getBody()->getOps<tile::LoadOp>()) {
      if (!problem_of(load, loop).empty()) continue;
      const auto uses = dots_of(load.getResult());
      if (!uses->empty() && llvm::all_of(*uses, [&](mlir::OpOperand* use) { return dots.contains(llvm::cast<tile::DotOp>(use->getOwner())); })) loads.insert(load);
    }
    llvm::SmallVector<std::pair<tile::DotOp, std::string>> without;
    for (tile::DotOp dot : dots) {
      // A left operand that is loaded in each turn has to come the same way: through registers it would take longer than the product.
      const auto a = operand_source(dot.getA());
      if (!stored_right(dot, loop).tile && !loads.contains(operand_source(dot.getB())->load)) without.emplace_back(dot, "what its right operand is loaded for takes other instructions too");
      else if (a && loop->isAncestor(a->load) && !loads.contains(a->load)) without.emplace_back(dot, "of its left operand: " + problem_of(a->load, loop));
    }
    for (auto& [dot, reason] : without) {
      dots.remove(dot);
      reasons_[dot] = std::move(reason);
      changed = true;
    }
  }
  if (loads.empty()) return;  // nothing for a producer to do
  dots_.insert(dots.begin(), dots.end());
  for (tile::DotOp dot : dots) {
    stored_operands_[{dot, 0}] = stored_left(dot, loop);
    stored_operands_[{dot, 1}] = stored_right(dot, loop);
  }
  loads_.insert(loads.begin(), loads.end());
  for (auto load : loop.getBody()->getOps<tile::LoadOp>())
    if (may_be_row(load)) rows_.insert(load);
}

// One that the loop computes goes through registers, where the instruction takes it as the computation leaves it; but not if it has to be transposed for that.
StoredTile GroupDots::stored_left(tile::DotOp dot, scf::ForOp loop) const {
  const auto product = target_.group_product(DotElements::of(dot));
  StoredTile stored = behind(dot.getA(), !product->along_depth);
  const bool is_before = is_made_before(stored.tile, loop), is_computed = stored.tile.getParentBlock() == loop.getBody() && !operand_source(stored.tile);
  return (is_before || (is_computed && stored.transposed)) && has_whole_rows(stored.tile, *product) ? stored : StoredTile();
}

StoredTile GroupDots::stored_right(tile::DotOp dot, scf::ForOp loop) const {
  const auto product = target_.group_product(DotElements::of(dot));
  StoredTile stored = behind(dot.getB(), /*through_transpositions=*/true);
  if (product->along_depth || !has_whole_rows(stored.tile, *product) || llvm::cast<mlir::RankedTensorType>(stored.tile.getType()).getDimSize(0) % kSwizzleRows != 0) return {};
  const bool is_computed = stored.tile.getParentBlock() == loop.getBody() && !operand_source(stored.tile);
  return is_made_before(stored.tile, loop) || is_computed ? stored : StoredTile();
}

std::string GroupDots::problem_of(tile::DotOp dot, scf::ForOp loop) const {
  const auto acc = dot.getAcc().getType();
  const auto product = target_.group_product(DotElements::of(dot));
  if (dot.hasBatch() || dot.getIsUnsigned()) return "no group of warps multiplies batches or unsigned integers";
  const std::int64_t m = acc.getShape()[0], n = acc.getShape()[1], k = dot.getA().getType().getShape()[1];
  const int rows = product->m / product->warps * warps_;
  if (warps_ % product->warps != 0 || m % rows != 0) return std::to_string(m) + " rows are no multiple of the " + std::to_string(rows) + " of its " + std::to_string(warps_) + " warps";
  if (n % 8 != 0 || n > product->max_n) return std::to_string(n) + " columns are not a multiple of 8 up to " + std::to_string(product->max_n);
  if (k % product->k != 0) return "its depth of " + std::to_string(k) + " is no multiple of " + std::to_string(product->k);
  if (is_made_before(dot.getA(), loop) && !stored_left(dot, loop).tile && n > product->max_n_beside_left)
    return "its left operand stays in registers around the loop, beside " + std::to_string(n) + " columns; up to " + std::to_string(product->max_n_beside_left) + " are known to go well";
  if (stored_right(dot, loop).tile) return {};
  const auto b = operand_source(dot.getB());
  if (!b) return "its right operand is not loaded, and its rows are no multiples of " + std::to_string(product->row_bytes) + " bytes";
  if (b->load->getBlock() != loop.getBody()) return "its right operand is loaded elsewhere than in its loop";
  if (product->along_depth) {
    const auto a = operand_source(dot.getA());
    if (!b->transposed || (a && loop->isAncestor(a->load) && a->transposed)) return "8-bit floats are read from shared memory along the depth only: load the right operand as [n, k] and transpose it, the left one as [m, k]";
  }
  const std::string problem = problem_of(b->load, loop);
  return problem.empty() ? problem : "of its right operand: " + problem;
}

std::string GroupDots::problem_of(tile::LoadOp load, scf::ForOp loop) const {
  const auto type = llvm::dyn_cast<mlir::RankedTensorType>(load.getResult().getType());
  const auto view = llvm::dyn_cast<mlir::BlockArgument>(load.getView());
  if (!type || type.getRank() != 2) return "it is no matrix";
  if (load.getMask() || load.getOther() || llvm::any_of(load.getIndices(), [](Value index) { return is_tile(index.getType()); })) return "it is gathered or masked, not a box of a tensor";
  if (!view || !llvm::isa<mlir::func::FuncOp>(view.getOwner()->getParentOp())) return "it is loaded from a part of a tensor";
  auto kernel = llvm::cast<mlir::func::FuncOp>(view.getOwner()->getParentOp());
  if (!kernel.getArgAttr(view.getArgNumber(), tile::kAligned16Attr) || !kernel.getArgAttr(view.getArgNumber(), tile::kFits32Attr) || AccessShape::of(load).contiguous_axis() != 1)
    return "its tensor is not of contiguous rows, aligned to 16 bytes, with offsets of 32 bits";
  const auto uses = dots_of(load.getResult());
  if (!uses || uses->empty()) return "what it is loaded for takes other operations too";
  const auto product = target_.group_product(DotElements::of(llvm::cast<tile::DotOp>(uses->front()->getOwner())));
  if (!product) return "no group of warps multiplies its elements";
  const auto maps = load.getMaps();
  if (llvm::count(maps, 0) != 1 || llvm::count(maps, 1) != 1 || llvm::cast<tile::ViewType>(view.getType()).getRank() > product->max_box_rank) return "it is not a box of a tensor";
  if (stored_.contains(view)) return "its tensor is stored to";
  const std::int64_t bytes = type.getElementTypeBitWidth() / 8;
  if (bytes == 0 || type.getDimSize(1) * bytes % product->row_bytes != 0 || type.getDimSize(0) % kSwizzleRows != 0 || type.getDimSize(0) > product->max_box_extent)
    return "a tile of " + std::to_string(type.getDimSize(0)) + " x " + std::to_string(type.getDimSize(1)) + " does not lie in shared memory as matrix instructions read it";
  if (!llvm::all_of(load.getIndices(), [&](Value index) { return is_known_ahead(index); })) return "where it lies depends on what the loop carries";
  return {};
}

bool GroupDots::may_be_row(tile::LoadOp load) const {
  constexpr std::int64_t kRun = 16;  // bytes, of which copies have a multiple
  const auto type = llvm::dyn_cast<mlir::RankedTensorType>(load.getResult().getType());
  const auto view = llvm::dyn_cast<mlir::BlockArgument>(load.getView());
  if (!type || type.getRank() != 1 || load.getMask() || load.getOther() || !view || stored_.contains(view)) return false;
  auto kernel = llvm::dyn_cast<mlir::func::FuncOp>(view.getOwner()->getParentOp());
  if (!kernel || !kernel.getArgAttr(view.getArgNumber(), tile::kAligned16Attr) || !kernel.getArgAttr(view.getArgNumber(), tile::kFits32Attr)) return false;
  const GroupProduct product;
  const mlir::Type element = type.getElementType();
  const std::int64_t count = type.getNumElements(), rank = llvm::cast<tile::ViewType>(view.getType()).getRank();
  if (!(element.isF32() || element.isF16() || element.isBF16()) || count * element.getIntOrFloatBitWidth() / 8 % kRun != 0 || count > product.max_box_extent) return false;
  return rank > 1 && rank <= product.max_box_rank && AccessShape::of(load).contiguous_axis() == 0 && llvm::count(load.getMaps(), 0) == 1 &&
         llvm::all_of(load.getIndices(), [&](Value index) { return !is_tile(index.getType()) && is_known_ahead(index); });
}

bool GroupDots::is_known_ahead(Value scalar) const {
  if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(scalar)) {
    mlir::Operation* parent = argument.getOwner()->getParentOp();
    auto loop = llvm::dyn_cast<scf::ForOp>(parent);
    return llvm::isa<mlir::func::FuncOp>(parent) || (loop && argument == loop.getInductionVar());
  }
  mlir::Operation* op = scalar.getDefiningOp();
  if (op->getNumRegions() != 0 || llvm::any_of(op->getOperandTypes(), is_tile) || llvm::any_of(op->getResultTypes(), is_tile)) return false;
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) {
    if (stored_.contains(root_of(load.getView()))) return false;
  } else if (!mlir::isMemoryEffectFree(op)) {
    return false;
  }
  return llvm::all_of(op->getOperands(), [&](Value operand) { return is_known_ahead(operand); });
}

}  // namespace tilewright::gpu
