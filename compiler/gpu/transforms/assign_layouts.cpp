// tile-gpu-assign-layouts: every tile gets a layout.
//
// Tiles that come in a layout of their own (native_layouts.h) keep it. The others are made anew for each layout that a user wants, at the place of their definition: a mask compared from two
// ranges costs less to compute twice than to move. Where a tile with a layout is wanted in another one, a tile_gpu.convert_layout follows its definition.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/native_layouts.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/layout/shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::gpu {

namespace {

using layout::Layout;
using tile_gpu::LayoutAttr;
namespace scf = mlir::scf;

class Assignment {
 public:
  Assignment(mlir::func::FuncOp kernel, const GpuTarget& target, BlockThreads threads) : kernel_(kernel), threads_(threads), natives_(kernel, target, threads) {}

  mlir::LogicalResult run() {
    llvm::SmallVector<mlir::Operation*> ops;
    collect(kernel_.getBody().front(), ops);
    // First what each operation wants, then the types: asking needs the program as it was.
    llvm::SmallVector<std::pair<mlir::OpOperand*, Layout>> wanted;
    for (mlir::Operation* op : ops) collect_operands(op, wanted);
    for (mlir::Operation* op : ops) set_types(op);
    for (auto& [operand, layout] : wanted) operand->set(tile_in(operand->get(), layout));
    for (mlir::Operation* op : llvm::reverse(ops))
      if (is_flexible(op) && op->use_empty()) op->erase();
    return check();
  }

 private:
  void collect(mlir::Block& block, llvm::SmallVectorImpl<mlir::Operation*>& ops) {
    for (mlir::Operation& op : block) {
      ops.push_back(&op);
      if (!llvm::isa<scf::ForOp, scf::IfOp, scf::WhileOp, tile_gpu::RolesOp>(op)) continue;
      for (mlir::Region& region : op.getRegions())
        for (mlir::Block& inner : region) collect(inner, ops);
    }
  }

  // Its result is a tile without a layout of its own.
  bool is_flexible(mlir::Operation* op) { return op->getNumResults() == 1 && is_tile(op->getResult(0)) && !natives_.find(op->getResult(0)); }

  void collect_operands(mlir::Operation* op, llvm::SmallVectorImpl<std::pair<mlir::OpOperand*, Layout>>& wanted) {
    if (is_flexible(op)) return;
    for (mlir::OpOperand& operand : op->getOpOperands()) {
      if (!is_tile(operand.get())) continue;
      if (const mlir::Value target = carried_to(operand)) wanted.emplace_back(&operand, natives_.of(target));
      else wanted.emplace_back(&operand, natives_.for_operand(operand));
    }
  }

  // The value that an operand of a loop or of its terminator becomes; null for other operations.
  mlir::Value carried_to(mlir::OpOperand& operand) {
    mlir::Operation* op = operand.getOwner();
    const unsigned number = operand.getOperandNumber();
    if (auto loop = llvm::dyn_cast<scf::ForOp>(op)) return loop.getTiedLoopRegionIterArg(&operand);
    if (auto loop = llvm::dyn_cast<scf::WhileOp>(op)) return loop.getBeforeArguments()[number];
    if (auto condition = llvm::dyn_cast<scf::ConditionOp>(op)) return llvm::cast<scf::WhileOp>(op->getParentOp()).getAfterArguments()[number - 1];
    if (!llvm::isa<scf::YieldOp>(op)) return {};
    mlir::Operation* parent = op->getParentOp();
    if (auto loop = llvm::dyn_cast<scf::ForOp>(parent)) return loop.getRegionIterArgs()[number];
    if (auto loop = llvm::dyn_cast<scf::WhileOp>(parent)) return loop.getBeforeArguments()[number];
    return parent->getResult(number);
  }

  void set_types(mlir::Operation* op) {
    const auto set = [&](mlir::Value value) {
      if (const Layout* layout = is_tile(value) ? natives_.find(value) : nullptr) value.setType(tile_gpu::with_layout(value.getType(), *layout));
    };
    llvm::for_each(op->getResults(), set);
    if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(op)) retype(constant);
    if (!llvm::isa<scf::ForOp, scf::WhileOp>(op)) return;
    for (mlir::Region& region : op->getRegions()) llvm::for_each(region.getArguments(), set);
  }

  static void retype(mlir::arith::ConstantOp constant) {
    auto elements = llvm::dyn_cast<mlir::DenseElementsAttr>(constant.getValue());
    if (elements) constant.setValueAttr(elements.reshape(llvm::cast<mlir::RankedTensorType>(constant.getType())));
  }

  mlir::Value tile_in(mlir::Value tile, const Layout& layout) {
    const LayoutAttr attribute = LayoutAttr::get(kernel_.getContext(), layout);
    if (tile_gpu::has_layout(tile.getType()) && (llvm::cast<mlir::RankedTensorType>(tile.getType()).getEncoding() == attribute)) return tile;
    const auto known = made_.find({tile, attribute});
    if (known != made_.end()) return known->second;
    const mlir::Value made = tile_gpu::has_layout(tile.getType()) ? converted(tile, layout) : remade(tile, layout);
    made_[{tile, attribute}] = made;
    return made;
  }

  mlir::Value converted(mlir::Value tile, const Layout& layout) {
    mlir::OpBuilder builder(kernel_.getContext());
    builder.setInsertionPointAfterValue(tile);
    return tile_gpu::ConvertLayoutOp::create(builder, tile.getLoc(), with_shape(tile, layout), tile);
  }

  static mlir::RankedTensorType with_shape(mlir::Value tile, const Layout& layout) {
    return mlir::RankedTensorType::get(layout.extents(), tile::element_type_of(tile.getType()), LayoutAttr::get(tile.getContext(), layout));
  }

  // A flexible operation once more, for this layout.
  mlir::Value remade(mlir::Value tile, const Layout& layout) {
    mlir::Operation* op = tile.getDefiningOp();
    llvm::SmallVector<mlir::Value> operands;
    for (mlir::Value operand : op->getOperands()) {
      if (!is_tile(operand)) {
        operands.push_back(operand);
        continue;
      }
      const std::optional<Layout> wanted = before(op, operand, layout);
      if (!wanted) return converted(tile_in(operand, natives_of_shape(operand)), layout);
      operands.push_back(tile_in(operand, *wanted));
    }
    mlir::OpBuilder builder(kernel_.getContext());
    builder.setInsertionPointAfter(op);
    mlir::Operation* clone = builder.clone(*op);
    clone->setOperands(operands);
    clone->getResult(0).setType(with_shape(tile, layout));
    if (auto constant = llvm::dyn_cast<mlir::arith::ConstantOp>(clone)) retype(constant);
    return clone->getResult(0);
  }

  Layout natives_of_shape(mlir::Value tile) { return default_layout(tile::shape_of(tile.getType()), threads_); }

  // The operand's layout that makes the result come in `layout` without moving anything.
  std::optional<Layout> before(mlir::Operation* op, mlir::Value operand, const Layout& layout) {
    const auto shape = tile::shape_of(operand.getType());
    if (llvm::isa<tile::BroadcastOp>(op)) return before_broadcast(layout, shape);
    if (llvm::isa<tile::ReshapeOp>(op)) return layout::reshaped(layout, shape.vec());
    if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
      std::vector<int> inverse(shape.size());
      for (auto [i, axis] : llvm::enumerate(transpose.getPermutation())) inverse[axis] = static_cast<int>(i);
      return layout::transposed(layout, inverse);
    }
    return layout;
  }

  mlir::LogicalResult check() {
    const mlir::WalkResult walked = kernel_.walk([&](mlir::Operation* op) {
      for (mlir::Value value : op->getResults()) {
        if (!is_tile(value) || tile_gpu::has_layout(value.getType())) continue;
        op->emitError("no layout was found for ") << value.getType();
        return mlir::WalkResult::interrupt();
      }
      return mlir::WalkResult::advance();
    });
    return mlir::failure(walked.wasInterrupted());
  }

  mlir::func::FuncOp kernel_;
  BlockThreads threads_;
  NativeLayouts natives_;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Attribute>, mlir::Value> made_;
};

class AssignLayouts : public mlir::PassWrapper<AssignLayouts, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AssignLayouts)

  explicit AssignLayouts(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-assign-layouts"; }
  llvm::StringRef getDescription() const override { return "Say which thread holds which element of each tile"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile_gpu::TileGpuDialect>(); }

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!kernel->hasAttr(tile::kKernelAttr)) continue;
      const auto asked = kernel->getAttrOfType<mlir::IntegerAttr>(tile::kWarpsAttr);
      const int warps = asked ? static_cast<int>(asked.getInt()) : 4;
      if (warps > target_.max_warps() || (warps & (warps - 1)) != 0) {
        kernel.emitError() << warps << " warps are asked for; " << target_.name() << " takes a power of two up to " << target_.max_warps();
        return signalPassFailure();
      }
      mlir::Builder builder(&getContext());
      getOperation()->setAttr(tile_gpu::kWarpsAttr, builder.getI64IntegerAttr(warps));
      getOperation()->setAttr(tile_gpu::kLanesAttr, builder.getI64IntegerAttr(target_.lanes()));
      if (mlir::failed(Assignment(kernel, target_, {target_.lanes(), warps}).run())) return signalPassFailure();
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_assign_layouts(const GpuTarget& target) { return std::make_unique<AssignLayouts>(target); }

}  // namespace tilewright::gpu
