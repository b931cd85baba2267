#include "compiler/targets/cpu/codegen.h"

#include "compiler/targets/llvm_errors.h"
#include "runtime/support/error.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

namespace tilewright::cpu {

namespace {

void initialise_llvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

std::unique_ptr<llvm::TargetMachine> target_machine(const CpuTarget& target) {
  initialise_llvm();
  const llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!found) throw Error(9301, "LLVM has no x86-64 back end: " + message);
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                                                          llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  if (!machine) throw Error(9301, "LLVM cannot make code for " + describe(target));
  return machine;
}

// The code is vectorised already: the pipeline cleans up and schedules.
void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

}  // namespace

std::vector<char> generate(mlir::ModuleOp source, const CpuTarget& target, Output output) {
  const std::unique_ptr<llvm::TargetMachine> machine = target_machine(target);
  llvm::LLVMContext context;
  const LlvmDiagnostics diagnostics(context);
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(source, context);
  if (!module) throw Error(9302, "translation to LLVM IR failed");
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  for (llvm::Function& function : *module) {
    if (function.isDeclaration()) continue;
    if (target.vector_bits == 512) function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("min-legal-vector-width", std::to_string(target.vector_bits));
  }
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  guard_llvm(2302, "code generation failed", [&] {
    optimise(*module, *machine);
    if (output == Output::LlvmIr) {
      module->print(stream, nullptr);
      return;
    }
    llvm::legacy::PassManager passes;
    const auto type = output == Output::Object ? llvm::CodeGenFileType::ObjectFile : llvm::CodeGenFileType::AssemblyFile;
    if (machine->addPassesToEmitFile(passes, stream, nullptr, type)) throw Error(9303, "LLVM cannot emit this kind of file for x86-64");
    passes.run(*module);
  });
  diagnostics.throw_if_failed(2302, "code generation failed");
  return {bytes.begin(), bytes.end()};
}

}  // namespace tilewright::cpu
