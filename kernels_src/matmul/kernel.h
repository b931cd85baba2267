// The kernel of matmul.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& matmul_kernel();

}  // namespace tilewright::kernels
