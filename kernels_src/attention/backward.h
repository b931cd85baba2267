// The gradients of softmax attention on a session's device.
#pragma once

#include "kernels_src/attention/attention.h"

#include <optional>

namespace tilewright::kernels {

struct AttentionGradients {
  DeviceTensor dq, dk, dv;  // shapes of q, k, v, dtype of q
};

// Of q, k, v as for flash_forward, its output o [B, TQ, HQ, V] and lse [B, TQ, HQ] f32, and what is known of a loss: its gradients of o (d_o, dtype of q) and, where it depends on lse, of that
// (d_lse, f32). With p = exp(scale q k - lse), zero where a key is not seen:
//   delta = <o, d_o> - d_lse;  ds = p (<d_o, v> - delta);  dq = scale ds k;  dk = scale ds^T q;  dv = p^T d_o        (Dao 2023, FlashAttention-2, algorithm 2)
// Deterministic, or packed: sums run in f32 in a fixed order, so results are the same in every run; the products of queries and keys are computed twice, once for dq and once for dk and dv. Else once, and the parts of dq that
// programs compute are added up in f32 in memory, in whatever order they come; that takes 4 bytes for each element of dq.
// Throws as flash_forward does. Thread safety is the session's.
AttentionGradients flash_backward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& o, const TensorView& lse,
                                  const TensorView& d_o, const std::optional<TensorView>& d_lse, const Sequences& sequences, const AttentionOptions& options);

}  // namespace tilewright::kernels
