#include "compiler/targets/nvidia/codegen.h"

#include "compiler/targets/debug_lines.h"
#include "compiler/targets/gpu_module.h"
#include "compiler/targets/llvm_errors.h"
#include "compiler/targets/nvidia/cuda_functions.h"
#include "compiler/targets/nvidia/occupancy.h"
#include "compiler/targets/position.h"
#include "runtime/support/error.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <algorithm>
#include <memory>
#include <mutex>

extern "C" {
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace tilewright::nvidia {

namespace {

void initialise_llvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

std::unique_ptr<llvm::TargetMachine> target_machine(const NvidiaTarget& target) {
  initialise_llvm();
  const llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string message;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!found) throw Error(9311, "LLVM has no NVPTX back end: " + message);
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(triple, target.name, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
                                                                          llvm::CodeGenOptLevel::Aggressive));
  if (!machine) throw Error(9311, "LLVM cannot make code for " + target.name);
  return machine;
}

// The entry's calling convention, and its number of threads, with which the assembler decides about registers.
void mark_kernel(llvm::Module& module, llvm::StringRef name, int warps, std::uint64_t shared_bytes, const NvidiaTarget& target) {
  llvm::Function* kernel = module.getFunction(name);
  if (kernel == nullptr) throw Error(9312, "translation to LLVM IR lost kernel '" + name.str() + "'");
  kernel->setCallingConv(llvm::CallingConv::PTX_Kernel);
  kernel->addFnAttr("nvvm.reqntid", std::to_string(warps * kWarpSize));
  // What is passed by value is read where it lies, not copied for each thread.
  bool has_roles = false;
  for (llvm::Argument& argument : kernel->args()) {
    if (!argument.hasByValAttr()) continue;
    argument.addAttr(llvm::Attribute::get(module.getContext(), "nvvm.grid_constant"));
    has_roles = true;
  }
  // As many blocks share a multiprocessor as when threads take all the registers they may: told nothing, ptxas has been seen to spill below that limit. Roles change their numbers of registers, so one block is
  // to have all of them.
  kernel->addFnAttr("nvvm.minctasm", std::to_string(has_roles ? 1 : std::max(1, occupancy(target, warps * kWarpSize, target.max_registers, shared_bytes).blocks)));
}

// First of all the kernel waits for the one before it in its stream (LaunchShape::overlaps_previous), and then lets the next one start: its blocks come as soon as these leave room.
void begin_after_previous(llvm::Module& module, llvm::StringRef name) {
  llvm::IRBuilder<> b(&*module.getFunction(name)->getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
  auto* type = llvm::FunctionType::get(b.getVoidTy(), false);
  b.CreateCall(llvm::InlineAsm::get(type, "griddepcontrol.wait; griddepcontrol.launch_dependents;", "~{memory}", /*hasSideEffects=*/true));
}

// Tiles are unrolled and vectorised already.
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
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

std::string print(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

std::string emit_ptx(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile)) throw Error(9313, "LLVM cannot emit PTX");
  passes.run(module);
  return text.str().str();
}

// LLVM turns what it has no instructions for into calls of functions that nobody has. The driver offers vprintf only; `linked` are there when the kernel is linked.
void check_calls(const std::string& ptx, const std::vector<CudaFunction>& linked, const std::string& target) {
  constexpr std::string_view kExtern = ".extern .func";
  for (std::size_t at = ptx.find(kExtern); at != std::string::npos; at = ptx.find(kExtern, at + 1)) {
    std::size_t start = ptx.find_first_not_of(" \t\n", at + kExtern.size());
    if (ptx[start] == '(') start = ptx.find_first_not_of(" \t\n", ptx.find(')', start) + 1);  // behind the results
    const std::string name = ptx.substr(start, ptx.find_first_of(" \t\n(;", start) - start);
    if (name == "vprintf" || std::any_of(linked.begin(), linked.end(), [&](const CudaFunction& function) { return function.symbol == name; })) continue;
    throw Error(2300, "the code for " + target + " calls a function '" + name + "', which does not exist there");
  }
}

}  // namespace

std::string generate(mlir::ModuleOp source, const NvidiaTarget& target, Output output, std::vector<PhaseTime>& phases) {
  check_lowered(source, {"llvm", "nvvm"}, target.name);
  GpuModule gpu = read_gpu_module(source);
  check_limits(gpu, target.name, target.shared_bytes, target.max_threads / kWarpSize);
  const std::string doing = "code generation for " + target.name + " failed";

  llvm::LLVMContext context;
  const LlvmDiagnostics diagnostics(context);
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
  std::string text;
  guard_llvm(2300, doing, [&] {
    timed(phases, "translation", [&] {
      machine = target_machine(target);
      add_debug_lines(source);
      module = mlir::translateModuleToLLVMIR(source, context, gpu.kernel.getName());
      if (!module) throw Error(9312, "translation to LLVM IR failed for kernel '" + gpu.kernel.getName().str() + "'");
      module->setTargetTriple(machine->getTargetTriple());
      module->setDataLayout(machine->createDataLayout());
      mark_kernel(*module, gpu.kernel.getName(), gpu.warps, gpu.shared_bytes, target);
      if (target.overlaps_launches) begin_after_previous(*module, gpu.kernel.getName());
    });
    timed(phases, "optimisation", [&] { optimise(*module, *machine); });
    diagnostics.throw_if_failed(2300, doing);
    text = output == Output::LlvmIr ? print(*module) : timed(phases, "instruction selection", [&] { return emit_ptx(*module, *machine); });
  });
  diagnostics.throw_if_failed(2300, doing);
  if (output == Output::Ptx) check_calls(text, cuda_functions(source), target.name);
  return text;
}

}  // namespace tilewright::nvidia
