#include "runtime/drivers/cuda/cuda_context.h"

#include <array>
#include <cstdio>

namespace tilewright::cuda {

CudaContext::CudaContext(std::shared_ptr<const CudaLibrary> library, CudaDeviceProperties properties)
    : library_(std::move(library)), properties_(std::move(properties)) {
  check(api().cuDeviceGet(&device_, properties_.ordinal), "cuDeviceGet");
  check(api().cuDevicePrimaryCtxRetain(&handle_, device_), "cuDevicePrimaryCtxRetain");
}

CudaContext::~CudaContext() { api().cuDevicePrimaryCtxRelease(device_); }

void CudaContext::fail(CUresult result, const char* call, const std::string& doing) const {
  throw library_->failure(result, call, doing + (doing.empty() ? "on device '" : " on device '") + device_name() + "'");
}

CudaDeviceProperties read_properties(const CudaLibrary& library, int ordinal) {
  const CudaApi& api = library.api();
  const auto check = [&](CUresult result, const char* call) {
    if (result != CUDA_SUCCESS) throw library.failure(result, call, "of device 'cuda:" + std::to_string(ordinal) + "'");
  };
  CUdevice device = 0;
  check(api.cuDeviceGet(&device, ordinal), "cuDeviceGet");
  const auto attribute = [&](CUdeviceAttribute which) {
    int value = 0;
    check(api.cuDeviceGetAttribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
  };
  const auto bytes = [&](CUdeviceAttribute which) { return static_cast<std::uint64_t>(attribute(which)); };

  CudaDeviceProperties found;
  found.ordinal = ordinal;
  std::array<char, 256> text{};
  check(api.cuDeviceGetName(text.data(), static_cast<int>(text.size()) - 1, device), "cuDeviceGetName");
  found.model = text.data();
  text.fill('\0');
  check(api.cuDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()) - 1, device), "cuDeviceGetPCIBusId");
  found.pci_bus_id = text.data();
  found.capability_major = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  found.capability_minor = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  // From 9.0 on, each capability has instructions of its own, such as wgmma, that only the target with an 'a' offers.
  found.target = "sm_" + std::to_string(found.capability_major) + std::to_string(found.capability_minor) + (found.capability_major >= 9 ? "a" : "");
  found.driver_version = library.driver_version();
  found.multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  found.max_threads_per_block = attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  found.max_threads_per_multiprocessor = attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
  found.max_blocks_per_multiprocessor = attribute(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
  found.registers_per_block = attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
  found.registers_per_multiprocessor = attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
  found.shared_bytes_per_block = bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  if (found.shared_bytes_per_block == 0) found.shared_bytes_per_block = bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
  found.shared_bytes_per_multiprocessor = bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  found.l2_bytes = bytes(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  found.clock_khz = attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
  found.memory_clock_khz = attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
  found.memory_bus_bits = attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
  found.clusters = attribute(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) != 0;
  found.max_grid = {attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X), attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y),
                    attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)};
  std::size_t memory = 0;
  check(api.cuDeviceTotalMem(&memory, device), "cuDeviceTotalMem");
  found.memory_bytes = memory;
  return found;
}

std::string address_text(std::uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

}  // namespace tilewright::cuda
