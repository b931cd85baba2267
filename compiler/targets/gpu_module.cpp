#include "compiler/targets/gpu_module.h"

#include "compiler/targets/position.h"
#include "runtime/support/error.h"

namespace tilewright {

namespace {

std::int64_t integer(mlir::ModuleOp module, llvm::StringRef name, std::int64_t otherwise) {
  auto attribute = module->getAttrOfType<mlir::IntegerAttr>(name);
  return attribute ? attribute.getInt() : otherwise;
}

std::vector<std::string> strings(mlir::ModuleOp module, llvm::StringRef name) {
  std::vector<std::string> texts;
  if (auto list = module->getAttrOfType<mlir::ArrayAttr>(name)) {
    for (auto text : list.getAsRange<mlir::StringAttr>()) texts.push_back(text.str());
  }
  return texts;
}

}  // namespace

GpuModule read_gpu_module(mlir::ModuleOp module) {
  GpuModule result;
  for (auto function : module.getOps<mlir::LLVM::LLVMFuncOp>()) {
    if (!function->hasAttr(kGpuKernelAttr)) continue;
    if (result.kernel)
      throw Error(9304, "a lowered module has two kernels, '" + result.kernel.getName().str() + "' and '" + function.getName().str() + "'");
    result.kernel = function;
  }
  if (!result.kernel) throw Error(9304, "a lowered module has no function with " + kGpuKernelAttr.str());
  const std::int64_t warps = integer(module, kGpuWarpsAttr, 0), shared_bytes = integer(module, kGpuSharedBytesAttr, 0);
  if (warps <= 0 || shared_bytes < 0)
    throw Error(9304, "a lowered module has " + std::to_string(warps) + " warps and " + std::to_string(shared_bytes) + " bytes of shared memory");
  result.warps = static_cast<int>(warps);
  result.shared_bytes = static_cast<std::uint64_t>(shared_bytes);
  result.assertions = strings(module, kGpuAssertionsAttr);
  result.remarks = strings(module, kGpuRemarksAttr);
  if (auto maps = module->getAttrOfType<mlir::ArrayAttr>(kGpuMapsAttr)) {
    for (auto map : maps.getAsRange<mlir::DenseI64ArrayAttr>()) {
      const llvm::ArrayRef<std::int64_t> numbers = map.asArrayRef();
      result.maps.push_back({static_cast<std::uint32_t>(numbers.front()), {numbers.begin() + 1, numbers.end()}});
    }
  }
  return result;
}

void check_limits(GpuModule& module, const std::string& target, std::uint64_t max_shared_bytes, int max_warps) {
  const std::string kernel = "kernel '" + module.kernel.getName().str() + "'";
  const SourcePosition where = position_of(module.kernel.getLoc());
  if (module.shared_bytes > max_shared_bytes) {
    throw Error(2310, kernel + " needs " + std::to_string(module.shared_bytes) + " bytes of shared memory; a block has at most " + std::to_string(max_shared_bytes) + " on " + target, where)
        .help("take smaller tiles or fewer pipeline stages");
  }
  if (module.warps > max_warps)
    throw Error(2311, kernel + " has blocks of " + std::to_string(module.warps) + " warps; a block has at most " + std::to_string(max_warps) + " on " + target, where);
}

void check_lowered(mlir::ModuleOp module, llvm::ArrayRef<llvm::StringRef> lowered, const std::string& target) {
  module.walk([&](mlir::Operation* op) {
    if (op == module || llvm::is_contained(lowered, op->getName().getDialectNamespace())) return;
    throw Error(2300, "'" + op->getName().getStringRef().str() + "' cannot be compiled for " + target, position_of(op->getLoc()));
  });
}

}  // namespace tilewright
