// tilewright-opt: reads MLIR with the project's dialects, runs passes given on the command line, prints the result.
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/ir/TileDialect.h"
#include "compiler/pipelines/cpu_pipeline.h"
#include "compiler/pipelines/tile_pipeline.h"
#include "compiler/targets/cpu/lowering/passes.h"
#include "compiler/targets/nvidia/nvidia_gpu.h"
#include "compiler/transforms/passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

namespace {

using namespace tilewright;

// The passes and pipelines of the project by name. Those of the CPU target compile for x86-64-v4, so that what they print does not depend on the machine; those of the GPU level for sm_90a.
void register_project() {
  static const cpu::CpuTarget target = cpu::resolve_target("x86-64-v4");
  static const nvidia::NvidiaGpu gpu_target(nvidia::resolve_target("sm_90a"));
  register_transforms();
  mlir::registerPass([] { return gpu::create_assign_layouts(gpu_target); });
  mlir::registerPass([] { return gpu::create_sink_past_loops(); });
  mlir::registerPass([] { return gpu::create_split_roles(gpu_target); });
  mlir::registerPass([] { return gpu::create_overlap_products(gpu_target); });
  mlir::registerPass([] { return gpu::create_begin_products(gpu_target); });
  mlir::registerPass([] { return gpu::create_stage_loads(gpu_target); });
  mlir::registerPass([] { return gpu::create_convert_tile_gpu(gpu_target); });
  mlir::registerPass([] { return gpu::create_allocate_shared(gpu_target); });
  mlir::registerPass([] { return gpu::create_insert_barriers(gpu_target); });
  mlir::registerPass([] { return gpu::create_check_shared(); });
  mlir::registerPass([] { return cpu::create_convert_tile_to_cpu(target); });
  mlir::registerPass([] { return create_expand_math(); });
  mlir::PassPipelineRegistration<>("tile-pipeline", "What every target does first: the same kernel, said with less", build_tile_pipeline);
  mlir::PassPipelineRegistration<>("cpu-pipeline", "From tiles to the LLVM dialect, for x86-64-v4",
                                   [](mlir::OpPassManager& passes) { build_cpu_pipeline(passes, target); });
}

}  // namespace

int main(int argc, char** argv) {
  mlir::DialectRegistry registry;
  registry.insert<tilewright::tile::TileDialect, tilewright::tile_gpu::TileGpuDialect, mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  mlir::registerTransformsPasses();
  mlir::registerConversionPasses();
  register_project();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Tilewright's optimizer driver\n", registry));
}
