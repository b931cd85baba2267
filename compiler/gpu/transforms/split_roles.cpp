// tile-gpu-split-roles: in loops that ask for stages, one more warp brings the operands of matrix products, and the others multiply.
//
//   for %i = ... {                         %c = channel of 3 tiles
//     %b = tile.load %B[%i ...]            roles
//     %acc = dot %a, convert %b      ->      produce { for %i = ... { send %B[%i ...] to %c } }
//   } {tile.stages = 3}                      consume { for %i = ... { %slot = receive %c
//   store                                                             %acc = group_dot %a, %c at %slot
//                                                                     release %c at %slot }
//                                                      store }
//
// The producer has a copy of what leads to the loads: loops, branches, and the scalars that tell where they are. So it is ahead by as many tiles as fit the channel, across the end of a loop too. Loads and dots
// that cannot take part (group_dots.h) stay with the consumers. These write operands that no load brings to shared memory themselves: once, in front of the loop, where they are the same in all turns, else in each turn,
// where they are computed.
#include "compiler/gpu/access.h"
#include "compiler/gpu/group_dots.h"
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/shared_tiles.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/gpu/transforms/scratch_reserve.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include <map>

namespace tilewright::gpu {

namespace {

namespace scf = mlir::scf;
using mlir::Value;

class Splitting {
 public:
  Splitting(mlir::func::FuncOp kernel, const GpuTarget& target, const GroupDots& dots) : kernel_(kernel), target_(target), dots_(dots), rewriter_(kernel.getContext()) {}

  // False where there is too little shared memory.
  bool run() {
    for (tile::LoadOp load : dots_.rows()) {
      const auto type = llvm::cast<mlir::RankedTensorType>(load.getResult().getType());
      if (layout::offset_expression(tile_gpu::layout_of(type), arrangement(type.getShape(), type.getElementType()))) rows_.insert(load);
    }
    if (!plan_channels()) return false;
    mlir::Block& body = kernel_.getBody().front();
    const mlir::Location loc = kernel_.getLoc();
    llvm::SmallVector<mlir::Operation*> ops;
    for (mlir::Operation& op : body.without_terminator()) ops.push_back(&op);
    rewriter_.setInsertionPointToStart(&body);
    for (Channel& channel : channels_) channel.value = tile_gpu::ChannelOp::create(rewriter_, loc, channel.type);
    auto roles = tile_gpu::RolesOp::create(rewriter_, loc, /*written=*/false, mlir::IntegerAttr(), mlir::IntegerAttr(), mlir::IntegerAttr());
    mlir::Block* producer = rewriter_.createBlock(&roles.getProducer());
    mlir::Block* consumers = rewriter_.createBlock(&roles.getConsumers());
    for (mlir::Operation* op : ops) op->moveBefore(consumers, consumers->end());

    for (tile::LoadOp load : sent())
      for (mlir::Operation* op = load; op->getBlock() != consumers; op = op->getParentOp()) leads_to_load_.insert(op->getParentOp());
    rewriter_.setInsertionPointToEnd(producer);
    produce(*consumers, {});
    for (tile::LoadOp load : dots_.loads()) receive(load);
    for (tile::DotOp dot : dots_.dots()) replace(dot);
    for (tile::LoadOp load : rows_) read(load);
    for (tile::LoadOp load : dots_.loads()) erase_unused(load);
    return true;
  }

 private:
  struct Channel {
    tile_gpu::ChannelType type;
    Value value;
  };
  using Place = std::pair<Value, mlir::Block*>;  // a tile, and the block in which it is stored

  llvm::SmallVector<tile::LoadOp> sent() const {
    llvm::SmallVector<tile::LoadOp> loads(dots_.loads());
    loads.append(rows_.begin(), rows_.end());
    return loads;
  }

  // Loads of one loop have a channel each; those of other loops share it where their tiles are alike.
  bool plan_channels() {
    std::map<mlir::Operation*, llvm::SmallVector<bool>> taken;  // channels, by loop
    std::int64_t stages = std::numeric_limits<std::int64_t>::max();
    llvm::SmallVector<tile_gpu::ChannelType> single;
    for (tile::LoadOp load : sent()) {
      mlir::Operation* loop = load->getParentOp();
      stages = std::min(stages, loop->getAttrOfType<mlir::IntegerAttr>(tile::kStagesAttr).getInt());
      const auto tile = llvm::cast<mlir::RankedTensorType>(load.getResult().getType());
      const auto type = tile_gpu::ChannelType::get(tile.getContext(), 1, tile.getShape(), tile.getElementType());
      auto& used = taken[loop];
      std::size_t number = 0;
      used.resize(single.size(), false);
      while (number < single.size() && (used[number] || single[number] != type)) ++number;
      if (number == single.size()) {
        single.push_back(type);
        used.push_back(false);
      }
      used[number] = true;
      channel_of_[load] = static_cast<int>(number);
    }
    const auto is_gone = [&](tile_gpu::ConvertLayoutOp convert) {
      const auto source = operand_source(convert.getInput());
      return (source && dots_.contains(source->load)) || is_only_stored(convert.getResult());
    };
    std::int64_t room = target_.max_shared_bytes() - scratch_reserve(kernel_, is_gone);
    llvm::SetVector<Place> stored;
    for (tile::DotOp dot : dots_.dots())
      for (int operand : {0, 1})
        if (const Value tile = dots_.stored(dot, operand).tile) stored.insert({tile, place_of(dot, tile)});
    for (auto [tile, block] : stored) room -= tile_bytes(stored_type(tile));
    const auto bytes = [&](std::int64_t count) {
      std::int64_t all = 0;
      for (tile_gpu::ChannelType type : single) all += channel_bytes(tile_gpu::ChannelType::get(type.getContext(), count, type.getShape(), type.getElementType()));
      return all;
    };
    while (stages > 1 && bytes(stages) > room) --stages;
    if (stages < 2) return false;
    for (tile_gpu::ChannelType type : single) channels_.push_back({tile_gpu::ChannelType::get(type.getContext(), stages, type.getShape(), type.getElementType()), {}});
    return true;
  }

  // Whether a tile is used as operands alone that are read from shared memory, written there before what made it from another.
  bool is_only_stored(Value tile) const {
    return llvm::all_of(tile.getUses(), [&](mlir::OpOperand& use) {
      if (auto dot = llvm::dyn_cast<tile::DotOp>(use.getOwner())) return use.getOperandNumber() < 2 && static_cast<bool>(dots_.stored(dot, static_cast<int>(use.getOperandNumber())).tile);
      return llvm::isa<tile_gpu::ConvertLayoutOp, tile::TransposeOp>(use.getOwner()) && is_only_stored(use.getOwner()->getResult(0));
    });
  }

  static tile_gpu::SharedType stored_type(Value tile) {
    const auto type = llvm::cast<mlir::RankedTensorType>(tile.getType());
    return tile_gpu::SharedType::get(type.getContext(), 1, type.getShape(), type.getElementType());
  }

  // The block in which a dot's operand is stored: that of the outermost loop around the dot that the tile is the same in, the loops lying in each other directly; the tile's own where there is no such loop.
  static mlir::Block* place_of(tile::DotOp dot, Value tile) { return tile.getParentBlock() == dot->getBlock() ? dot->getBlock() : outermost_loop(dot, tile)->getBlock(); }

  static mlir::Operation* outermost_loop(tile::DotOp dot, Value tile) {
    mlir::Operation* loop = dot->getParentOp();
    while (llvm::isa<scf::ForOp>(loop->getParentOp()) && !loop->getParentOp()->isAncestor(tile.getParentRegion()->getParentOp())) loop = loop->getParentOp();
    return loop;
  }

  // The shared tile with a dot's operand, in whatever layout it comes; the first dot of a block stores it for the others. One that is computed in each turn is stored at once: what stands between that and the product takes
  // as long as the others need to have stored theirs.
  Value store(tile::DotOp dot, Value tile) {
    mlir::Block* block = place_of(dot, tile);
    Value& shared = stored_[{tile, block}];
    if (shared) return shared;
    mlir::OpBuilder::InsertionGuard guard(rewriter_);
    if (block == dot->getBlock()) rewriter_.setInsertionPointAfterValue(tile);
    else rewriter_.setInsertionPoint(outermost_loop(dot, tile));
    shared = tile_gpu::AllocOp::create(rewriter_, dot.getLoc(), stored_type(tile));
    tile_gpu::LocalStoreOp::create(rewriter_, dot.getLoc(), tile, shared);
    return shared;
  }

  // Copies the scalar operations that `value` is computed from to where the rewriter stands.
  Value copied(Value value, mlir::IRMapping& mapping) {
    if (mapping.contains(value)) return mapping.lookup(value);
    mlir::Operation* op = value.getDefiningOp();
    if (!op) return value;  // an argument of the kernel
    for (Value operand : op->getOperands()) copied(operand, mapping);
    rewriter_.clone(*op, mapping);
    return mapping.lookup(value);
  }

  // The producer's copy of a block. What is copied inside of a region is of no use outside, so the mapping is a copy too.
  void produce(mlir::Block& block, mlir::IRMapping mapping) {
    for (mlir::Operation& op : block) {
      if (auto load = llvm::dyn_cast<tile::LoadOp>(op); load && (dots_.contains(load) || rows_.contains(load))) {
        llvm::SmallVector<Value> indices;
        for (Value index : load.getIndices()) indices.push_back(copied(index, mapping));
        tile_gpu::SendOp::create(rewriter_, load.getLoc(), load.getView(), indices, channels_[channel_of_[load]].value, load.getMapsAttr());
      }
      if (!leads_to_load_.contains(&op)) continue;
      mlir::OpBuilder::InsertionGuard guard(rewriter_);
      if (auto loop = llvm::dyn_cast<scf::ForOp>(op)) {
        const Value low = copied(loop.getLowerBound(), mapping), high = copied(loop.getUpperBound(), mapping), step = copied(loop.getStep(), mapping);
        auto made = scf::ForOp::create(rewriter_, loop.getLoc(), low, high, step);
        mlir::IRMapping inner = mapping;
        inner.map(loop.getInductionVar(), made.getInductionVar());
        rewriter_.setInsertionPointToStart(made.getBody());
        produce(*loop.getBody(), inner);
      } else {
        auto branch = llvm::cast<scf::IfOp>(op);
        const bool has_else = !branch.getElseRegion().empty();
        auto made = scf::IfOp::create(rewriter_, branch.getLoc(), copied(branch.getCondition(), mapping), has_else);
        rewriter_.setInsertionPointToStart(&made.getThenRegion().front());
        produce(branch.getThenRegion().front(), mapping);
        if (!has_else) continue;
        rewriter_.setInsertionPointToStart(&made.getElseRegion().front());
        produce(branch.getElseRegion().front(), mapping);
      }
    }
  }

  // The tile is received before the first dot that reads it and released behind the last.
  void receive(tile::LoadOp load) {
    const Value channel = channels_[channel_of_[load]].value;
    mlir::Operation *first = nullptr, *last = nullptr;
    for (tile::DotOp dot : dots_.dots()) {
      if (dot->getBlock() != load->getBlock()) continue;
      const auto reads = [&](Value operand) {
        const auto source = operand_source(operand);
        return source && source->load == load;
      };
      if (!reads(dot.getA()) && !reads(dot.getB())) continue;
      if (!first || dot->isBeforeInBlock(first)) first = dot;
      if (!last || last->isBeforeInBlock(dot)) last = dot;
    }
    rewriter_.setInsertionPoint(first);
    slots_[load] = tile_gpu::ReceiveOp::create(rewriter_, load.getLoc(), rewriter_.getI32Type(), channel);
    rewriter_.setInsertionPointAfter(last);
    tile_gpu::ReleaseOp::create(rewriter_, load.getLoc(), channel, slots_[load]);
  }

  // A row of scalars is received where it is first needed, and released at the end of the turn: the registers that it goes to are known to be filled by then.
  void read(tile::LoadOp load) {
    const Value channel = channels_[channel_of_[load]].value;
    mlir::Operation* first = nullptr;
    for (mlir::Operation* user : load->getUsers()) {
      mlir::Operation* here = load->getBlock()->findAncestorOpInBlock(*user);
      if (!first || here->isBeforeInBlock(first)) first = here;
    }
    rewriter_.setInsertionPoint(first ? first : load->getBlock()->getTerminator());
    const Value slot = tile_gpu::ReceiveOp::create(rewriter_, load.getLoc(), rewriter_.getI32Type(), channel);
    const Value row = tile_gpu::ChannelLoadOp::create(rewriter_, load.getLoc(), load.getResult().getType(), channel, slot, mlir::UnitAttr());
    rewriter_.setInsertionPoint(load->getBlock()->getTerminator());
    tile_gpu::ReleaseOp::create(rewriter_, load.getLoc(), channel, slot);
    rewriter_.replaceOp(load, row);
  }

  void replace(tile::DotOp dot) {
    rewriter_.setInsertionPoint(dot);
    struct Operand {
      Value channel, slot, shared;
      bool transposed = false;
    };
    const auto operand_of = [&](int number, Value value) -> Operand {
      if (const StoredTile stored = dots_.stored(dot, number); stored.tile) return {.shared = store(dot, stored.tile), .transposed = stored.transposed};
      const auto source = operand_source(value);
      if (!source || !dots_.contains(source->load)) return {};
      return {.channel = channels_[channel_of_[source->load]].value, .slot = slots_[source->load], .transposed = source->transposed};
    };
    const Operand a = operand_of(0, dot.getA()), b = operand_of(1, dot.getB());
    const auto flag = [&](bool set) { return set ? rewriter_.getUnitAttr() : mlir::UnitAttr(); };
    auto made = tile_gpu::GroupDotOp::create(rewriter_, dot.getLoc(), dot.getResult().getType(), a.channel || a.shared ? Value() : dot.getA(), a.channel, a.slot, a.shared, b.channel, b.slot, b.shared,
                                             dot.getAcc(), flag(a.transposed), flag(b.transposed), mlir::UnitAttr(), dot.getAFormatAttr(), dot.getBFormatAttr());
    llvm::SmallVector<Value> operands = {dot.getA(), dot.getB()};
    rewriter_.replaceOp(dot, made.getResult());
    for (Value operand : operands) erase_if_unused(operand);
  }

  // With what it was rearranged from.
  void erase_if_unused(Value tile) {
    mlir::Operation* op = tile.getDefiningOp();
    if (!op || !tile.use_empty() || !llvm::isa<tile_gpu::ConvertLayoutOp, tile::TransposeOp>(op)) return;
    const Value from = op->getOperand(0);
    rewriter_.eraseOp(op);
    erase_if_unused(from);
  }

  void erase_unused(tile::LoadOp load) {
    llvm::SmallVector<mlir::Operation*> users(load->getUsers().begin(), load->getUsers().end());
    for (mlir::Operation* user : users)
      if (user->use_empty()) rewriter_.eraseOp(user);
    rewriter_.eraseOp(load);
  }

  mlir::func::FuncOp kernel_;
  const GpuTarget& target_;
  const GroupDots& dots_;
  mlir::IRRewriter rewriter_;
  llvm::SmallVector<Channel> channels_;
  llvm::DenseMap<mlir::Operation*, int> channel_of_;
  llvm::DenseMap<mlir::Operation*, Value> slots_;
  llvm::DenseMap<Place, Value> stored_;  // shared tiles
  llvm::SetVector<tile::LoadOp> rows_;  // rows of scalars that come through channels too
  llvm::DenseSet<mlir::Operation*> leads_to_load_;
};

class SplitRoles : public mlir::PassWrapper<SplitRoles, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitRoles)

  explicit SplitRoles(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-split-roles"; }
  llvm::StringRef getDescription() const override { return "Let one warp bring operands of matrix products to shared memory while the others multiply"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile_gpu::TileGpuDialect>(); }

  void runOnOperation() override {
    const auto warps = getOperation()->getAttrOfType<mlir::IntegerAttr>(tile_gpu::kWarpsAttr);
    if (!warps) return;
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!kernel->hasAttr(tile::kKernelAttr) || !kernel.getOps<tile_gpu::RolesOp>().empty()) continue;
      const GroupDots dots(kernel, target_, static_cast<int>(warps.getInt()));
      kernel.walk([&](tile::DotOp dot) {
        if (const std::string reason = dots.reason(dot); !reason.empty()) dot->setAttr(tile_gpu::kReasonAttr, mlir::StringAttr::get(&getContext(), reason));
      });
      if (dots.empty() || Splitting(kernel, target_, dots).run()) continue;
      for (tile::DotOp dot : dots.dots()) dot->setAttr(tile_gpu::kReasonAttr, mlir::StringAttr::get(&getContext(), "two stages of its loop's tiles do not fit shared memory"));
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_split_roles(const GpuTarget& target) { return std::make_unique<SplitRoles>(target); }

}  // namespace tilewright::gpu
