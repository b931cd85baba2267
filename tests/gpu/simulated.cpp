#include "tests/gpu/simulated.h"

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/pipeline.h"
#include "compiler/gpu/transforms/passes.h"
#include "compiler/import/import.h"
#include "compiler/ir/TileOps.h"
#include "compiler/pipelines/tile_pipeline.h"
#include "compiler/reference/interpreter.h"
#include "compiler/targets/llvm_errors.h"
#include "compiler/targets/position.h"
#include "compiler/transforms/passes.h"
#include "runtime/support/error.h"
#include "tests/fuzz/fault.h"
#include "tests/gpu/simt_target.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"

#include <optional>

namespace tilewright::simt {

namespace LLVM = mlir::LLVM;

namespace {

constexpr llvm::StringLiteral kEntry = "simt_entry";
constexpr const char* kShared = "tile_gpu_shared";
constexpr std::size_t kSharedAlignment = 1024;

void build_pipeline(mlir::OpPassManager& passes, const gpu::GpuTarget& target) {
  build_tile_pipeline(passes);
  gpu::build_gpu_level(passes, target);
  passes.addPass(gpu::create_convert_tile_gpu(target));
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(gpu::create_allocate_shared(target));
  passes.addPass(gpu::create_insert_barriers(target));
  passes.addPass(create_expand_math());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createConvertMathToLibmPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  passes.addPass(gpu::create_check_shared());
}

// Puts the checks of the machine around every access to global and shared memory, but for volatile ones: tiles of channels, which signals put in order.
void watch_accesses(LLVM::LLVMFuncOp kernel) {
  llvm::SmallVector<mlir::Operation*> accesses;
  kernel.walk([&](mlir::Operation* op) {
    auto load = llvm::dyn_cast<LLVM::LoadOp>(op);
    auto store = llvm::dyn_cast<LLVM::StoreOp>(op);
    if ((load && !load.getVolatile_()) || (store && !store.getVolatile_())) accesses.push_back(op);
  });
  for (mlir::Operation* op : accesses) {
    auto load = llvm::dyn_cast<LLVM::LoadOp>(op);
    const mlir::Value address = load ? load.getAddr() : llvm::cast<LLVM::StoreOp>(op).getAddr();
    const mlir::Type type = load ? load.getType() : llvm::cast<LLVM::StoreOp>(op).getValue().getType();
    const auto vector = llvm::dyn_cast<mlir::VectorType>(type);
    const unsigned bits = mlir::getElementTypeOrSelf(type).getIntOrFloatBitWidth() * static_cast<unsigned>(vector ? vector.getNumElements() : 1);
    mlir::OpBuilder b(op);
    const mlir::Location loc = op->getLoc();
    const auto number = [&](std::int32_t value) { return LLVM::ConstantOp::create(b, loc, b.getI32Type(), value).getResult(); };
    const bool is_shared = llvm::cast<LLVM::LLVMPointerType>(address.getType()).getAddressSpace() == 3;
    llvm::SmallVector<mlir::Value> arguments = {LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), address), number(static_cast<std::int32_t>(bits / 8)), number(is_shared)};
    call_hook(b, loc, load ? "simt_load" : "simt_before_store", {}, arguments);
    if (load) continue;
    b.setInsertionPointAfter(op);
    call_hook(b, loc, "simt_after_store", {}, arguments);
  }
}

// A function that takes its arguments from memory.
void add_entry(mlir::ModuleOp module, LLVM::LLVMFuncOp kernel) {
  const mlir::Location loc = kernel.getLoc();
  mlir::OpBuilder b = mlir::OpBuilder::atBlockEnd(module.getBody());
  const mlir::Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto entry = LLVM::LLVMFuncOp::create(b, loc, kEntry, LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer}));
  mlir::Block* block = entry.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  llvm::SmallVector<mlir::Value> arguments;
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
    mlir::Value at = LLVM::GEPOp::create(b, loc, pointer, b.getI64Type(), block->getArgument(0), llvm::ArrayRef<LLVM::GEPArg>{static_cast<std::int32_t>(i)});
    arguments.push_back(LLVM::LoadOp::create(b, loc, b.getI64Type(), at));
  }
  LLVM::CallOp::create(b, loc, kernel, arguments);
  LLVM::ReturnOp::create(b, loc, mlir::ValueRange());
}

template <class T>
T checked(llvm::Expected<T> result) {
  if (!result) throw Error(2301, "loading the simulated kernel: " + llvm::toString(result.takeError()));
  return std::move(*result);
}

void checked(llvm::Error error) {
  if (error) throw Error(2301, "loading the simulated kernel: " + llvm::toString(std::move(error)));
}

class Simulated : public fuzz::Target {
 public:
  Simulated(const Configuration& configuration, DeadCode dead_code) : configuration_(configuration), target_(configuration), dead_code_(dead_code) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  }

  void prepare(const fuzz::Case& test) override {
    jit_.reset();
    machine_.reset();
    mlir::MLIRContext context;
    context.disableMultithreading();
    mlir::registerBuiltinDialectTranslation(context);
    mlir::registerLLVMDialectTranslation(context);
    std::string message;
    SourcePosition where;
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic& diagnostic) {
      if (is_complaint(diagnostic.getSeverity()) && message.empty()) {
        message = diagnostic.str();
        where = position_of(diagnostic.getLocation());
      }
      return mlir::success();
    });

    mlir::OwningOpRef<mlir::ModuleOp> module = import_program(context, test.program);
    module->walk([&](mlir::func::FuncOp function) {
      if (function->hasAttr(tile::kKernelAttr) && !function->hasAttr(tile::kWarpsAttr))
        function->setAttr(tile::kWarpsAttr, mlir::Builder(&context).getI64IntegerAttr(configuration_.warps));
    });
    mlir::PassManager passes(&context);
    build_pipeline(passes, target_);
    if (mlir::failed(passes.run(*module)) || !message.empty()) throw Error(2300, message.empty() ? "lowering failed" : message, where);
    read_attributes(*module);

    LLVM::LLVMFuncOp kernel;
    for (auto function : module->getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr(tile_gpu::kKernelAttr)) kernel = function;
    watch_accesses(kernel);
    add_entry(*module, kernel);
    load(*module);
    machine_.emplace(configuration_, warps_, std::span(shared_->data(), shared_->bytes()));
  }

  std::string run(const fuzz::Case& test, const fuzz::Memory& memory) override {
    const reference::GridIndex grid = reference::Interpreter(test.program).grid(memory.slots());
    std::vector<std::uint64_t> slots(memory.slots(), memory.slots() + memory.slot_count());
    slots.push_back(0);  // the board of assertions
    std::string wrong;
    const fuzz::Fault fault = fuzz::run_catching_faults([&] {
      for (std::int64_t z = 0; z < grid[2] && wrong.empty(); ++z)
        for (std::int64_t y = 0; y < grid[1] && wrong.empty(); ++y)
          for (std::int64_t x = 0; x < grid[0] && wrong.empty(); ++x) wrong = machine_->run(entry_, slots.data(), {x, y, z}, {grid[0], grid[1], grid[2]});
    });
    if (fault.signal != 0) {
      const std::string at = memory.name_of(fault.address, test.program);
      return fault.name() + " at " + (at.empty() ? "an address outside of all tensors" : at);
    }
    if (!wrong.empty()) return wrong;
    const std::vector<int>& failed = machine_->failed_assertions();
    return failed.empty() ? "" : "assertion failed: " + assertions_[failed.front()];
  }

 private:
  // Warnings are of barriers that nothing needs.
  bool is_complaint(mlir::DiagnosticSeverity severity) const {
    return severity == mlir::DiagnosticSeverity::Error || (severity == mlir::DiagnosticSeverity::Warning && dead_code_ == DeadCode::kNone);
  }

  void read_attributes(mlir::ModuleOp module) {
    const auto integer = [&](llvm::StringRef name) { return module->getAttrOfType<mlir::IntegerAttr>(name).getInt(); };
    warps_ = static_cast<int>(integer(tile_gpu::kWarpsAttr));
    shared_.emplace(static_cast<std::size_t>(integer(tile_gpu::kSharedBytesAttr)), fuzz::Placement::AtStart, kSharedAlignment);
    assertions_.clear();
    for (auto text : module->getAttrOfType<mlir::ArrayAttr>(tile_gpu::kAssertionsAttr).getAsRange<mlir::StringAttr>()) assertions_.push_back(text.str());
  }

  void load(mlir::ModuleOp module) {
    auto context = std::make_unique<llvm::LLVMContext>();
    const LlvmDiagnostics diagnostics(*context);
    std::unique_ptr<llvm::Module> translated = mlir::translateModuleToLLVMIR(module, *context);
    if (!translated) throw Error(9302, "translation to LLVM IR failed");
    guard_llvm(2302, "code generation failed", [&] {
      auto machine = checked(llvm::orc::JITTargetMachineBuilder::detectHost());
      machine.setCodeGenOptLevel(llvm::CodeGenOptLevel::None);
      machine.getFeatures().AddFeature("avx512bf16", false);  // flushes subnormals
      jit_ = checked(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(machine)).create());
      translated->setDataLayout(jit_->getDataLayout());
      llvm::orc::JITDylib& library = jit_->getMainJITDylib();
      llvm::orc::SymbolMap symbols;
      const auto define = [&](const char* name, const void* at) {
        symbols[jit_->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(at), llvm::JITSymbolFlags::Exported};
      };
      for (const auto& [name, function] : Machine::hooks()) define(name, function);
      define(kShared, shared_->data());
      checked(library.define(llvm::orc::absoluteSymbols(std::move(symbols))));
      library.addGenerator(checked(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(jit_->getDataLayout().getGlobalPrefix())));
      checked(jit_->addIRModule(llvm::orc::ThreadSafeModule(std::move(translated), std::move(context))));
      entry_ = checked(jit_->lookup(kEntry)).toPtr<Machine::Entry>();
    });
  }

  const Configuration& configuration_;
  SimtTarget target_;
  DeadCode dead_code_;
  std::unique_ptr<llvm::orc::LLJIT> jit_;
  std::optional<fuzz::Guarded> shared_;
  std::optional<Machine> machine_;
  Machine::Entry entry_ = nullptr;
  int warps_ = 0;
  std::vector<std::string> assertions_;
};

}  // namespace

std::unique_ptr<fuzz::Target> simulated_target(const Configuration& configuration, DeadCode dead_code) { return std::make_unique<Simulated>(configuration, dead_code); }

}  // namespace tilewright::simt
