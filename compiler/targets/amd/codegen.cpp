#include "compiler/targets/amd/codegen.h"

#include "compiler/targets/amd/link.h"
#include "compiler/targets/debug_lines.h"
#include "compiler/targets/gpu_module.h"
#include "compiler/targets/llvm_errors.h"
#include "compiler/targets/position.h"
#include "runtime/support/error.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>
#include <mutex>

extern "C" {
void LLVMInitializeAMDGPUTarget();
void LLVMInitializeAMDGPUTargetInfo();
void LLVMInitializeAMDGPUTargetMC();
void LLVMInitializeAMDGPUAsmPrinter();
}

namespace tilewright::amd {

namespace {

void initialise_llvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
  });
}

std::unique_ptr<llvm::TargetMachine> target_machine(const AmdTarget& target) {
  initialise_llvm();
  const llvm::Triple triple("amdgcn-amd-amdhsa");
  std::string message;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!found) throw Error(9311, "LLVM has no AMDGPU back end: " + message);
  std::unique_ptr<llvm::TargetMachine> machine(
      found->createTargetMachine(triple, target.name, "", llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine) throw Error(9311, "LLVM cannot make code for " + target.name);
  return machine;
}

// The entry's calling convention, and its number of threads, with which LLVM decides about registers.
void mark_kernel(llvm::Module& module, llvm::StringRef name, int threads) {
  llvm::Function* kernel = module.getFunction(name);
  if (kernel == nullptr) throw Error(9312, "translation to LLVM IR lost kernel '" + name.str() + "'");
  kernel->setCallingConv(llvm::CallingConv::AMDGPU_KERNEL);
  kernel->setVisibility(llvm::GlobalValue::ProtectedVisibility);
  kernel->addFnAttr("amdgpu-flat-work-group-size", std::to_string(threads) + "," + std::to_string(threads));
  kernel->addFnAttr("uniform-work-group-size", "true");
  llvm::LLVMContext& context = module.getContext();
  const auto extent = [&](int size) { return llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), size)); };
  kernel->setMetadata("reqd_work_group_size", llvm::MDNode::get(context, {extent(threads), extent(1), extent(1)}));
}

// Tiles are unrolled and vectorised already, and in order. What does not change in a loop stays in it here: the code generator moves it out while registers are left, whereas the usual
// pipeline would fill them with the addresses of shared memory.
void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  constexpr llvm::StringLiteral kPasses =
      "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,infer-address-spaces,gvn,instcombine<no-verify-fixpoint>,simplifycfg,adce),globaldce,amdgpu-attributor";
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, kPasses)) throw Error(9313, "LLVM's passes for AMDGPU: " + llvm::toString(std::move(error)));
  passes.run(module, modules);
}

// There is no library of functions on the device.
void check_calls(const llvm::Module& module, const std::string& target) {
  for (const llvm::Function& function : module) {
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      throw Error(2300, "the code for " + target + " calls a function '" + function.getName().str() + "', which does not exist there");
  }
}

std::vector<char> print(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return {text.begin(), text.end()};
}

std::vector<char> emit(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type)) throw Error(9313, "LLVM cannot emit code for AMDGPU");
  passes.run(module);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::vector<char> generate(mlir::ModuleOp source, const AmdTarget& target, Output output, std::vector<PhaseTime>& phases) {
  check_lowered(source, {"llvm", "rocdl"}, target.name);
  GpuModule gpu = read_gpu_module(source);
  check_limits(gpu, target.name, target.shared_bytes, target.max_threads / target.lanes);
  const std::string doing = "code generation for " + target.name + " failed";

  llvm::LLVMContext context;
  const LlvmDiagnostics diagnostics(context);
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
  std::vector<char> code;
  guard_llvm(2300, doing, [&] {
    timed(phases, "translation", [&] {
      machine = target_machine(target);
      add_debug_lines(source);
      module = mlir::translateModuleToLLVMIR(source, context, gpu.kernel.getName());
      if (!module) throw Error(9312, "translation to LLVM IR failed for kernel '" + gpu.kernel.getName().str() + "'");
      module->setTargetTriple(machine->getTargetTriple());
      module->setDataLayout(machine->createDataLayout());
      mark_kernel(*module, gpu.kernel.getName(), gpu.warps * target.lanes);
    });
    timed(phases, "optimisation", [&] { optimise(*module, *machine); });
    diagnostics.throw_if_failed(2300, doing);
    check_calls(*module, target.name);
    if (output == Output::LlvmIr) {
      code = print(*module);
    } else {
      const auto type = output == Output::Assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
      code = timed(phases, "instruction selection", [&] { return emit(*module, *machine, type); });
    }
  });
  diagnostics.throw_if_failed(2300, doing);
  return output == Output::CodeObject ? timed(phases, "linking", [&] { return link_code_object(code); }) : code;
}

}  // namespace tilewright::amd
