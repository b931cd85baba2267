#include "compiler/targets/cpu/lowering/emitter.h"
#include "compiler/targets/cpu/lowering/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {

namespace {

class ConvertTileToCpu : public mlir::PassWrapper<ConvertTileToCpu, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ConvertTileToCpu)

  explicit ConvertTileToCpu(CpuTarget target) : target_(std::move(target)) {}

  llvm::StringRef getArgument() const override { return "convert-tile-to-cpu"; }
  llvm::StringRef getDescription() const override { return "kernels over tiles to loops over vectors and scratch memory"; }

  void getDependentDialects(mlir::DialectRegistry& registry) const override {
    registry.insert<mlir::arith::ArithDialect, mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  }

  void runOnOperation() override {
    llvm::SmallVector<mlir::func::FuncOp> kernels;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      if (function->hasAttr(tile::kKernelAttr)) kernels.push_back(function);
    }
    for (mlir::func::FuncOp kernel : kernels) {
      const std::string name = kernel.getName().str();
      kernel.setName(name + ".tile");  // the emitted function takes the name
      Emitter emitter(kernel, target_);
      const mlir::FailureOr<std::int64_t> scratch = emitter.run();
      if (mlir::failed(scratch)) return signalPassFailure();
      auto emitted = getOperation().lookupSymbol<mlir::func::FuncOp>(name + ".tile");
      emitted.setName(name);
      mlir::Builder builder(&getContext());
      emitted->setAttr(kScratchBytesAttr, builder.getI64IntegerAttr(*scratch));
      llvm::SmallVector<llvm::StringRef> remarks(emitter.remarks().begin(), emitter.remarks().end());
      emitted->setAttr(kRemarksAttr, builder.getStrArrayAttr(remarks));
    }
  }

 private:
  CpuTarget target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_convert_tile_to_cpu(const CpuTarget& target) { return std::make_unique<ConvertTileToCpu>(target); }

}  // namespace tilewright::cpu
