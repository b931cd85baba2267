#include "compiler/compiler.h"

#include "compiler/import/import.h"
#include "compiler/pipelines/cpu_pipeline.h"
#include "compiler/targets/cpu/codegen.h"
#include "compiler/targets/cpu/lowering/passes.h"
#include "runtime/support/error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace tilewright {

namespace {

SourcePosition position_of(mlir::Location location) {
  SourcePosition position;
  location->walk([&](mlir::Location part) {
    auto file = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file) return mlir::WalkResult::advance();
    position = {file.getFilename().str(), file.getLine(), file.getColumn()};
    return mlir::WalkResult::interrupt();
  });
  return position;
}

// Hands the module to a caller after the passes it named.
class Dumper : public mlir::PassInstrumentation {
 public:
  explicit Dumper(const CompileOptions& options) : options_(options) {}

  void runAfterPass(mlir::Pass* pass, mlir::Operation* op) override {
    const llvm::StringRef name = pass->getArgument();
    if (options_.dump_after != "all" && name != options_.dump_after) return;
    std::string text;
    llvm::raw_string_ostream stream(text);
    op->print(stream);
    options_.dump(std::string_view(name.data(), name.size()), text);
  }

 private:
  const CompileOptions& options_;
};

// One compilation: its context, and the first error its passes reported.
class Compilation {
 public:
  explicit Compilation(const CompileOptions& options) : options_(options), target_(cpu::resolve_target(options.target)) {
    context_.disableMultithreading();
    mlir::registerBuiltinDialectTranslation(context_);
    mlir::registerLLVMDialectTranslation(context_);
    context_.getDiagEngine().registerHandler([this](mlir::Diagnostic& diagnostic) {
      if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error || !message_.empty()) return mlir::success();
      message_ = diagnostic.str();
      where_ = position_of(diagnostic.getLocation());
      return mlir::success();
    });
  }

  mlir::ModuleOp import(const program::Program& program) {
    module_ = import_program(context_, program);
    return *module_;
  }

  void lower() {
    mlir::PassManager passes(&context_);
    if (options_.dump && !options_.dump_after.empty()) passes.addInstrumentation(std::make_unique<Dumper>(options_));
    build_cpu_pipeline(passes, target_);
    if (mlir::failed(passes.run(*module_))) throw Error(2300, message_.empty() ? "lowering to the CPU failed" : message_, where_);
  }

  std::vector<char> generate(cpu::Output output) { return cpu::generate(*module_, target_, output); }
  const cpu::CpuTarget& target() const { return target_; }
  mlir::ModuleOp module() { return *module_; }

 private:
  const CompileOptions& options_;
  cpu::CpuTarget target_;
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::string message_;
  SourcePosition where_;
};

class MlirCompiler final : public Compiler {
 public:
  Artifact compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) override {
    const auto start = std::chrono::steady_clock::now();
    Compilation compilation(options);
    compilation.import(*program);
    compilation.lower();
    Artifact artifact;
    artifact.kernel = artifact.entry = program->name;
    artifact.target = compilation.target().name;
    for (mlir::Operation& op : *compilation.module().getBody()) {
      if (auto bytes = op.getAttrOfType<mlir::IntegerAttr>(cpu::kScratchBytesAttr)) artifact.scratch_bytes = bytes.getInt();
      if (auto remarks = op.getAttrOfType<mlir::ArrayAttr>(cpu::kRemarksAttr)) {
        for (auto remark : remarks.getAsRange<mlir::StringAttr>()) artifact.remarks.push_back(remark.str());
      }
    }
    artifact.code = compilation.generate(cpu::Output::Object);
    artifact.program = std::move(program);
    artifact.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return artifact;
  }

  std::string emit(const program::Program& program, const CompileOptions& options, std::string_view level) override {
    Compilation compilation(options);
    mlir::ModuleOp module = compilation.import(program);
    if (level == "tile") {
      std::string text;
      llvm::raw_string_ostream stream(text);
      module.print(stream);
      return text;
    }
    if (level != "llvm" && level != "asm") throw Error(2002, "no such level '" + std::string(level) + "'").help("levels: tile, llvm, asm");
    compilation.lower();
    const std::vector<char> text = compilation.generate(level == "llvm" ? cpu::Output::LlvmIr : cpu::Output::Assembly);
    return {text.begin(), text.end()};
  }

  std::string version() const override { return "LLVM " LLVM_VERSION_STRING; }

  std::string describe_target(std::string_view target) const override { return cpu::describe(cpu::resolve_target(target)); }

  std::shared_ptr<void> load_cpu(const Artifact& artifact, CpuEntry& entry) override { return cpu::load_object(artifact, entry); }
};

}  // namespace

std::unique_ptr<Compiler> make_compiler() { return std::make_unique<MlirCompiler>(); }

}  // namespace tilewright
