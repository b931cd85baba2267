// The gradients of attention by one walk over the keys, with five products a tile: those of queries are added up in memory, in whatever order programs come.
#pragma once

#include "kernels_src/attention/backward.h"

namespace tilewright::kernels {

// Scalars of rows [B, HQ, TQ] f32: delta, and lse in units of log2 (backward_kernels.h).
struct RowScalars {
  DeviceTensor delta, log_sum;
  TensorView view(const DeviceTensor& rows, std::int64_t tokens) const;
};

// Space for them; rows begin at multiples of 16 bytes.
RowScalars allocate_row_scalars(Session& session, std::int64_t batch, std::int64_t heads, std::int64_t tokens);

// Fills result.dq, dk and dv, for sequences that are not packed. Queries without keys have gradient zero.
void launch_flash_backward_joint(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& d_o, const RowScalars& rows, const AttentionOptions& options,
                                 const AttentionGradients& result);

const program::TraceableKernel& flash_backward_joint_kernel();
const program::TraceableKernel& gradient_sums_clear_kernel();
const program::TraceableKernel& gradient_sums_round_kernel();

}  // namespace tilewright::kernels
