// The kernel of nsa_compressed_forward.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& nsa_compressed_kernel();

}  // namespace tilewright::kernels
