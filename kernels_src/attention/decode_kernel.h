// The kernels of flash_decode.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& flash_decode_split_kernel();
const program::TraceableKernel& flash_decode_combine_kernel();

}  // namespace tilewright::kernels
