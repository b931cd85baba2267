#include "compiler/targets/cpu/cpu_backend.h"

#include "compiler/pipelines/cpu_pipeline.h"
#include "compiler/targets/cpu/codegen.h"
#include "compiler/targets/cpu/cpu_target.h"
#include "compiler/targets/cpu/lowering/passes.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

namespace tilewright::cpu {

namespace {

class CpuBackend : public Target {
 public:
  explicit CpuBackend(CpuTarget target) : target_(std::move(target)) {}

  const std::string& name() const override { return target_.name; }
  std::string describe() const override { return cpu::describe(target_); }
  bool keeps_positions() const override { return false; }

  const std::vector<CompileLevel>& levels() const override {
    static const std::vector<CompileLevel> levels = {{.name = "llvm", .comment = ";"}, {.name = "asm", .comment = "#", .is_default = true}};
    return levels;
  }

  void prepare(mlir::MLIRContext& context) const override {
    mlir::registerBuiltinDialectTranslation(context);
    mlir::registerLLVMDialectTranslation(context);
  }

  void build_pipeline(mlir::OpPassManager& passes, std::string_view) const override { build_cpu_pipeline(passes, target_); }

  std::vector<char> generate(mlir::ModuleOp module, std::string_view level, std::vector<PhaseTime>& phases) const override {
    return timed(phases, "code", [&] { return cpu::generate(module, target_, level == "llvm" ? Output::LlvmIr : Output::Assembly); });
  }

  void fill(Artifact& artifact, mlir::ModuleOp module) const override {
    for (mlir::Operation& op : *module.getBody()) {
      if (auto bytes = op.getAttrOfType<mlir::IntegerAttr>(kScratchBytesAttr)) artifact.scratch_bytes = bytes.getInt();
      if (auto remarks = op.getAttrOfType<mlir::ArrayAttr>(kRemarksAttr)) {
        for (auto remark : remarks.getAsRange<mlir::StringAttr>()) artifact.remarks.push_back(remark.str());
      }
    }
    artifact.code = timed(artifact.phases, "code", [&] { return cpu::generate(module, target_, Output::Object); });
  }

 private:
  CpuTarget target_;
};

}  // namespace

std::vector<std::string> target_names() { return {"host", "x86-64-v2", "x86-64-v3", "x86-64-v4"}; }

std::unique_ptr<const Target> make_target(std::string_view name) { return std::make_unique<CpuBackend>(resolve_target(name)); }

}  // namespace tilewright::cpu
