// The kernel of flash_forward.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& flash_forward_kernel();

}  // namespace tilewright::kernels
