#include "compiler/targets/amd/amd_backend.h"

#include "compiler/targets/amd/amd_gpu.h"
#include "compiler/targets/amd/amd_pipeline.h"
#include "compiler/targets/amd/amd_target.h"
#include "compiler/targets/amd/code_object.h"
#include "compiler/targets/amd/codegen.h"
#include "compiler/targets/gpu_module.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"

#include "llvm/Support/raw_ostream.h"

namespace tilewright::amd {

namespace {

std::vector<char> print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return {text.begin(), text.end()};
}

class AmdBackend : public Target {
 public:
  explicit AmdBackend(AmdTarget target) : target_(std::move(target)), gpu_(target_) {}

  const std::string& name() const override { return target_.name; }
  std::string describe() const override { return target_.name; }

  const std::vector<CompileLevel>& levels() const override {
    static const std::vector<CompileLevel> levels = {
        {.name = "gpu", .comment = "//"},
        {.name = "llvm", .comment = ";"},
        {.name = "asm", .comment = ";", .is_default = true},
        {.name = "hsaco", .comment = {}, .is_binary = true},
    };
    return levels;
  }

  void prepare(mlir::MLIRContext& context) const override {
    mlir::registerBuiltinDialectTranslation(context);
    mlir::registerLLVMDialectTranslation(context);
    mlir::registerROCDLDialectTranslation(context);
  }

  void build_pipeline(mlir::OpPassManager& passes, std::string_view level) const override {
    amd::build_pipeline(passes, gpu_, level == "gpu" ? Stage::Gpu : Stage::Llvm);
  }

  std::vector<char> generate(mlir::ModuleOp module, std::string_view level, std::vector<PhaseTime>& phases) const override {
    if (level == "gpu") return print(module);
    return amd::generate(module, target_, level == "llvm" ? Output::LlvmIr : level == "asm" ? Output::Assembly : Output::CodeObject, phases);
  }

  void fill(Artifact& artifact, mlir::ModuleOp module) const override {
    artifact.code = amd::generate(module, target_, Output::CodeObject, artifact.phases);
    GpuModule gpu = read_gpu_module(module);
    artifact.entry = gpu.kernel.getName().str();
    artifact.launch.threads = gpu.warps * target_.lanes;
    artifact.launch.shared_bytes = gpu.shared_bytes;
    artifact.assertions = std::move(gpu.assertions);
    artifact.remarks.insert(artifact.remarks.end(), gpu.remarks.begin(), gpu.remarks.end());
    record_usage(artifact, read_code_object(artifact.code));
  }

 private:
  static void record_usage(Artifact& artifact, const CodeObjectFacts& facts) {
    constexpr std::uint64_t kRegisterBytes = 4;
    ResourceUsage& out = artifact.usage;
    out.registers = facts.vector_registers;
    out.stack_bytes = facts.scratch_bytes;
    out.spill_store_bytes = out.spill_load_bytes = kRegisterBytes * static_cast<std::uint64_t>(facts.spilled_vector_registers);
    out.shared_bytes = facts.shared_bytes + artifact.launch.shared_bytes;
    if (facts.spilled_vector_registers > 0) artifact.remarks.push_back("registers spilled: " + std::to_string(facts.spilled_vector_registers) + " of each thread");
  }

  AmdTarget target_;
  AmdGpu gpu_;
};

}  // namespace

std::unique_ptr<const Target> make_target(std::string_view name) { return std::make_unique<AmdBackend>(resolve_target(name)); }

}  // namespace tilewright::amd
