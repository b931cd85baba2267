// The kernel of nsa_selected_forward.
#pragma once

#include "dsl/program/kernel.h"

namespace tilewright::kernels {

const program::TraceableKernel& nsa_selected_kernel();

}  // namespace tilewright::kernels
