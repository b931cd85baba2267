// The kernel of nsa_topk.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& nsa_topk_kernel();

}  // namespace tilewright::kernels
