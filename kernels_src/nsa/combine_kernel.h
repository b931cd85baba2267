// The kernel of nsa_combine.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& nsa_combine_kernel();

}  // namespace tilewright::kernels
