#include "compiler/compiler.h"

#include "compiler/build.h"
#include "compiler/import/import.h"
#include "compiler/targets/position.h"
#include "compiler/targets/target.h"
#include "dsl/program/external.h"
#include "dsl/program/roles.h"
#include "runtime/support/error.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace tilewright {

namespace {

std::string print(mlir::Operation* op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream);
  return text;
}

// Hands the module to a caller after the passes it named.
class Dumper : public mlir::PassInstrumentation {
 public:
  explicit Dumper(const CompileOptions& options) : options_(options) {}

  void runAfterPass(mlir::Pass* pass, mlir::Operation* op) override {
    const llvm::StringRef name = pass->getArgument();
    if (options_.dump_after == "all" || name == options_.dump_after) options_.dump(std::string_view(name.data(), name.size()), print(op));
  }

 private:
  const CompileOptions& options_;
};

// One compilation: its context, the first error that its passes reported, and what they warned of.
class Compilation {
 public:
  Compilation(const CompileOptions& options, const Target& target) : options_(options), target_(target) {
    context_.disableMultithreading();
    timed(phases_, "set-up", [&] { target.prepare(context_); });
    context_.getDiagEngine().registerHandler([this](mlir::Diagnostic& diagnostic) {
      const SourcePosition where = position_of(diagnostic.getLocation());
      if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning)
        warnings_.push_back(where.file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) + ": " + diagnostic.str());
      if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error || !message_.empty()) return mlir::success();
      message_ = diagnostic.str();
      where_ = where;
      return mlir::success();
    });
  }

  mlir::ModuleOp import(const program::Program& program) {
    module_ = timed(phases_, "import", [&] { return import_program(context_, program); });
    return *module_;
  }

  mlir::ModuleOp lower(std::string_view level) {
    timed(phases_, "passes", [&] {
      mlir::PassManager passes(&context_);
      // Between passes only for those who look at them; what comes out is verified below.
      passes.enableVerifier(static_cast<bool>(options_.dump));
      if (options_.dump && !options_.dump_after.empty()) passes.addInstrumentation(std::make_unique<Dumper>(options_));
      target_.build_pipeline(passes, level);
      if (mlir::failed(passes.run(*module_)) || mlir::failed(mlir::verify(*module_))) throw failure();
    });
    return *module_;
  }

  std::vector<PhaseTime>& phases() { return phases_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // A pass that knows the code of what it has found begins its message with it: "TW9522: ...".
  Error failure() const {
    constexpr std::size_t kCode = 6;
    if (message_.starts_with("TW") && message_.find(": ") == kCode) return Error(std::stoi(message_.substr(2, 4)), message_.substr(kCode + 2), where_);
    return Error(2300, message_.empty() ? "lowering to " + target_.name() + " failed" : message_, where_);
  }

  const CompileOptions& options_;
  const Target& target_;
  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  std::vector<PhaseTime> phases_;
  std::string message_;
  SourcePosition where_;
  std::vector<std::string> warnings_;
};

std::vector<CompileLevel> levels_of(const Target& target) {
  std::vector<CompileLevel> levels = {{.name = "tile", .comment = "//", .runs_passes = false}};
  levels.insert(levels.end(), target.levels().begin(), target.levels().end());
  return levels;
}

void check_level(const Target& target, std::string_view level) {
  std::string known;
  for (const CompileLevel& candidate : levels_of(target)) {
    if (candidate.name == level) return;
    known += (known.empty() ? "" : ", ") + candidate.name;
  }
  throw Error(2002, "target '" + target.name() + "' has no level '" + std::string(level) + "'").help("levels: " + known);
}

void expect_suitable(const program::Program& program, const Target& target) {
  program::expect_languages(program, target.languages(), "target '" + target.name() + "'");
  if (program::has_roles(program) && !target.has_roles())
    throw Error(2331, "target '" + target.name() + "' has no roles, and '" + program.name + "' was traced with a schedule that has").help("trace the kernel's body: schedule=0");
}

class MlirCompiler final : public Compiler {
 public:
  void expect_devices(std::string_view driver) override { start_tools(driver); }

  Artifact compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) override {
    const auto start = std::chrono::steady_clock::now();
    const std::unique_ptr<const Target> target = make_target(options.target);
    target->start_tools();
    expect_suitable(*program, *target);
    Compilation compilation(options, *target);
    compilation.import(*program);
    mlir::ModuleOp module = compilation.lower({});
    Artifact artifact;
    artifact.kernel = artifact.entry = program->name;
    artifact.target = target->name();
    artifact.phases = std::move(compilation.phases());
    target->fill(artifact, module);
    artifact.remarks.insert(artifact.remarks.end(), compilation.warnings().begin(), compilation.warnings().end());
    artifact.program = std::move(program);
    artifact.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return artifact;
  }

  std::string emit(const program::Program& program, const CompileOptions& options, std::string_view level) override {
    const std::unique_ptr<const Target> target = make_target(options.target);
    check_level(*target, level);
    Compilation compilation(options, *target);
    mlir::ModuleOp module = compilation.import(program);
    if (level == "tile") return print(module);
    expect_suitable(program, *target);
    const std::vector<char> bytes = target->generate(compilation.lower(level), level, compilation.phases());
    return {bytes.begin(), bytes.end()};
  }

  std::vector<std::string> targets() const override { return target_names(); }

  std::vector<CompileLevel> levels(std::string_view target) const override { return levels_of(*make_target(target)); }

  std::string version() const override { return "LLVM " LLVM_VERSION_STRING; }

  std::string describe_target(std::string_view target) const override { return make_target(target)->describe(); }

  std::string build_id() const override {
    static const std::string id = compiler_build();
    return id;
  }

  bool keeps_positions(std::string_view target) const override { return make_target(target)->keeps_positions(); }
};

}  // namespace

std::unique_ptr<Compiler> make_compiler() { return std::make_unique<MlirCompiler>(); }

}  // namespace tilewright
