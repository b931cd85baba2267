// tile-gpu-overlap-products: a product of a loop that other operations wait for is begun a turn ahead of them.
//
//   produce { for %i = ... { send %K[%i ...] }        produce { send %K[first ...]
//                                                               for %i = ... { send %K[%i + step ...] } }
//   consume { for %i = ... {                     ->   consume { %s0 = group_dot %q, %k
//     %s = group_dot %q, %k                                     for %i = ... iter_args(%s = %s0) {
//     ... exp %s ...                                              %next = group_dot %q, %k in_flight
//     group_dot ... } }                                           ... exp %s ...
//                                                                 group_dot ...
//                                                                 group_wait %next } }
//
// So the matrix unit has work while threads compute what lies between two products. One tile more than the loop has turns is brought and multiplied, which nobody looks at; where the loop has no turn, too.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/ADT/SetVector.h"

#include <optional>

namespace tilewright::gpu {

namespace {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using mlir::Value;

// All that goes through a channel of one product.
struct Passage {
  tile_gpu::SendOp send;
  tile_gpu::ReceiveOp receive;
  tile_gpu::ReleaseOp release;
};

std::optional<Passage> passage_of(tile_gpu::GroupDotOp dot) {
  Passage passage;
  if (!dot.getBChannel()) return std::nullopt;
  for (mlir::Operation* user : dot.getBChannel().getUsers()) {
    if (user == dot) continue;
    if (auto send = llvm::dyn_cast<tile_gpu::SendOp>(user); send && !passage.send) passage.send = send;
    else if (auto receive = llvm::dyn_cast<tile_gpu::ReceiveOp>(user); receive && !passage.receive) passage.receive = receive;
    else if (auto release = llvm::dyn_cast<tile_gpu::ReleaseOp>(user); release && !passage.release) passage.release = release;
    else return std::nullopt;
  }
  if (!passage.send || !passage.receive || !passage.release) return std::nullopt;
  return passage;
}

// The operations of the loop's body that `values` are computed from, in their order; nullopt if some do more than compute.
std::optional<llvm::SetVector<mlir::Operation*>> computation(mlir::ValueRange values, scf::ForOp loop) {
  llvm::SetVector<mlir::Operation*> ops;
  bool is_pure = true;
  const auto visit = [&](auto& self, Value value) -> void {
    mlir::Operation* op = value.getDefiningOp();
    if (!op || op->getBlock() != loop.getBody() || ops.contains(op)) return;
    is_pure &= op->getNumRegions() == 0 && mlir::isMemoryEffectFree(op);
    for (Value operand : op->getOperands()) self(self, operand);
    ops.insert(op);
  };
  for (Value value : values) visit(visit, value);
  if (!is_pure) return std::nullopt;
  return ops;
}

class Overlapping {
 public:
  Overlapping(mlir::func::FuncOp kernel, const GpuTarget& target, std::int64_t threads) : kernel_(kernel), target_(target), threads_(threads), rewriter_(kernel.getContext()) {}

  void run() {
    llvm::SmallVector<tile_gpu::GroupDotOp> dots;
    for (auto roles : kernel_.getOps<tile_gpu::RolesOp>())
      if (!roles.getWritten()) roles.walk([&](tile_gpu::GroupDotOp dot) { dots.push_back(dot); });
    for (tile_gpu::GroupDotOp dot : dots)
      if (const auto passage = passage_of(dot); passage && may_begin_early(dot, *passage)) begin_early(dot, *passage);
  }

 private:
  bool may_begin_early(tile_gpu::GroupDotOp dot, Passage passage) const {
    auto loop = llvm::dyn_cast<scf::ForOp>(dot->getParentOp());
    auto sending = llvm::dyn_cast<scf::ForOp>(passage.send->getParentOp());
    if (!loop || !sending || passage.receive->getBlock() != loop.getBody() || passage.release->getBlock() != loop.getBody()) return false;
    if (!dot.getAShared() || loop->isAncestor(dot.getAShared().getDefiningOp()) || !dot.getAcc().getDefiningOp<arith::ConstantOp>()) return false;
    // The first product of a turn alone leaves the others the time it takes.
    if (llvm::any_of(loop.getBody()->getOps<tile_gpu::GroupDotOp>(), [&](tile_gpu::GroupDotOp other) { return other.getInFlight() || other->isBeforeInBlock(dot); })) return false;
    if (llvm::all_of(dot->getUsers(), [](mlir::Operation* user) { return llvm::isa<tile_gpu::GroupDotOp, scf::YieldOp>(user); })) return false;
    const auto product = target_.group_product(DotElements::of(dot));
    std::int64_t elements = dot.getAcc().getType().getNumElements();
    for (auto each : loop.getBody()->getOps<tile_gpu::GroupDotOp>()) elements += each.getAcc().getType().getNumElements();
    return product && elements / threads_ <= product->max_accumulators && computation(passage.send.getIndices(), sending);
  }

  void begin_early(tile_gpu::GroupDotOp dot, Passage passage) {
    send_early(passage.send);
    auto loop = llvm::cast<scf::ForOp>(dot->getParentOp());
    auto* zeros = dot.getAcc().getDefiningOp();
    if (loop->isAncestor(zeros)) zeros->moveBefore(loop);
    rewriter_.setInsertionPoint(loop);
    mlir::IRMapping first;
    rewriter_.clone(*passage.receive, first);
    const Value initial = rewriter_.clone(*dot, first)->getResult(0);
    rewriter_.clone(*passage.release, first);

    mlir::Block* body = loop.getBody();
    dot->moveBefore(body, body->begin());
    passage.receive->moveBefore(dot);
    const auto wait = [&](mlir::OpBuilder& builder, mlir::Location loc, llvm::ArrayRef<mlir::BlockArgument> carried) -> llvm::SmallVector<Value> {
      rewriter_.replaceAllUsesWith(dot.getResult(), carried.front());
      dot.setInFlight(true);
      auto made = tile_gpu::GroupWaitOp::create(builder, loc, dot.getResult().getType(), dot.getResult(), 0);
      passage.release->moveAfter(made);
      return {made.getResult()};
    };
    if (mlir::failed(loop.replaceWithAdditionalYields(rewriter_, initial, /*replaceInitOperandUsesInLoop=*/false, wait))) llvm_unreachable("a loop takes one more value");
  }

  // Sends what the next turn needs, and before the loop what the first one does.
  void send_early(tile_gpu::SendOp send) {
    auto loop = llvm::cast<scf::ForOp>(send->getParentOp());
    const llvm::SetVector<mlir::Operation*> ops = *computation(send.getIndices(), loop);
    const auto send_for = [&](Value turn) {
      mlir::IRMapping mapping;
      mapping.map(loop.getInductionVar(), turn);
      for (mlir::Operation* op : ops) rewriter_.clone(*op, mapping);
      rewriter_.clone(*send, mapping);
    };
    rewriter_.setInsertionPoint(loop);
    send_for(loop.getLowerBound());
    rewriter_.setInsertionPoint(send);
    send_for(arith::AddIOp::create(rewriter_, send.getLoc(), loop.getInductionVar(), loop.getStep()));
    rewriter_.eraseOp(send);
  }

  mlir::func::FuncOp kernel_;
  const GpuTarget& target_;
  std::int64_t threads_;
  mlir::IRRewriter rewriter_;
};

class OverlapProducts : public mlir::PassWrapper<OverlapProducts, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OverlapProducts)

  explicit OverlapProducts(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "tile-gpu-overlap-products"; }
  llvm::StringRef getDescription() const override { return "Begin products a turn ahead of what needs them"; }

  void runOnOperation() override {
    const auto warps = getOperation()->getAttrOfType<mlir::IntegerAttr>(tile_gpu::kWarpsAttr);
    if (!warps) return;
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>())
      if (kernel->hasAttr(tile::kKernelAttr)) Overlapping(kernel, target_, warps.getInt() * target_.lanes()).run();
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_overlap_products(const GpuTarget& target) { return std::make_unique<OverlapProducts>(target); }

}  // namespace tilewright::gpu
