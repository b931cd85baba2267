// tile-hoist-loads: loop-invariant code motion that also moves loads. A load never faults, so it may run before a loop that would not have run at
// all; it may move if nothing in the loop writes memory. Print and assert write none that a kernel can read.
#include "compiler/ir/TileOps.h"
#include "compiler/transforms/passes.h"

#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace tilewright {

namespace {

bool writes_memory(mlir::Operation* loop) {
  const mlir::WalkResult result = loop->walk([](mlir::Operation* op) {
    const bool harmless = mlir::isMemoryEffectFree(op) || op->hasTrait<mlir::OpTrait::HasRecursiveMemoryEffects>() ||
                          llvm::isa<tile::LoadOp, tile::PrintOp, tile::AssertOp>(op);
    return harmless ? mlir::WalkResult::advance() : mlir::WalkResult::interrupt();
  });
  return result.wasInterrupted();
}

class HoistLoads : public mlir::PassWrapper<HoistLoads, mlir::OperationPass<>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(HoistLoads)

  llvm::StringRef getArgument() const override { return "tile-hoist-loads"; }
  llvm::StringRef getDescription() const override { return "Move what a loop does not change in front of it, loads included"; }

  void runOnOperation() override {
    getOperation()->walk([](mlir::LoopLikeOpInterface loop) {  // inner loops first
      const bool may_load = !writes_memory(loop);
      mlir::moveLoopInvariantCode(
          loop.getLoopRegions(), [&](mlir::Value value, mlir::Region*) { return loop.isDefinedOutsideOfLoop(value); },
          [&](mlir::Operation* op, mlir::Region*) {
            return (mlir::isMemoryEffectFree(op) && mlir::isSpeculatable(op)) || (may_load && llvm::isa<tile::LoadOp>(op));
          },
          [&](mlir::Operation* op, mlir::Region*) { loop.moveOutOfLoop(op); });
    });
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_hoist_loads() { return std::make_unique<HoistLoads>(); }

}  // namespace tilewright
