// The simulated libcuda: modules, and kernels as they run on the host.
#include "tests/runtime/cuda_simulation.h"

#include <cstdlib>
#include <cstring>
#include <memory>

using namespace tilewright::testing::simulation;
using namespace tilewright::cuda;

namespace {

// ---- the kernels

std::int64_t signed_of(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

CUresult run_count(const std::uint64_t* args, const std::int64_t* id, const std::int64_t* num) {
  const std::int64_t n = id[0] + num[0] * (id[1] + num[1] * id[2]);
  if (n < signed_of(args[1])) reinterpret_cast<std::int64_t*>(args[0])[n * signed_of(args[2])] += n + 1;
  return CUDA_SUCCESS;
}

CUresult run_copy(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*) {
  const auto* x = reinterpret_cast<const std::uint32_t*>(args[0]);
  auto* y = reinterpret_cast<std::uint32_t*>(args[5]);
  for (std::int64_t j = id[1] * 16; j < id[1] * 16 + 16 && j < signed_of(args[2]); ++j)
    y[id[0] * signed_of(args[8]) + j * signed_of(args[9])] = x[id[0] * signed_of(args[3]) + j * signed_of(args[4])];
  return CUDA_SUCCESS;
}

CUresult run_bound(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*) {
  const std::int64_t x = reinterpret_cast<const std::int64_t*>(args[0])[id[0] * signed_of(args[2])];
  if (x >= signed_of(args[3])) *reinterpret_cast<std::uint32_t*>(args[4]) = 1;
  return CUDA_SUCCESS;
}

CUresult run_vector_add(const std::uint64_t* args, const std::int64_t* id, const std::int64_t*) {
  for (std::int64_t i = id[0] * 128; i < id[0] * 128 + 128 && i < signed_of(args[7]); ++i) {
    reinterpret_cast<float*>(args[6])[i * signed_of(args[8])] =
        reinterpret_cast<const float*>(args[0])[i * signed_of(args[2])] + reinterpret_cast<const float*>(args[3])[i * signed_of(args[5])];
  }
  return CUDA_SUCCESS;
}

// Returns at once, whatever it is given.
CUresult run_twenty(const std::uint64_t*, const std::int64_t*, const std::int64_t*) { return CUDA_SUCCESS; }

CUresult run_fault(const std::uint64_t*, const std::int64_t*, const std::int64_t*) { return CUDA_ERROR_ILLEGAL_ADDRESS; }

const std::map<std::string, Kernel>& kernels() {
  static const std::map<std::string, Kernel> known = {
      {"count", run_count}, {"copy", run_copy}, {"bound", run_bound}, {"vector_add", run_vector_add},
      {"twenty", run_twenty}, {"fault", run_fault}};
  return known;
}

// The number in brackets after `name`, 0 without one.
std::size_t extent_after(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + "[");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size() + 1, nullptr, 10);
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

extern "C" {

// ---- code

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, CUjitOption* options, void** values) {
  SIMULATED_IN_CONTEXT();
  const std::string text = static_cast<const char*>(image);
  const auto refuse = [&](const std::string& why) {
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER) std::strcpy(static_cast<char*>(values[i]), why.c_str());
    }
    return static_cast<CUresult>(218);
  };
  if (text.find("%undeclared") != std::string::npos) return refuse("ptxas application ptx input, line 7; error   : Unknown symbol '%undeclared'\n");
  auto made = std::make_unique<Module>();
  for (std::size_t at = text.find(".entry "); at != std::string::npos; at = text.find(".entry ", at + 1)) {
    const std::string name = text.substr(at + 7, text.find('(', at) - at - 7);
    const auto kernel = kernels().find(name);
    if (kernel == kernels().end()) return refuse("the simulation has no kernel '" + name + "'\n");
    Function function;
    function.kernel = kernel->second;
    function.context = current();
    function.parameter_bytes = extent_after(text, "args") + 8 * count_of(text, ".param .u64 ");
    function.declared_shared = static_cast<int>(extent_after(text, "declared"));
    made->functions[name] = function;
  }
  *module = reinterpret_cast<CUmodule>(made.get());
  state().modules.insert(made.release());
  return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule handle) {
  SIMULATED_IN_CONTEXT();
  auto* module = known<Module>(state().modules, handle);
  if (module == nullptr) return static_cast<CUresult>(400);
  state().modules.erase(module);
  delete module;
  return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
  SIMULATED_IN_CONTEXT();
  auto* module = known<Module>(state().modules, handle);
  if (module == nullptr) return static_cast<CUresult>(400);
  const auto found = module->functions.find(name);
  if (found == module->functions.end()) return CUDA_ERROR_NOT_FOUND;
  *function = reinterpret_cast<CUfunction>(&found->second);
  return CUDA_SUCCESS;
}

CUresult cuFuncLoad(CUfunction) {
  SIMULATED_IN_CONTEXT();
  return CUDA_SUCCESS;
}

CUresult cuFuncGetParamInfo(CUfunction function, std::size_t index, std::size_t* offset, std::size_t* size) {
  SIMULATED_IN_CONTEXT();
  const auto* own = reinterpret_cast<const Function*>(function);
  if (index > 0 || own->parameter_bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  *offset = 0;
  *size = own->parameter_bytes;
  return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int* value, CUfunctionAttribute attribute, CUfunction function) {
  SIMULATED_IN_CONTEXT();
  const auto* own = reinterpret_cast<const Function*>(function);
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = 512; break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = own->declared_shared; break;
    case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 32; break;
    default: *value = 0; break;
  }
  return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunctionAttribute attribute, int value) {
  SIMULATED_IN_CONTEXT();
  auto* own = reinterpret_cast<Function*>(function);
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
  if (value + own->declared_shared > static_cast<int>(kSharedLimit)) return CUDA_ERROR_INVALID_VALUE;
  own->shared_limit = value;
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction, int threads, std::size_t) {
  SIMULATED_IN_CONTEXT();
  *blocks = 2048 / threads;
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveClusters(int* clusters, CUfunction, const CUlaunchConfig* config) {
  SIMULATED_IN_CONTEXT();
  *clusters = config->attributes[0].cluster.x <= 16 ? 8 : 0;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
  SIMULATED_IN_CONTEXT();
  const auto* own = reinterpret_cast<const Function*>(function);
  if (own->context != current() || parameters != nullptr) return static_cast<CUresult>(400);
  if (config->grid_x == 0 || config->grid_y == 0 || config->grid_z == 0 || config->block_x == 0) return CUDA_ERROR_INVALID_VALUE;
  if (config->shared_bytes > static_cast<unsigned>(own->shared_limit)) return CUDA_ERROR_INVALID_VALUE;
  const std::uint64_t* buffer = nullptr;
  std::size_t bytes = 0;
  for (void** word = extra; word != nullptr && reinterpret_cast<std::uintptr_t>(*word) != CU_LAUNCH_PARAM_END; word += 2) {
    if (reinterpret_cast<std::uintptr_t>(*word) == CU_LAUNCH_PARAM_BUFFER_POINTER) buffer = static_cast<const std::uint64_t*>(word[1]);
    if (reinterpret_cast<std::uintptr_t>(*word) == CU_LAUNCH_PARAM_BUFFER_SIZE) bytes = *static_cast<const std::size_t*>(word[1]);
  }
  if (bytes != own->parameter_bytes) return CUDA_ERROR_INVALID_VALUE;
  std::int64_t cluster = 1;
  for (unsigned i = 0; i < config->attribute_count; ++i) {
    if (config->attributes[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) cluster = config->attributes[i].cluster.x;
  }
  if (config->grid_x % cluster != 0) return CUDA_ERROR_INVALID_VALUE;
  std::vector<std::uint64_t> args(buffer, buffer + bytes / 8);
  const std::int64_t num[3] = {config->grid_x / cluster, config->grid_y, config->grid_z};
  const Kernel kernel = own->kernel;
  return give(config->stream, [=] {
    std::int64_t id[3];
    for (id[2] = 0; id[2] < num[2]; ++id[2]) {
      for (id[1] = 0; id[1] < num[1]; ++id[1]) {
        for (id[0] = 0; id[0] < num[0]; ++id[0]) {
          if (const CUresult result = kernel(args.data(), id, num); result != CUDA_SUCCESS) return result;
        }
      }
    }
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
