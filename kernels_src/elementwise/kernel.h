// The kernels of vector_add, softmax and rms_norm.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& vector_add_kernel();
const program::TraceableKernel& softmax_kernel();
const program::TraceableKernel& rms_norm_kernel();

}  // namespace tilewright::kernels
