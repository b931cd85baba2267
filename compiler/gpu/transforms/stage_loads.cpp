// tile-gpu-stage-loads: operands of matrix instructions come by way of shared memory, without passing through registers on the way there.
//
//   for %i = %lb to %ub step %n {                       %s = alloc 3 tiles
//     %k = tile.load %K[%i ...]                          copies of the first two iterations, a group each
//     %b = convert_layout(transpose %k)          ->      for %i = ..., %slot {
//     dot %a, %b                                           wait 1: the copies of this iteration are there, and everyone is done with those of the last
//   } {tile.stages = 3}                                    copy of iteration %i + 2 to slot %slot + 2; commit
//                                                          %b = local_load transposed %s at %slot
//                                                          dot %a, %b
//                                                        }
//
// For that, what tells where to load, and whether, must not depend on what the loop carries, and there is no fence in the loop; then it is computed for the later iteration by a copy of its operations, loads of indices included.
// Other loads in loops are copied where they stand, to one tile each.
#include "compiler/gpu/access.h"
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/shared_tiles.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/gpu/transforms/scratch_reserve.h"
#include "compiler/layout/queries.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace tilewright::gpu {

namespace {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using mlir::Value;


// A load that can be staged, and the conversions that its tile goes through.
struct Staged {
  tile::LoadOp load;
  struct Use {
    tile_gpu::ConvertLayoutOp convert;
    bool transposed;
  };
  llvm::SmallVector<Use> uses;
  tile_gpu::SharedType type(std::int64_t count) {
    const auto tile = llvm::cast<mlir::RankedTensorType>(load.getResult().getType());
    return tile_gpu::SharedType::get(tile.getContext(), count, tile.getShape(), tile.getElementType());
  }
};

Value root_of(Value view) {
  while (auto narrow = view.getDefiningOp<tile::NarrowOp>()) view = narrow.getView();
  return view;
}

class Staging {
 public:
  Staging(mlir::func::FuncOp kernel, const GpuTarget& target) : kernel_(kernel), target_(target), rewriter_(kernel.getContext()) {
    kernel.walk([&](tile::StoreOp op) { stored_.push_back(root_of(op.getView())); });
    kernel.walk([&](tile::AtomicOp op) { stored_.push_back(root_of(op.getView())); });
    reserve_ = scratch_reserve(kernel);
    kernel.walk([&](tile_gpu::ChannelOp op) { reserve_ += channel_bytes(op.getType()); });
  }

  void run() {
    llvm::SmallVector<scf::ForOp> loops;
    kernel_.walk([&](scf::ForOp loop) { loops.push_back(loop); });  // inner loops first
    for (scf::ForOp loop : loops) stage(loop);
  }

 private:
  void stage(scf::ForOp loop) {
    llvm::SmallVector<Staged> ahead, in_place;
    const auto asked = loop->getAttrOfType<mlir::IntegerAttr>(tile::kStagesAttr);
    std::int64_t stages = asked && !has_fence(loop) ? asked.getInt() : 1, bytes = 0;
    llvm::SmallVector<tile::LoadOp> loads;
    collect(*loop.getBody(), loads);
    for (tile::LoadOp load : loads) {
      auto staged = stageable(load);
      if (!staged) continue;
      bytes += tile_bytes(staged->type(1));
      (stages > 1 && is_ahead(load, loop) ? ahead : in_place).push_back(std::move(*staged));
    }
    // Tiles of loops inside are there at the same time; those of other loops are not.
    std::int64_t inside = 0;
    loop.getBody()->walk([&](scf::ForOp inner) { inside = std::max(inside, most_bytes_[inner]); });
    while (stages > 1 && inside + bytes * stages > target_.max_shared_bytes() - reserve_) --stages;
    most_bytes_[loop] = inside;
    if (inside + bytes * stages > target_.max_shared_bytes() - reserve_) return;
    if (stages == 1) {
      in_place.append(std::move(ahead));
      ahead.clear();
    }
    const std::int64_t most = inside + bytes * stages;
    for (const Staged& staged : in_place) copy_in_place(staged);
    if (!ahead.empty()) loop = copy_ahead(loop, ahead, stages);
    most_bytes_[loop] = most;
  }

  // A load of a later iteration stands behind the fences of this one.
  static bool has_fence(scf::ForOp loop) {
    return loop.getBody()->walk([](tile::FenceOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
  }

  // Loads that an iteration executes at most once: those in its branches too.
  static void collect(mlir::Block& block, llvm::SmallVectorImpl<tile::LoadOp>& loads) {
    for (mlir::Operation& op : block) {
      if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) loads.push_back(load);
      if (!llvm::isa<scf::IfOp>(op)) continue;
      for (mlir::Region& region : op.getRegions())
        for (mlir::Block& inner : region) collect(inner, loads);
    }
  }

  // The branches of the loop that the operation is in, from the inside out.
  static llvm::SmallVector<std::pair<scf::IfOp, bool>> branches(mlir::Operation* op, scf::ForOp loop) {
    llvm::SmallVector<std::pair<scf::IfOp, bool>> found;
    for (; op->getParentOp() != loop; op = op->getParentOp()) {
      auto branch = llvm::cast<scf::IfOp>(op->getParentOp());
      found.emplace_back(branch, op->getParentRegion() == &branch.getThenRegion());
    }
    return found;
  }

  std::optional<Staged> stageable(tile::LoadOp load) {
    auto type = llvm::dyn_cast<mlir::RankedTensorType>(load.getResult().getType());
    if (!type || type.getRank() != 2 || load.getOther() || load->use_empty()) return std::nullopt;
    if (auto roles = load->getParentOfType<tile_gpu::RolesOp>(); roles && roles.getWritten()) return std::nullopt;
    const AccessShape access = AccessShape::of(load);
    const std::int64_t size = std::max(1u, type.getElementTypeBitWidth() / 8);
    if (access.contiguous_axis() != 1 || type.getDimSize(1) * size % 16 != 0) return std::nullopt;
    const layout::Layout layout = tile_gpu::layout_of(type);
    if (layout::vector_width(layout, 1, access.aligned_elements()) * size < 4) return std::nullopt;
    if (Value mask = load.getMask()) {
      auto broadcast = mask.getDefiningOp<tile::BroadcastOp>();
      if (!broadcast || tile::shape_of(broadcast.getInput().getType())[1] != 1) return std::nullopt;
    }
    if (llvm::is_contained(stored_, root_of(load.getView()))) return std::nullopt;

    Staged staged{load, {}};
    for (mlir::Operation* user : load->getUsers()) {
      if (auto convert = llvm::dyn_cast<tile_gpu::ConvertLayoutOp>(user)) {
        staged.uses.push_back({convert, false});
      } else if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(user)) {
        for (mlir::Operation* next : transpose->getUsers()) {
          auto convert = llvm::dyn_cast<tile_gpu::ConvertLayoutOp>(next);
          if (!convert) return std::nullopt;
          staged.uses.push_back({convert, true});
        }
      } else {
        return std::nullopt;
      }
    }
    for (Staged::Use use : staged.uses) {
      const bool feeds_dots = llvm::all_of(use.convert->getUsers(), [](mlir::Operation* user) { return llvm::isa<tile::DotOp>(user); });
      if (!feeds_dots || use.convert.getType().getRank() != 2) return std::nullopt;
    }
    return staged;
  }

  // Whether what the load reads can be told iterations ahead.
  bool is_ahead(tile::LoadOp load, scf::ForOp loop) {
    return llvm::all_of(load->getOperands(), [&](Value operand) { return is_free(operand, loop); }) &&
           llvm::all_of(branches(load, loop), [&](auto branch) { return is_free(branch.first.getCondition(), loop); });
  }

  bool is_free(Value value, scf::ForOp loop) {
    if (value == loop.getInductionVar()) return true;
    if (!loop->isAncestor(value.getParentBlock()->getParentOp())) return true;
    mlir::Operation* op = value.getDefiningOp();
    if (!op || op->getNumRegions() != 0) return false;
    if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) {
      if (llvm::is_contained(stored_, root_of(load.getView()))) return false;
    } else if (!mlir::isMemoryEffectFree(op)) {
      return false;
    }
    return llvm::all_of(op->getOperands(), [&](Value operand) { return is_free(operand, loop); });
  }

  Value i32(std::int64_t value) { return arith::ConstantOp::create(rewriter_, kernel_.getLoc(), rewriter_.getI32IntegerAttr(static_cast<std::int32_t>(value))); }

  Value i64(std::int64_t value) { return arith::ConstantOp::create(rewriter_, kernel_.getLoc(), rewriter_.getI64IntegerAttr(value)); }

  Value alloc(Staged staged, std::int64_t count) { return tile_gpu::AllocOp::create(rewriter_, staged.load.getLoc(), staged.type(count)); }

  // `turn` of a pipeline's tiles: the tile is that of the iteration so many after this one.
  mlir::IntegerAttr turn_attr(std::optional<std::int64_t> turn) { return turn ? rewriter_.getI64IntegerAttr(*turn) : nullptr; }

  void copy(Staged staged, Value predicate, Value shared, Value slot, std::optional<std::int64_t> turn, const mlir::IRMapping& mapping) {
    tile::LoadOp load = staged.load;
    llvm::SmallVector<Value> indices;
    for (Value index : load.getIndices()) indices.push_back(mapping.lookupOrDefault(index));
    const Value mask = load.getMask() ? mapping.lookupOrDefault(load.getMask()) : Value();
    const auto layout = llvm::cast<tile_gpu::LayoutAttr>(llvm::cast<mlir::RankedTensorType>(load.getResult().getType()).getEncoding());
    tile_gpu::CopyAsyncOp::create(rewriter_, load.getLoc(), mapping.lookupOrDefault(load.getView()), indices, mask, predicate, shared, slot, load.getMapsAttr(), layout,
                                  turn_attr(turn));
  }

  // The conversions read the shared tile, each right before its first use.
  void replace(Staged staged, Value shared, Value slot, std::optional<std::int64_t> turn) {
    for (Staged::Use use : staged.uses) {
      mlir::Operation* first = nullptr;
      for (mlir::Operation* user : use.convert->getUsers()) {
        if (user->getBlock() != use.convert->getBlock()) first = use.convert;
        else if (!first || user->isBeforeInBlock(first)) first = user;
      }
      if (!first || first->getBlock() != use.convert->getBlock()) first = use.convert;
      rewriter_.setInsertionPoint(first);
      auto local = tile_gpu::LocalLoadOp::create(rewriter_, use.convert.getLoc(), use.convert.getType(), shared, slot, use.transposed ? rewriter_.getUnitAttr() : nullptr,
                                                 turn_attr(turn));
      use.convert.replaceAllUsesWith(local.getResult());
    }
    for (Staged::Use use : staged.uses) {
      mlir::Operation* source = use.convert.getInput().getDefiningOp();
      rewriter_.eraseOp(use.convert);
      if (source != staged.load && source->use_empty()) rewriter_.eraseOp(source);
    }
    rewriter_.eraseOp(staged.load);
  }

  void copy_in_place(Staged staged) {
    const mlir::Location loc = staged.load.getLoc();
    rewriter_.setInsertionPoint(staged.load);
    Value shared = alloc(staged, 1);
    Value zero = i32(0);
    Value always = arith::ConstantOp::create(rewriter_, loc, rewriter_.getBoolAttr(true));
    copy(staged, always, shared, zero, std::nullopt, {});
    tile_gpu::CommitOp::create(rewriter_, loc);
    tile_gpu::WaitOp::create(rewriter_, loc, 0);
    replace(staged, shared, zero, std::nullopt);
  }

  // Copies the operations of the loop that `value` is computed from to where the rewriter stands.
  void clone_slice(Value value, scf::ForOp loop, mlir::IRMapping& mapping) {
    mlir::Operation* op = value.getDefiningOp();
    if (mapping.contains(value) || !op || !loop->isProperAncestor(op)) return;
    for (Value operand : op->getOperands()) clone_slice(operand, loop, mapping);
    rewriter_.clone(*op, mapping);
  }

  void copy_iteration(scf::ForOp loop, llvm::ArrayRef<Staged> staged, llvm::ArrayRef<Value> shared, Value iteration, Value slot, std::int64_t turn) {
    const mlir::Location loc = loop.getLoc();
    Value runs = arith::CmpIOp::create(rewriter_, loc, arith::CmpIPredicate::slt, iteration, loop.getUpperBound());
    mlir::IRMapping mapping;
    mapping.map(loop.getInductionVar(), iteration);
    for (auto [each, tile] : llvm::zip(staged, shared)) {
      tile::LoadOp load = Staged(each).load;
      for (Value operand : load->getOperands()) clone_slice(operand, loop, mapping);
      Value wanted = runs;
      for (auto [branch, taken] : branches(load, loop)) {
        clone_slice(branch.getCondition(), loop, mapping);
        Value condition = mapping.lookupOrDefault(branch.getCondition());
        if (!taken) condition = arith::XOrIOp::create(rewriter_, loc, condition, arith::ConstantOp::create(rewriter_, loc, rewriter_.getBoolAttr(true)));
        wanted = arith::AndIOp::create(rewriter_, loc, wanted, condition);
      }
      copy(each, wanted, tile, slot, turn, mapping);
    }
    tile_gpu::CommitOp::create(rewriter_, loc);
  }

  // What the copies of an iteration use from outside of the loop.
  void collect_outer(Value value, scf::ForOp loop, llvm::DenseSet<Value>& outer) {
    if (!loop->isAncestor(value.getParentBlock()->getParentOp())) return void(outer.insert(value));
    mlir::Operation* op = value.getDefiningOp();
    if (!op) return;
    for (Value operand : op->getOperands()) collect_outer(operand, loop, outer);
  }

  // Where the first copies can begin: as early before the loop as nothing is written from there on, with the scalars and views that they use. So they are on their way while other tiles are loaded and brought into layouts.
  mlir::Operation* earliest(scf::ForOp loop, llvm::ArrayRef<Staged> staged) {
    llvm::DenseSet<Value> outer = {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()};
    for (Staged each : staged) {
      for (Value operand : each.load->getOperands()) collect_outer(operand, loop, outer);
      for (auto [branch, taken] : branches(each.load, loop)) collect_outer(branch.getCondition(), loop, outer);
    }
    mlir::Operation* first = loop;
    llvm::SmallVector<mlir::Operation*> used;
    for (mlir::Operation* before = loop->getPrevNode(); before; before = before->getPrevNode()) {
      const bool is_load = llvm::isa<tile::LoadOp>(before);
      if (!is_load && !mlir::isMemoryEffectFree(before)) break;
      if (llvm::none_of(before->getResults(), [&](Value result) { return outer.contains(result); })) {
        first = before;
        continue;
      }
      if (is_load || before->getNumRegions() != 0 || llvm::any_of(before->getResultTypes(), llvm::IsaPred<mlir::RankedTensorType>)) break;
      outer.insert(before->operand_begin(), before->operand_end());
      used.push_back(before);
    }
    for (mlir::Operation* op : llvm::reverse(used))
      if (first->isBeforeInBlock(op)) op->moveBefore(first);
    return first;
  }

  // Returns the loop that takes the place of `loop`.
  scf::ForOp copy_ahead(scf::ForOp loop, llvm::ArrayRef<Staged> staged, std::int64_t stages) {
    const mlir::Location loc = loop.getLoc();
    rewriter_.setInsertionPoint(earliest(loop, staged));
    llvm::SmallVector<Value> shared;
    for (Staged each : staged) shared.push_back(alloc(each, stages));
    for (std::int64_t stage = 0; stage + 1 < stages; ++stage) {
      Value steps = arith::MulIOp::create(rewriter_, loc, loop.getStep(), i64(stage));
      copy_iteration(loop, staged, shared, arith::AddIOp::create(rewriter_, loc, loop.getLowerBound(), steps), i32(stage), stage);
    }
    rewriter_.setInsertionPoint(loop);
    Value zero = i32(0);
    const auto next_slot = [&](mlir::OpBuilder& builder, mlir::Location, llvm::ArrayRef<mlir::BlockArgument> arguments) {
      mlir::OpBuilder::InsertionGuard guard(rewriter_);
      rewriter_.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
      return llvm::SmallVector<Value>{wrapped(arith::AddIOp::create(rewriter_, loc, arguments.front(), i32(1)), stages, loc)};
    };
    auto made = loop.replaceWithAdditionalYields(rewriter_, zero, /*replaceInitOperandUsesInLoop=*/false, next_slot);
    loop = llvm::cast<scf::ForOp>(made->getOperation());
    Value slot = loop.getRegionIterArgs().back();

    rewriter_.setInsertionPointToStart(loop.getBody());
    mlir::Operation* wait = tile_gpu::WaitOp::create(rewriter_, loc, stages - 2);
    mlir::Operation* body = wait->getNextNode();
    Value distance = arith::MulIOp::create(rewriter_, loc, loop.getStep(), i64(stages - 1));
    Value later = arith::AddIOp::create(rewriter_, loc, loop.getInductionVar(), distance);
    copy_iteration(loop, staged, shared, later, wrapped(arith::AddIOp::create(rewriter_, loc, slot, i32(stages - 1)), stages, loc), stages - 1);
    mlir::Operation* last_copy = body->getPrevNode();
    for (auto [each, tile] : llvm::zip(staged, shared)) replace(each, tile, slot, 0);
    // The first product need not wait until all copies are on their way: its first operands are read before them.
    for (mlir::Operation& op : llvm::make_range(std::next(last_copy->getIterator()), loop.getBody()->end())) {
      if (!llvm::isa<tile::DotOp>(op)) continue;
      const bool staged_operand = llvm::any_of(op.getOperands(), [](Value operand) { return operand.getDefiningOp<tile_gpu::LocalLoadOp>() != nullptr; });
      if (staged_operand) loop.getBody()->getOperations().splice(op.getIterator(), loop.getBody()->getOperations(), std::next(wait->getIterator()), std::next(last_copy->getIterator()));
      break;
    }
    rewriter_.setInsertionPointAfter(loop);
    tile_gpu::WaitOp::create(rewriter_, loc, 0);
    return loop;
  }

  // number modulo stages, for numbers below 2 * stages.
  Value wrapped(Value number, std::int64_t stages, mlir::Location loc) {
    Value over = arith::CmpIOp::create(rewriter_, loc, arith::CmpIPredicate::sge, number, i32(stages));
    return arith::SelectOp::create(rewriter_, loc, over, arith::SubIOp::create(rewriter_, loc, number, i32(stages)), number);
  }

  mlir::func::FuncOp kernel_;
  const GpuTarget& target_;
  mlir::IRRewriter rewriter_;
  llvm::SmallVector<Value> stored_;
  std::int64_t reserve_ = 0;
  llvm::DenseMap<mlir::Operation*, std::int64_t> most_bytes_;  // of staged tiles while a loop runs
};

class StageLoads : public mlir::PassWrapper<StageLoads, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StageLoads)

  explicit StageLoads(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-stage-loads"; }
  llvm::StringRef getDescription() const override { return "Bring operands of matrix instructions through shared memory, iterations ahead where a loop asks for stages"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile_gpu::TileGpuDialect>(); }

  void runOnOperation() override {
    if (!target_.has_async_copies()) return;
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>())
      if (kernel->hasAttr(tile::kKernelAttr)) Staging(kernel, target_).run();
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_stage_loads(const GpuTarget& target) { return std::make_unique<StageLoads>(target); }

}  // namespace tilewright::gpu
