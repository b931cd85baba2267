#include "runtime/drivers/cuda/cuda_kernel.h"

#include "runtime/drivers/cuda/launch_text.h"
#include "runtime/support/log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace tilewright::cuda {

namespace {

constexpr std::size_t kLogBytes = 32 << 10;

// Largest cluster that every device with clusters runs; larger ones must be asked for.
constexpr int kPortableCluster = 8;

bool is_binary(const std::vector<char>& code) {
  return code.size() >= 4 && std::memcmp(code.data(),
                                         "\x7f"
                                         "ELF",
                                         4) == 0;
}

std::string trimmed(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

bool target_fits(const std::string& target, bool binary, int capability_major, int capability_minor) {
  if (target.rfind("sm_", 0) != 0) return false;
  int number = 0;
  const char* const end = target.data() + target.size();
  const auto [after, problem] = std::from_chars(target.data() + 3, end, number);
  if (problem != std::errc{}) return false;
  const int major = number / 10, minor = number % 10;
  if (after != end) return std::string(after, end) == "a" && major == capability_major && minor == capability_minor;
  if (binary) return major == capability_major && minor <= capability_minor;
  return number <= capability_major * 10 + capability_minor;
}

CudaKernel::CudaKernel(std::shared_ptr<const CudaContext> context, Artifact artifact) : context_(std::move(context)), artifact_(std::move(artifact)) {
  check_artifact();
  const SetupScope scope(*context_);
  maps_ = TensorMaps(context_, artifact_);
  load_code();
  try {
    check_parameters();
    read_usage();
    check_block();
    prepare_shared_memory();
    read_occupancy();
  } catch (...) {
    context_->api().cuModuleUnload(module_);
    throw;
  }
}

CudaKernel::~CudaKernel() {
  const SetupScope scope(*context_, std::nothrow);
  if (scope) context_->api().cuModuleUnload(module_);
}

void CudaKernel::check_artifact() const {
  const std::string kernel = "the artifact of kernel '" + artifact_.kernel + "'";
  if (!artifact_.program) throw Error(3303, kernel + " carries no program");
  const CudaDeviceProperties& device = context_->properties();
  const std::string here = "device '" + context_->device_name() + "', which takes " + device.target;
  if (artifact_.code.empty()) throw Error(3303, kernel + " is for target '" + artifact_.target + "' and carries no code for " + here);
  if (!target_fits(artifact_.target, is_binary(artifact_.code), device.capability_major, device.capability_minor))
    throw Error(3303, kernel + " is for target '" + artifact_.target + "' and does not run on " + here);

  const LaunchShape& shape = artifact_.launch;
  if (shape.threads <= 0 || shape.cluster <= 0)
    throw Error(3303, kernel + " does not say how it is launched: " + std::to_string(shape.threads) + " threads a block, clusters of " +
                          std::to_string(shape.cluster));
  if (shape.threads > device.max_threads_per_block) {
    throw Error(2311, "kernel '" + artifact_.kernel + "' has blocks of " + std::to_string(shape.threads) + " threads; device '" +
                          context_->device_name() + "' allows " + std::to_string(device.max_threads_per_block));
  }
  if (shape.cluster > 1 && !device.clusters) {
    throw Error(2312, "kernel '" + artifact_.kernel + "' runs in clusters of " + std::to_string(shape.cluster) + " blocks; device '" +
                          context_->device_name() + "' (" + device.model + ") has no clusters");
  }
}

void CudaKernel::load_code() {
  const CudaApi& api = context_->api();
  const void* image = artifact_.code.data();
  std::string text;  // PTX ends in a zero
  if (!is_binary(artifact_.code)) {
    text.assign(artifact_.code.begin(), artifact_.code.end());
    image = text.c_str();
  }
  std::string errors(kLogBytes, '\0'), remarks(kLogBytes, '\0');
  CUjitOption options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES,
                           CU_JIT_LOG_VERBOSE};
  const auto number = [](std::uintptr_t value) { return reinterpret_cast<void*>(value); };
  void* values[] = {errors.data(), number(kLogBytes), remarks.data(), number(kLogBytes), number(1)};
  CUresult result = api.cuModuleLoadDataEx(&module_, image, std::size(options), options, values);
  if (result != CUDA_SUCCESS) {
    if (CudaLibrary::is_fatal(result)) context_->fail(result, "cuModuleLoadDataEx", "for kernel '" + artifact_.kernel + "'");
    Error error(3303, "the code of kernel '" + artifact_.kernel + "' does not load on device '" + context_->device_name() +
                          "': cuModuleLoadDataEx failed: " + context_->library().describe(result));
    const std::string log = trimmed(std::move(errors));
    throw log.empty() ? error : error.note(log);
  }
  if (const std::string log = trimmed(std::move(remarks)); !log.empty()) tilewright::log(LogLevel::Debug, "'" + artifact_.kernel + "': " + log);

  result = api.cuModuleGetFunction(&function_, module_, artifact_.entry.c_str());
  const char* call = "cuModuleGetFunction";
  // Loaded now, not at the first launch, which a recording of a graph could be.
  if (result == CUDA_SUCCESS && api.cuFuncLoad != nullptr) {
    result = api.cuFuncLoad(function_);
    call = "cuFuncLoad";
  }
  if (result == CUDA_SUCCESS) return;
  api.cuModuleUnload(module_);
  if (result == CUDA_ERROR_NOT_FOUND) throw Error(3303, "the code of kernel '" + artifact_.kernel + "' has no entry '" + artifact_.entry + "'");
  context_->fail(result, call, "for entry '" + artifact_.entry + "' of kernel '" + artifact_.kernel + "'");
}

// The code takes as many bytes of parameters as the program has slots and the artifact maps. Where they lie is the assembler's affair: it aligns maps by their address, not from the first parameter.
void CudaKernel::check_parameters() const {
  const CudaApi& api = context_->api();
  if (api.cuFuncGetParamInfo == nullptr) return;
  std::size_t taken = 0, offset = 0, size = 0;
  for (std::size_t i = 0; api.cuFuncGetParamInfo(function_, i, &offset, &size) == CUDA_SUCCESS; ++i) taken += size;
  const std::size_t given = maps_.parameter_bytes(argument_slots(*artifact_.program) + (has_assertions() ? 1 : 0));
  if (taken == given) return;
  throw Error(3303, "the code of kernel '" + artifact_.kernel + "' takes " + std::to_string(taken) +
                        " bytes of parameters, its program has slots, and maps, of " + std::to_string(given));
}

int CudaKernel::attribute(CUfunctionAttribute which) const {
  int value = 0;
  context_->check(context_->api().cuFuncGetAttribute(&value, which, function_), "cuFuncGetAttribute");
  return value;
}

void CudaKernel::read_usage() {
  slots_ = argument_slots(*artifact_.program);
  usage_.registers = attribute(CU_FUNC_ATTRIBUTE_NUM_REGS);
  usage_.local_bytes = static_cast<std::uint64_t>(attribute(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES));
  usage_.declared_shared_bytes = static_cast<std::uint64_t>(attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  usage_.max_threads = attribute(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
}

void CudaKernel::check_block() const {
  const LaunchShape& shape = artifact_.launch;
  if (shape.threads > usage_.max_threads) {
    throw Error(2311, "kernel '" + artifact_.kernel + "' has blocks of " + std::to_string(shape.threads) + " threads, its code allows " +
                          std::to_string(usage_.max_threads) + " with " + std::to_string(usage_.registers) + " registers a thread")
        .help("fewer threads a block, or fewer registers a thread");
  }
  const std::uint64_t limit = context_->properties().shared_bytes_per_block;
  if (shape.shared_bytes > limit || shape.shared_bytes + usage_.declared_shared_bytes > limit) {
    Error error(2310, "kernel '" + artifact_.kernel + "' needs " + std::to_string(shape.shared_bytes + usage_.declared_shared_bytes) +
                          " bytes of shared memory a block; device '" + context_->device_name() + "' has " + std::to_string(limit));
    if (usage_.declared_shared_bytes != 0) error.note(std::to_string(usage_.declared_shared_bytes) + " of them are declared by the code itself");
    throw error.help("smaller tiles, or fewer stages of a pipeline");
  }
}

void CudaKernel::prepare_shared_memory() const {
  const CudaApi& api = context_->api();
  const LaunchShape& shape = artifact_.launch;
  if (shape.shared_bytes != 0) {
    const auto bytes = static_cast<int>(shape.shared_bytes);
    context_->check(api.cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes), "cuFuncSetAttribute of shared memory");
  }
  if (shape.cluster > kPortableCluster)
    context_->check(api.cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1),
                    "cuFuncSetAttribute of the cluster size");
}

void CudaKernel::read_occupancy() {
  const CudaApi& api = context_->api();
  const LaunchShape& shape = artifact_.launch;
  context_->check(api.cuOccupancyMaxActiveBlocksPerMultiprocessor(&usage_.blocks_per_multiprocessor, function_, shape.threads, shape.shared_bytes),
                  "cuOccupancyMaxActiveBlocksPerMultiprocessor");
  if (usage_.blocks_per_multiprocessor == 0) {
    throw Error(2311, "no block of kernel '" + artifact_.kernel + "' fits a multiprocessor: " + shape_text({1, 1, 1}, shape) + ", " +
                          std::to_string(usage_.registers) + " registers a thread");
  }
  if (shape.cluster == 1) return;
  CUlaunchAttribute attributes[2];
  const CUlaunchConfig config = launch_config(*this, {1, 1, 1}, nullptr, attributes);
  const CUresult result = api.cuOccupancyMaxActiveClusters(&usage_.active_clusters, function_, &config);
  if (result == CUDA_SUCCESS && usage_.active_clusters > 0) return;
  Error error(2312, "no cluster of kernel '" + artifact_.kernel + "' fits device '" + context_->device_name() + "': " + shape_text({1, 1, 1}, shape));
  if (result != CUDA_SUCCESS) error.note("cuOccupancyMaxActiveClusters: " + context_->library().describe(result));
  throw error;
}

CUlaunchConfig launch_config(const CudaKernel& kernel, const GridSize& grid, CUstream stream, CUlaunchAttribute (&attributes)[2]) {
  const LaunchShape& shape = kernel.artifact().launch;
  const GridSize& limit = kernel.context().properties().max_grid;
  for (int axis = 0; axis < 3; ++axis) {
    const std::int64_t most = axis == 0 ? limit[0] / shape.cluster : limit[axis];
    if (grid[axis] > most) [[unlikely]] {
      throw Error(3305, "the grid of kernel '" + kernel.artifact().kernel + "' has " + std::to_string(grid[axis]) + " programs along axis " +
                            std::to_string(axis) + "; device '" + kernel.context().device_name() + "' runs at most " + std::to_string(most) +
                            " there")
          .help("let axis 0 be the long one");
    }
  }
  CUlaunchConfig config{};
  config.grid_x = static_cast<unsigned>(grid[0] * shape.cluster);
  config.grid_y = static_cast<unsigned>(grid[1]);
  config.grid_z = static_cast<unsigned>(grid[2]);
  config.block_x = static_cast<unsigned>(shape.threads);
  config.block_y = config.block_z = 1;
  config.shared_bytes = static_cast<unsigned>(shape.shared_bytes);
  config.stream = stream;
  config.attributes = attributes;
  if (shape.cluster > 1) {
    CUlaunchAttribute& attribute = attributes[config.attribute_count++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.cluster = {static_cast<unsigned>(shape.cluster), 1, 1};
  }
  if (shape.overlaps_previous) {
    CUlaunchAttribute& attribute = attributes[config.attribute_count++];
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.allowed = 1;
  }
  return config;
}

}  // namespace tilewright::cuda
