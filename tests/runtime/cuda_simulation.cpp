// The simulated libcuda: what tests ask of it, devices, contexts, memory.
#include "tests/runtime/cuda_simulation.h"

#include <cstdlib>
#include <cstring>

using namespace tilewright::testing::simulation;
using namespace tilewright::cuda;

namespace {

const Block* block_at(std::uintptr_t address, std::uintptr_t* start) {
  auto after = state().blocks.upper_bound(address);
  if (after == state().blocks.begin()) return nullptr;
  --after;
  if (address - after->first >= after->second.bytes) return nullptr;
  *start = after->first;
  return &after->second;
}

bool inside(std::uintptr_t address, std::size_t bytes) {
  std::uintptr_t start = 0;
  const Block* block = block_at(address, &start);
  return block != nullptr && bytes <= block->bytes - (address - start);
}

std::uintptr_t new_block(std::size_t bytes, bool host) {
  void* memory = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  state().blocks[reinterpret_cast<std::uintptr_t>(memory)] = {bytes, current()->device, host};
  return reinterpret_cast<std::uintptr_t>(memory);
}

CUresult free_block(std::uintptr_t address, bool host) {
  const auto found = state().blocks.find(address);
  if (found == state().blocks.end() || found->second.host != host) return CUDA_ERROR_INVALID_VALUE;
  std::free(reinterpret_cast<void*>(address));
  state().blocks.erase(found);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

// ---- for tests

// The call `after` calls of `function` from now gives `result`.
void simulation_fail(const char* function, int result, int after) {
  std::lock_guard lock(state().mutex);
  state().failures[function] = {after, static_cast<CUresult>(result)};
}

// How many of a kind are alive: "memory", "host memory", "streams", "events", "modules", "graphs", "contexts" (retained).
int simulation_alive(const char* kind) {
  std::lock_guard lock(state().mutex);
  const std::string name = kind;
  const auto blocks = [](bool host) {
    int count = 0;
    for (const auto& [address, block] : state().blocks) count += block.host == host;
    return count;
  };
  if (name == "memory") return blocks(false);
  if (name == "host memory") return blocks(true);
  if (name == "streams") return static_cast<int>(state().streams.size());
  if (name == "events") return static_cast<int>(state().events.size());
  if (name == "modules") return static_cast<int>(state().modules.size());
  if (name == "graphs") return static_cast<int>(state().graphs.size() + state().executables.size());
  if (name == "contexts") return state().contexts[0].retained + state().contexts[1].retained;
  return -1;
}

int simulation_context_depth() { return static_cast<int>(context_stack.size()); }
int simulation_capture_mode() { return capture_mode; }

// Devices work again after a fault.
void simulation_repair() {
  std::lock_guard lock(state().mutex);
  for (Context& context : state().contexts) context.lost = CUDA_SUCCESS;
  state().failures.clear();
}

// ---- the library and its devices

CUresult cuInit(unsigned) {
  SIMULATED();
  state().started = true;
  for (int i = 0; i < kDevices; ++i) state().contexts[i].device = i;
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
  *version = 13000;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult result, const char** name) {
  *name = result == CUDA_ERROR_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : result == CUDA_ERROR_NO_DEVICE     ? "CUDA_ERROR_NO_DEVICE"
                                               : "CUDA_ERROR_SIMULATED";
  return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "a simulated failure";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  SIMULATED();
  *count = kDevices;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  SIMULATED();
  if (ordinal < 0 || ordinal >= kDevices) return static_cast<CUresult>(101);
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char* name, int size, CUdevice device) {
  std::strncpy(name, device == 0 ? "Simulated Hopper" : "Simulated Ampere", static_cast<std::size_t>(size));
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdeviceAttribute attribute, CUdevice device) {
  SIMULATED();
  static const std::map<int, int> values = {{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
                                            {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647},
                                            {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
                                            {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
                                            {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 48 << 10},
                                            {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, kSharedLimit},
                                            {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 4}};
  const auto found = values.find(attribute);
  *value = found != values.end() ? found->second : 1;
  if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) *value = device == 0 ? 9 : 8;
  if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR) *value = 0;
  if (attribute == CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) *value = device == 0;
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice) {
  *bytes = kMemory;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetPCIBusId(char* id, int size, CUdevice device) {
  std::strncpy(id, device == 0 ? "0000:01:00.0" : "0000:02:00.0", static_cast<std::size_t>(size));
  return CUDA_SUCCESS;
}

// ---- contexts

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  SIMULATED();
  ++state().contexts[device].retained;
  *context = reinterpret_cast<CUcontext>(&state().contexts[device]);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  SIMULATED();
  if (state().contexts[device].retained == 0) return static_cast<CUresult>(201);
  --state().contexts[device].retained;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = reinterpret_cast<CUcontext>(current());
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  SIMULATED();
  context_stack.push_back(reinterpret_cast<Context*>(context));
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  if (context_stack.empty()) return static_cast<CUresult>(201);
  *context = reinterpret_cast<CUcontext>(context_stack.back());
  context_stack.pop_back();
  return CUDA_SUCCESS;
}

// ---- memory

CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  SIMULATED_IN_CONTEXT();
  *free = kMemory / 2;
  *total = kMemory;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  SIMULATED_IN_CONTEXT();
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (bytes > kMemory / 2) return CUDA_ERROR_OUT_OF_MEMORY;
  *address = new_block(bytes, false);
  return CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  SIMULATED_IN_CONTEXT();
  return free_block(address, false);
}

CUresult cuMemHostAlloc(void** address, std::size_t bytes, unsigned) {
  SIMULATED_IN_CONTEXT();
  *address = reinterpret_cast<void*>(new_block(bytes, true));
  return CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void* address) {
  SIMULATED_IN_CONTEXT();
  return free_block(reinterpret_cast<std::uintptr_t>(address), true);
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned) {
  SIMULATED_IN_CONTEXT();
  *device = reinterpret_cast<std::uintptr_t>(host);
  return CUDA_SUCCESS;
}

CUresult cuPointerGetAttributes(unsigned count, CUpointerAttribute* attributes, void** values, CUdeviceptr address) {
  SIMULATED_IN_CONTEXT();
  std::uintptr_t start = 0;
  const Block* block = block_at(address, &start);
  for (unsigned i = 0; i < count; ++i) {
    switch (attributes[i]) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: *static_cast<unsigned*>(values[i]) = block == nullptr ? 0U : block->host ? 1U : 2U; break;
      case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: *static_cast<CUdeviceptr*>(values[i]) = block == nullptr ? 0 : address; break;
      case CU_POINTER_ATTRIBUTE_IS_MANAGED: *static_cast<unsigned*>(values[i]) = 0; break;
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *static_cast<int*>(values[i]) = block == nullptr ? -2 : block->device; break;
      case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: *static_cast<CUdeviceptr*>(values[i]) = start; break;
      case CU_POINTER_ATTRIBUTE_RANGE_SIZE: *static_cast<std::size_t*>(values[i]) = block == nullptr ? 0 : block->bytes; break;
    }
  }
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes, CUstream stream) {
  SIMULATED_IN_CONTEXT();
  if (!inside(to, bytes)) return CUDA_ERROR_INVALID_VALUE;
  return give(stream, [=] {
    std::memcpy(reinterpret_cast<void*>(to), from, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  SIMULATED_IN_CONTEXT();
  if (!inside(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
  return give(stream, [=] {
    std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, std::size_t count, CUstream stream) {
  SIMULATED_IN_CONTEXT();
  if (!inside(address, count)) return CUDA_ERROR_INVALID_VALUE;
  return give(stream, [=] {
    std::memset(reinterpret_cast<void*>(address), value, count);
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
