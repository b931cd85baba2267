// Whether functions in CUDA C++ can be compiled and linked here, for tests that need it.
#pragma once

#include "runtime/support/cuda/nvrtc.h"
#include "runtime/support/cuda/ptx_assembler.h"
#include "runtime/support/error.h"

#include <string>

namespace tilewright {

// Why not; empty: they can.
inline std::string missing_cuda_linker() {
  try {
    load_nvrtc();
  } catch (const Error& error) {
    return error.message();
  }
  std::string problem;
  return load_nv_jit_link(problem) ? "" : problem;
}

}  // namespace tilewright
