// tile-gpu-begin-products: products of a turn that do not need each other are begun together, each is waited for where its result is needed, and products of what the turn computes follow that at once.
//
//   %s = group_dot %k, %q                    %s' = group_dot %k, %q in_flight
//   ... exp2 %s ...                          %g' = group_dot %v, %d in_flight
//   %g = group_dot %v, %d              ->    %s = group_wait %s' {begun_since = 1}
//   ... %p * %g ...                          ... exp2 %s ...
//   %x = group_dot %ds, stored ...           %y = group_dot registers %p, %d
//   %y = group_dot registers %p, %d          %g = group_wait %g'
//                                            ... %p * %g ...
//                                            %x = group_dot %ds, stored ...
//
// So the matrix unit has work while threads compute what lies between the first product and the second.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

#include <algorithm>
#include <utility>

namespace tilewright::gpu {

namespace {

namespace arith = mlir::arith;
using mlir::Operation;
using mlir::Value;
using tile_gpu::GroupDotOp;

// The operation of the block that holds the first use of a value; null without one.
Operation* first_user(mlir::Block& block, Value value) {
  Operation* first = nullptr;
  for (Operation* user : value.getUsers()) {
    Operation* here = block.findAncestorOpInBlock(*user);
    if (!first || here->isBeforeInBlock(first)) first = here;
  }
  return first;
}

class Beginning {
 public:
  Beginning(mlir::Block& block, const GpuTarget& target, std::int64_t threads) : block_(block), target_(target), threads_(threads), rewriter_(block.getParentOp()->getContext()) {}

  void run() {
    llvm::SmallVector<GroupDotOp> dots(block_.getOps<GroupDotOp>());
    llvm::SmallVector<GroupDotOp> early;
    for (GroupDotOp dot : dots)
      if (may_begin(dot)) early.push_back(dot);
    if (early.size() < 2 || !leaves_registers(dots, early)) return;
    begin(early);
    for (GroupDotOp dot : dots)
      if (dot.getA()) follow(dot);
    go_on();
    for (tile_gpu::GroupWaitOp wait : waits_) wait.setBegunSince(begun_since(wait));
  }

 private:
  // The first where it stands, the others behind it.
  void begin(llvm::ArrayRef<GroupDotOp> products) {
    read_rows_before(products.front());
    Operation* at = products.front();
    for (GroupDotOp dot : products) {
      if (Operation* zeros = dot.getAcc().getDefiningOp(); zeros->getBlock() == &block_) zeros->moveBefore(&block_, block_.begin());
      if (dot == at) continue;
      for (Value slot : {Value(dot.getASlot()), Value(dot.getBSlot())}) {
        Operation* receive = slot ? slot.getDefiningOp() : nullptr;
        if (!receive || receive->isBeforeInBlock(at)) continue;
        receive->moveAfter(at);
        at = receive;
      }
      dot->moveAfter(at);
      at = dot;
    }
    for (GroupDotOp dot : products) wait_at(first_user(block_, dot.getResult()), dot);
  }

  // Rows of scalars that stand between a product and what its result is first needed for: while products read shared memory threads wait long for it.
  void read_rows_before(GroupDotOp product) {
    Operation* needed = first_user(block_, product.getResult());
    for (auto row : llvm::make_early_inc_range(block_.getOps<tile_gpu::ChannelLoadOp>())) {
      if (row->isBeforeInBlock(product) || !row->isBeforeInBlock(needed)) continue;
      row.getSlot().getDefiningOp()->moveBefore(product);
      row->moveBefore(product);
    }
  }

  // With operands that lie in shared memory before the turn begins, or are received in it, and sums that begin at zero.
  bool may_begin(GroupDotOp dot) const {
    const auto is_made_before = [&](Value shared) { return !shared || shared.getParentBlock() != &block_; };
    const auto is_received_here = [&](Value slot) { return !slot || (slot.getDefiningOp<tile_gpu::ReceiveOp>() && slot.getParentBlock() == &block_); };
    return !dot.getInFlight() && !dot.getA() && is_made_before(dot.getAShared()) && is_made_before(dot.getBShared()) && is_received_here(dot.getASlot()) && is_received_here(dot.getBSlot()) &&
           dot.getAcc().getDefiningOp<arith::ConstantOp>() && !dot.getResult().use_empty() && !llvm::isa<GroupDotOp>(first_user(block_, dot.getResult()));
  }

  // A product with a left operand in registers that nothing in the turn needs.
  bool is_sum_of_turns(GroupDotOp dot) const { return dot.getA() && !dot.getInFlight() && dot.getResult().hasOneUse() && *dot->user_begin() == block_.getTerminator(); }

  // Sums of turns are in flight to the end of the turn, or to a product behind them that is complete when it ends: it has waited for them. What is read no more by then is given back at once, not behind what a turn does last.
  void go_on() {
    llvm::SmallVector<GroupDotOp> sums;
    Operation* end = block_.getTerminator();
    for (GroupDotOp dot : block_.getOps<GroupDotOp>()) {
      if (is_sum_of_turns(dot)) {
        sums.push_back(dot);
        end = block_.getTerminator();
      } else if (!dot.getInFlight()) {
        end = dot->getNextNode();
      }
    }
    for (GroupDotOp dot : sums) wait_at(end, dot);
    const auto is_read_later = [&](tile_gpu::ReleaseOp release) {
      return llvm::any_of(release.getSlot().getUsers(), [&](Operation* user) { return user != release && !block_.findAncestorOpInBlock(*user)->isBeforeInBlock(end); });
    };
    for (auto release : llvm::make_early_inc_range(block_.getOps<tile_gpu::ReleaseOp>()))
      if (end->isBeforeInBlock(release) && !is_read_later(release)) release->moveBefore(end);
  }

  // Beside the sums that the loop carries with left operands on their way, and a quarter of the largest for what is computed of it while the others are.
  bool leaves_registers(llvm::ArrayRef<GroupDotOp> dots, llvm::ArrayRef<GroupDotOp> early) const {
    const auto product = target_.group_product(DotElements::of(early.front()));
    std::int64_t elements = 0;
    for (GroupDotOp dot : early) elements = std::max(elements, dot.getAcc().getType().getNumElements() / 4);
    std::int64_t left = 0;
    for (GroupDotOp dot : dots) {
      if (llvm::is_contained(early, dot) || !dot.getAcc().getDefiningOp<arith::ConstantOp>()) elements += dot.getAcc().getType().getNumElements();
      if (is_sum_of_turns(dot)) elements += std::exchange(left, dot.getA().getType().getNumElements() / 2);
    }
    return product && elements / threads_ <= product->max_together;
  }

  // How many may be in flight that have been begun between a product and the operation that waits for it: one on the way that is complete when it ends has waited for all.
  static std::int64_t begun_since(tile_gpu::GroupWaitOp wait) {
    std::int64_t begun = 0;
    for (Operation& op : llvm::make_range(std::next(wait.getProduct().getDefiningOp()->getIterator()), wait->getIterator()))
      if (auto dot = llvm::dyn_cast<GroupDotOp>(op)) begun = dot.getInFlight() ? begun + 1 : 0;
    return begun;
  }

  void wait_at(Operation* place, GroupDotOp dot) {
    rewriter_.setInsertionPoint(place);
    dot.setInFlight(true);
    auto wait = waits_.emplace_back(tile_gpu::GroupWaitOp::create(rewriter_, dot.getLoc(), dot.getResult().getType(), dot.getResult(), 0));
    rewriter_.replaceAllUsesExcept(dot.getResult(), wait.getResult(), wait);
    for (Value channel : {Value(dot.getAChannel()), Value(dot.getBChannel())}) {
      if (!channel) continue;
      for (Operation* user : channel.getUsers())
        if (llvm::isa<tile_gpu::ReleaseOp>(user) && user->getBlock() == &block_ && user->isBeforeInBlock(wait)) user->moveAfter(wait);
    }
  }

  // A product with its left operand in registers moves up to where that is computed: its registers are free behind it.
  void follow(GroupDotOp dot) {
    llvm::SmallVector<Operation*> chain;
    Value left = dot.getA();
    while (Operation* op = left.getDefiningOp()) {
      if (!llvm::isa<tile_gpu::ConvertLayoutOp, arith::TruncFOp>(op) || op->getBlock() != &block_) break;
      chain.push_back(op);
      left = op->getOperand(0);
    }
    const auto later = [](Operation* a, Operation* b) { return !a || (b && a->isBeforeInBlock(b)) ? b : a; };
    const auto own = [&](Value value) -> Operation* {
      Operation* op = value ? value.getDefiningOp() : nullptr;
      return op && op->getBlock() == &block_ ? op : nullptr;
    };
    // Not past a tile that is stored for the others, who wait for it.
    const auto behind_stores = [](Operation* at) {
      while (llvm::isa_and_present<tile_gpu::AllocOp, tile_gpu::LocalStoreOp>(at->getNextNode())) at = at->getNextNode();
      return at;
    };
    Operation* at = own(left);
    if (!at) return;
    for (Operation* op : llvm::reverse(chain)) {
      at = behind_stores(at);
      if (op != at && at->isBeforeInBlock(op)) op->moveAfter(at);
      at = later(at, op);
    }
    for (Value operand : {Value(dot.getAcc()), Value(dot.getBSlot())}) at = later(at, own(operand));
    at = behind_stores(at);
    if (at->isBeforeInBlock(dot) && !dot.getBShared()) dot->moveAfter(at);
  }

  mlir::Block& block_;
  const GpuTarget& target_;
  std::int64_t threads_;
  mlir::IRRewriter rewriter_;
  llvm::SmallVector<tile_gpu::GroupWaitOp> waits_;
};

class BeginProducts : public mlir::PassWrapper<BeginProducts, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BeginProducts)

  explicit BeginProducts(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-begin-products"; }
  llvm::StringRef getDescription() const override { return "Begin products of a turn that do not need each other together"; }

  void runOnOperation() override {
    const auto warps = getOperation()->getAttrOfType<mlir::IntegerAttr>(tile_gpu::kWarpsAttr);
    if (!warps) return;
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!kernel->hasAttr(tile::kKernelAttr)) continue;
      for (auto roles : kernel.getOps<tile_gpu::RolesOp>())
        if (!roles.getWritten()) roles.walk([&](mlir::scf::ForOp loop) { Beginning(*loop.getBody(), target_, warps.getInt() * target_.lanes()).run(); });
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_begin_products(const GpuTarget& target) { return std::make_unique<BeginProducts>(target); }

}  // namespace tilewright::gpu
