#include "compiler/targets/nvidia/nvidia_backend.h"

#include "compiler/targets/gpu_module.h"
#include "compiler/targets/nvidia/assemble.h"
#include "compiler/targets/nvidia/codegen.h"
#include "compiler/targets/nvidia/cuda_functions.h"
#include "compiler/targets/nvidia/nvidia_gpu.h"
#include "compiler/targets/nvidia/nvidia_pipeline.h"
#include "compiler/targets/nvidia/nvidia_target.h"
#include "compiler/targets/nvidia/occupancy.h"
#include "runtime/support/error.h"
#include "runtime/support/log.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

#include "llvm/Support/raw_ostream.h"

namespace tilewright::nvidia {

namespace {

// What makes machine code of a kernel that calls these functions. Null where the driver has to do it, which `problem` explains.
std::shared_ptr<const PtxAssembler> tool_for(const std::string& ptx, const std::vector<CudaFunction>& functions, std::string& problem) {
  if (functions.empty()) {
    auto found = assembler(problem);
    // It would ignore the register budgets of roles and serialise products, which the driver does not.
    if (!found || !found->links() || ptx.find("wgmma.") == std::string::npos) return found;
    problem = found->description() + " serialises products of groups of warps, and ptxas is not here";
    return nullptr;
  }
  if (auto found = linker(problem)) return found;
  throw Error(3310, "a call of the CUDA function '" + functions.front().name + "' needs a linker of PTX, and there is none: " + problem, functions.front().where)
      .help("install a CUDA toolkit, or the Python packages nvidia-nvjitlink and nvidia-cuda-nvrtc");
}

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

class NvidiaBackend : public Target {
 public:
  explicit NvidiaBackend(NvidiaTarget target) : target_(std::move(target)), gpu_(target_) {}

  const std::string& name() const override { return target_.name; }
  std::string describe() const override {
    std::string problem;
    const std::shared_ptr<const PtxAssembler> tool = assembler(problem);
    return target_.name + " " + target_.features + ", " + (tool ? tool->description() : "PTX");
  }

  std::initializer_list<std::string_view> languages() const override {
    static const std::initializer_list<std::string_view> languages = {"cuda"};
    return languages;
  }
  bool has_roles() const override { return target_.has_roles; }
  void start_tools() const override { start_search(); }

  const std::vector<CompileLevel>& levels() const override {
    static const std::vector<CompileLevel> levels = {
        {.name = "gpu", .comment = "//"},
        {.name = "llvm", .comment = ";"},
        {.name = "ptx", .comment = "//", .is_default = true},
        {.name = "cubin", .comment = {}, .is_binary = true},
        {.name = "sass", .comment = "//"},
    };
    return levels;
  }

  void prepare(mlir::MLIRContext& context) const override {
    mlir::registerBuiltinDialectTranslation(context);
    mlir::registerLLVMDialectTranslation(context);
    mlir::registerNVVMDialectTranslation(context);
  }

  void build_pipeline(mlir::OpPassManager& passes, std::string_view level) const override {
    nvidia::build_pipeline(passes, gpu_, level == "gpu" ? Stage::Gpu : Stage::Llvm);
  }

  std::vector<char> generate(mlir::ModuleOp module, std::string_view level, std::vector<PhaseTime>& phases) const override {
    const auto bytes = [](const std::string& text) { return std::vector<char>(text.begin(), text.end()); };
    if (level == "gpu") return bytes(print(module));
    if (level == "llvm") return bytes(nvidia::generate(module, target_, Output::LlvmIr, phases));
    const std::string ptx = nvidia::generate(module, target_, Output::Ptx, phases);
    if (level == "ptx") return bytes(ptx);
    GpuModule gpu = read_gpu_module(module);
    const std::string kernel = gpu.kernel.getName().str();
    std::string problem;
    const std::vector<CudaFunction> functions = cuda_functions(module);
    const auto tool = tool_for(ptx, functions, problem);
    if (!tool)
      throw Error(3310, "level '" + std::string(level) + "' needs an assembler of PTX, and there is none: " + problem)
          .help("install a CUDA toolkit, or ptxas alone; --emit ptx needs neither");
    AssembledPtx assembled = timed(phases, "assembly", [&] { return assemble(*tool, kernel, ptx, functions, gpu.warps * kWarpSize, target_); });
    return level == "cubin" ? std::move(assembled.cubin) : bytes(disassemble(assembled.cubin));
  }

  void fill(Artifact& artifact, mlir::ModuleOp module) const override {
    const std::string ptx = nvidia::generate(module, target_, Output::Ptx, artifact.phases);
    GpuModule gpu = read_gpu_module(module);
    artifact.entry = gpu.kernel.getName().str();
    artifact.launch.threads = gpu.warps * kWarpSize;
    artifact.launch.shared_bytes = gpu.shared_bytes;
    artifact.launch.overlaps_previous = target_.overlaps_launches;
    artifact.assertions = std::move(gpu.assertions);
    artifact.maps = std::move(gpu.maps);
    artifact.remarks.insert(artifact.remarks.end(), gpu.remarks.begin(), gpu.remarks.end());
    artifact.usage.shared_bytes = gpu.shared_bytes;

    std::string problem;
    const std::vector<CudaFunction> functions = cuda_functions(module);
    const std::shared_ptr<const PtxAssembler> tool = timed(artifact.phases, "finding an assembler", [&] { return tool_for(ptx, functions, problem); });
    if (!tool) {
      artifact.code.assign(ptx.begin(), ptx.end());
      artifact.remarks.push_back("left as PTX, which the driver assembles: " + problem);
      return;
    }
    AssembledPtx assembled = timed(artifact.phases, "assembly", [&] { return assemble(*tool, artifact.kernel, ptx, functions, artifact.launch.threads, target_); });
    log(LogLevel::Debug, "'" + artifact.kernel + "', " + tool->description() + ": " + assembled.log);
    artifact.code = std::move(assembled.cubin);
    artifact.assembler = tool->description();
    for (const PtxUsage& usage : assembled.kernels) {
      if (usage.entry == artifact.entry) record_usage(artifact, usage);
    }
    for (std::string& remark : remarks_of(assembled.log)) artifact.remarks.push_back(std::move(remark));
  }

 private:
  void record_usage(Artifact& artifact, const PtxUsage& usage) const {
    ResourceUsage& out = artifact.usage;
    out.registers = usage.registers;
    out.barriers = usage.barriers;
    out.stack_bytes = usage.stack_bytes;
    out.spill_store_bytes = usage.spill_store_bytes;
    out.spill_load_bytes = usage.spill_load_bytes;
    out.shared_bytes = usage.shared_bytes + artifact.launch.shared_bytes;
    const Occupancy resident = occupancy(target_, artifact.launch.threads, usage.registers, out.shared_bytes);
    out.resident_blocks = resident.blocks;
    out.occupancy = resident.fraction;
    out.occupancy_limit = resident.limit;
    if (usage.spill_store_bytes + usage.spill_load_bytes > 0) {
      artifact.remarks.push_back("registers spilled: " + std::to_string(usage.spill_store_bytes) + " bytes stored and " +
                                 std::to_string(usage.spill_load_bytes) + " loaded by each thread");
    }
  }

  NvidiaTarget target_;
  NvidiaGpu gpu_;
};

}  // namespace

void start_tools() { start_search(); }

std::unique_ptr<const Target> make_target(std::string_view name) { return std::make_unique<NvidiaBackend>(resolve_target(name)); }

}  // namespace tilewright::nvidia
