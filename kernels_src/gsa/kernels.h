// The kernels of gated slot attention.
#pragma once

#include "dsl/program/kernel.h"

#include <vector>

namespace tilewright::kernels {

const program::TraceableKernel& gsa_recurrent_kernel();
const program::TraceableKernel& gsa_gates_kernel();
const program::TraceableKernel& gsa_chunk_states_kernel();
const program::TraceableKernel& gsa_chunk_output_kernel();

// Those of gsa_chunk_forward.
std::vector<const program::TraceableKernel*> gsa_chunk_kernels();

}  // namespace tilewright::kernels
