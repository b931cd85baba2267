#include "runtime/drivers/cuda/cuda_library.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include <unistd.h>

namespace tilewright::cuda {

namespace {

// Places that containers and WSL use without telling the dynamic loader.
constexpr const char* kOtherPlaces[] = {"/usr/local/nvidia/lib64/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"};

std::vector<std::string> candidates(const std::string& file) {
  if (!file.empty()) return {file};
  std::vector<std::string> names = {"libcuda.so.1"};
  for (const char* place : kOtherPlaces) {
    if (access(place, R_OK) == 0) names.emplace_back(place);
  }
  return names;
}

// The first function that the library lacks though it is needed; null when it has all.
const char* find_functions(const DynamicLibrary& library, CudaApi& api) {
  const char* missing = nullptr;
#define CUDA_OPTIONAL_FUNCTION(name, symbol, parameters) api.name = reinterpret_cast<decltype(api.name)>(library.find(#symbol));
#define CUDA_FUNCTION(name, symbol, parameters)    \
  CUDA_OPTIONAL_FUNCTION(name, symbol, parameters) \
  if (api.name == nullptr && missing == nullptr) missing = #symbol;
#include "runtime/drivers/cuda/cuda_functions.def"
#undef CUDA_FUNCTION
#undef CUDA_OPTIONAL_FUNCTION
  return missing;
}

}  // namespace

std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

std::shared_ptr<const CudaLibrary> CudaLibrary::load(const std::string& file, std::string& missing) {
  struct Answer {
    std::shared_ptr<const CudaLibrary> library;
    std::string missing;
  };
  static std::mutex mutex;
  static std::map<std::string, Answer> answers;
  std::lock_guard lock(mutex);
  const auto [found, is_new] = answers.try_emplace(file);
  Answer& answer = found->second;
  if (is_new) {
    const std::shared_ptr<CudaLibrary> library(new CudaLibrary);
    answer.missing = library->start(file);
    if (answer.missing.empty()) answer.library = library;
  }
  missing = answer.missing;
  return answer.library;
}

// Returns what is missing; empty when all is well.
std::string CudaLibrary::start(const std::string& file) {
  std::string problem;
  library_ = DynamicLibrary::open(candidates(file), problem);
  if (!library_) return "the NVIDIA driver is not installed, or not visible to this process (" + problem + ")";
  const char* lacking = find_functions(*library_, api_);
  if (api_.cuDriverGetVersion != nullptr) api_.cuDriverGetVersion(&driver_version_);
  if (lacking != nullptr) {
    return "the NVIDIA driver is too old: '" + library_->path() + "', of CUDA " + version_text(driver_version_) + ", has no function " + lacking +
           "; CUDA 11.8 or newer is needed";
  }
  CUresult result = api_.cuInit(0);
  const char* call = "cuInit";
  if (result == CUDA_SUCCESS) {
    result = api_.cuDeviceGetCount(&device_count_);
    call = "cuDeviceGetCount";
  }
  if (result == CUDA_SUCCESS && device_count_ > 0) return {};
  std::string missing = "the NVIDIA driver '" + library_->path() + "' offers no device";
  if (result != CUDA_SUCCESS) missing += std::string(": ") + call + " failed: " + describe(result);
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) missing += "; CUDA_VISIBLE_DEVICES is '" + std::string(visible) + "'";
  return missing;
}

std::string CudaLibrary::describe(CUresult result) const {
  const char *name = nullptr, *text = nullptr;
  const bool named = api_.cuGetErrorName(result, &name) == CUDA_SUCCESS && name != nullptr;
  const bool told = api_.cuGetErrorString(result, &text) == CUDA_SUCCESS && text != nullptr;
  return (named ? std::string(name) : "result") + " (" + std::to_string(static_cast<int>(result)) + ")" + (told ? ", " + std::string(text) : "");
}

Error CudaLibrary::failure(CUresult result, const std::string& call, const std::string& doing) const {
  Error error(is_fatal(result) ? 3410 : 3411, call + (doing.empty() ? "" : " " + doing) + " failed: " + describe(result));
  if (is_fatal(result)) {
    error.note("a kernel failed on the device earlier; the context is lost, with all its memory")
        .help("start the process again; compute-sanitizer finds the access that failed");
  } else if (result == CUDA_ERROR_NOT_INITIALIZED) {
    error.help("a process forked from one that has used CUDA cannot use it: start a new process");
  }
  return error;
}

bool CudaLibrary::is_fatal(CUresult result) {
  switch (result) {
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_CONTAINED:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_TENSOR_MEMORY_LEAK: return true;
    default: return false;
  }
}

}  // namespace tilewright::cuda
