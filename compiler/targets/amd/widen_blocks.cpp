#include "compiler/targets/amd/widen_blocks.h"

#include "compiler/ir/TileDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tilewright::amd {

namespace {

constexpr int kWideLanes = 64, kDefaultWarps = 4;

class WidenBlocks : public mlir::PassWrapper<WidenBlocks, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WidenBlocks)

  WidenBlocks(int lanes, int max_warps) : lanes_(lanes), max_warps_(max_warps) {}

  llvm::StringRef getArgument() const override { return "amd-widen-blocks"; }
  llvm::StringRef getDescription() const override { return "Give a kernel as many threads with waves of 32 lanes as with 64"; }

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<mlir::func::FuncOp>()) {
      if (!kernel->hasAttr(tile::kKernelAttr)) continue;
      const auto asked = kernel->getAttrOfType<mlir::IntegerAttr>(tile::kWarpsAttr);
      const std::int64_t warps = asked ? asked.getInt() : kDefaultWarps, wide = warps * (kWideLanes / lanes_);
      if (wide <= max_warps_) kernel->setAttr(tile::kWarpsAttr, mlir::Builder(&getContext()).getI64IntegerAttr(wide));
    }
  }

 private:
  int lanes_, max_warps_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_widen_blocks(const AmdGpu& target) { return std::make_unique<WidenBlocks>(target.lanes(), target.max_warps()); }

}  // namespace tilewright::amd
