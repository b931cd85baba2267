// Functions in CUDA C++ that a kernel calls: the call as the LLVM dialect has it, and the function's way to PTX that is linked with the kernel's.
//
// Each function gets a wrapper with C linkage, which the kernel declares and calls. What is narrower than 32 bits crosses in a word, so that nothing depends on how compilers pass small values.
#pragma once

#include "compiler/gpu/target.h"
#include "compiler/targets/nvidia/nvidia_target.h"
#include "runtime/support/cuda/ptx_assembler.h"
#include "runtime/support/dtype.h"
#include "runtime/support/error.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace tilewright::nvidia {

struct CudaFunction {
  std::string symbol;         // of the wrapper
  std::string name, source;   // of the author
  std::vector<DType> dtypes;  // of the arguments, and of the result last
  SourcePosition where;       // of a call
};

// The result of one call. Declares the wrapper in the module around the builder where it is not yet.
mlir::Value call_cuda_function(gpu::GpuTarget::Builder& b, tile::ExternOp op, mlir::ValueRange operands);

// The functions that a module calls, in the order of their wrappers.
std::vector<CudaFunction> cuda_functions(mlir::ModuleOp module);

// The wrappers and what they call, as CUDA C++ for functions of one source.
std::string cuda_text(const std::vector<CudaFunction>& functions);

// `ptx` with definitions that only it can see, but for those whose names begin with `kept`: sources do not clash when they are linked.
std::string with_local_definitions(const std::string& ptx, std::string_view kept);

// The PTX of all functions, one text for each source. Throws Error with the position of a call: TW1950 for a source that does not compile, with the compiler's log; TW3310 without NVRTC, or without the
// toolkit's headers where 16-bit floats are passed.
std::vector<PtxSource> compile_cuda_functions(const std::vector<CudaFunction>& functions, const NvidiaTarget& target);

}  // namespace tilewright::nvidia
