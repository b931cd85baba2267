// The kernels of flash_backward.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& attention_delta_kernel();
const program::TraceableKernel& flash_backward_keys_kernel();
const program::TraceableKernel& flash_backward_queries_kernel();

}  // namespace tilewright::kernels
