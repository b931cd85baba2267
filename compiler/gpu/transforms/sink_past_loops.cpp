// tile-gpu-sink-past-loops: a tile that is first used behind a loop is loaded and converted there, and takes no registers in the loop.
//
//   %v = tile.load %V                                  for ... { ... }
//   %b = convert_layout %v                      ->     %v = tile.load %V
//   for ... { ... }                                    %b = convert_layout %v
//   dot %a, %b                                         dot %a, %b
//
// Moved is what computes a tile from at most one other that is no larger; a load, where nothing on the way writes memory or is a fence.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::gpu {

namespace {

namespace scf = mlir::scf;

bool is_loop(mlir::Operation* op) { return llvm::isa<scf::ForOp, scf::WhileOp>(op); }

bool writes_memory(mlir::Operation* op) {
  const mlir::WalkResult walked = op->walk([](mlir::Operation* inner) {
    return llvm::isa<tile::StoreOp, tile::AtomicOp, tile::FenceOp>(inner) ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  return walked.wasInterrupted();
}

std::int64_t bits(mlir::Value value) {
  auto tile = llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
  return tile ? tile.getNumElements() * tile.getElementTypeBitWidth() : 0;
}

bool may_sink(mlir::Operation* op) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0 || bits(op->getResult(0)) == 0) return false;
  if (!llvm::isa<tile::LoadOp>(op) && !mlir::isMemoryEffectFree(op)) return false;
  mlir::Value tile;
  for (mlir::Value operand : op->getOperands()) {
    if (bits(operand) == 0 || operand == tile) continue;
    if (tile || bits(operand) > bits(op->getResult(0))) return false;
    tile = operand;
  }
  return true;
}

// The operation of the same block that holds the first use; null without a use.
mlir::Operation* first_user(mlir::Operation* op) {
  mlir::Operation* first = nullptr;
  for (mlir::Operation* user : op->getUsers()) {
    mlir::Operation* here = op->getBlock()->findAncestorOpInBlock(*user);
    if (!first || here->isBeforeInBlock(first)) first = here;
  }
  return first;
}

void sink(mlir::Operation* op) {
  mlir::Operation* user = first_user(op);
  if (!user) return;
  bool past_loop = false;
  for (mlir::Operation* between = op->getNextNode(); between != user; between = between->getNextNode()) {
    past_loop |= is_loop(between);
    if (llvm::isa<tile::LoadOp>(op) && writes_memory(between)) return;
  }
  if (past_loop) op->moveBefore(user);
}

void sink_in(mlir::Block& block) {
  for (mlir::Operation& op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (may_sink(&op)) sink(&op);
}

class SinkPastLoops : public mlir::PassWrapper<SinkPastLoops, mlir::OperationPass<mlir::func::FuncOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SinkPastLoops)

  llvm::StringRef getArgument() const override { return "tile-gpu-sink-past-loops"; }
  llvm::StringRef getDescription() const override { return "Load and convert tiles behind the loops that do not use them"; }

  void runOnOperation() override {
    getOperation().walk([](mlir::Block* block) { sink_in(*block); });
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_sink_past_loops() { return std::make_unique<SinkPastLoops>(); }

}  // namespace tilewright::gpu
