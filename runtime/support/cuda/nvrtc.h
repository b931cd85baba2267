// CUDA C++ compiled while the process runs, by NVRTC, a library of CUDA toolkits. No device is needed.
//
// Errors: TW3310, NVRTC is not here or does not work; TW1950, a source that does not compile, with NVRTC's log.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace tilewright {

struct CudaSource {
  std::string name;                  // for messages and line information: "naive_matmul.cu"
  std::string text;                  // kernels are found by their names when they are extern "C"
  std::vector<std::string> options;  // further options of NVRTC: "-DN=4", "--use_fast_math"
};

// Immutable, thread-safe.
class CudaCompiler {
 public:
  virtual ~CudaCompiler() = default;

  // "NVRTC 13.0".
  virtual const std::string& description() const = 0;

  // PTX for `target` ("sm_90a"). The toolkit's headers (cuda_fp16.h, ...) are found where a toolkit has them; the language is C++17.
  virtual std::string compile(const CudaSource& source, const std::string& target) const = 0;
};

// NVRTC, from the file `library` or wherever a toolkit has it when that is empty. Throws Error TW3310, which says what was tried.
std::shared_ptr<const CudaCompiler> load_nvrtc(const std::string& library = {});

}  // namespace tilewright
