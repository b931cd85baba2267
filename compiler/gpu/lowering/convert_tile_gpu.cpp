// convert-tile-gpu: kernels over tiles with layouts to code of one thread.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilewright::gpu {

namespace {

class ConvertTileGpu : public mlir::PassWrapper<ConvertTileGpu, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ConvertTileGpu)

  explicit ConvertTileGpu(const GpuTarget& target) : target_(target) {}

  llvm::StringRef getArgument() const override { return "convert-tile-gpu"; }
  llvm::StringRef getDescription() const override { return "Kernels over tiles with layouts to code of one thread"; }

  void getDependentDialects(mlir::DialectRegistry& registry) const override {
    registry.insert<mlir::arith::ArithDialect, mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
    target_.register_dialects(registry);
  }

  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    llvm::SmallVector<mlir::func::FuncOp> kernels;
    for (auto function : module.getOps<mlir::func::FuncOp>())
      if (function->hasAttr(tile::kKernelAttr)) kernels.push_back(function);
    for (mlir::func::FuncOp kernel : kernels) {
      const auto warps = module->getAttrOfType<mlir::IntegerAttr>(tile_gpu::kWarpsAttr);
      if (!warps) {
        kernel.emitError("layouts are to be assigned first");
        return signalPassFailure();
      }
      Emitter emitter(kernel, target_, static_cast<int>(warps.getInt()));
      if (mlir::failed(emitter.run())) return signalPassFailure();
      mlir::Builder builder(&getContext());
      module->setAttr(tile_gpu::kWarpsAttr, builder.getI64IntegerAttr(emitter.launch_warps()));
      if (emitter.team_warps() != 0) module->setAttr(tile_gpu::kTeamWarpsAttr, builder.getI64IntegerAttr(emitter.team_warps()));
      if (target_.map_parameter(&getContext())) {
        llvm::SmallVector<mlir::Attribute> maps;
        for (const Emitter::BoxMap& map : emitter.maps()) {
          llvm::SmallVector<std::int64_t> numbers = {map.argument};
          llvm::append_range(numbers, map.box);
          maps.push_back(builder.getDenseI64ArrayAttr(numbers));
        }
        module->setAttr(tile_gpu::kMapsAttr, builder.getArrayAttr(maps));
      }
      const auto strings = [&](const std::vector<std::string>& list) {
        return builder.getStrArrayAttr(llvm::to_vector_of<llvm::StringRef>(list));
      };
      module->setAttr(tile_gpu::kAssertionsAttr, strings(emitter.assertions()));
      module->setAttr(tile_gpu::kRemarksAttr, strings(emitter.remarks()));
    }
  }

 private:
  const GpuTarget& target_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_convert_tile_gpu(const GpuTarget& target) { return std::make_unique<ConvertTileGpu>(target); }

}  // namespace tilewright::gpu
