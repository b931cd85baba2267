// libcuda, found, checked and initialised; and what its result codes say.
#pragma once

#include "runtime/drivers/cuda/cuda_api.h"
#include "runtime/support/dynamic_library.h"
#include "runtime/support/error.h"

#include <memory>
#include <string>

namespace tilewright::cuda {

// Immutable, thread-safe. One for each file in a process.
class CudaLibrary {
 public:
  // The library of `file`, or libcuda.so.1 when that is empty. Null when it cannot be used; `missing` is then a sentence that says why. The answer of the first call stays.
  static std::shared_ptr<const CudaLibrary> load(const std::string& file, std::string& missing);

  const CudaApi& api() const { return api_; }
  int driver_version() const { return driver_version_; }
  int device_count() const { return device_count_; }

  // "CUDA_ERROR_ILLEGAL_ADDRESS (700), an illegal memory access was encountered".
  std::string describe(CUresult result) const;

  // The error of a call that failed: TW3410 when the result means that the context is lost, TW3411 otherwise. `doing` ends the sentence "cuMemAlloc ...".
  Error failure(CUresult result, const std::string& call, const std::string& doing) const;

  // Whether a result means that a kernel failed and took the context with it.
  static bool is_fatal(CUresult result);

 private:
  CudaLibrary() = default;
  std::string start(const std::string& file);

  std::unique_ptr<DynamicLibrary> library_;
  CudaApi api_;
  int driver_version_ = 0, device_count_ = 0;
};

// "13.0" for 13000.
std::string version_text(int version);

}  // namespace tilewright::cuda
