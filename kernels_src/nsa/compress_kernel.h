// The kernels of nsa_compress: mean and weighted pooling, and linear pooling.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& nsa_compress_kernel();
const program::TraceableKernel& nsa_compress_linear_kernel();

}  // namespace tilewright::kernels
