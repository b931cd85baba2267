// Softmax attention on a session's device.
#pragma once

#include "kernels_src/common/sequences.h"
#include "runtime/session.h"

#include <cstdint>

namespace tilewright::kernels {

struct AttentionResult {
  DeviceTensor output;  // [B, TQ, HQ, V], dtype of q
  DeviceTensor lse;     // [B, TQ, HQ] f32, natural logarithm of the sum of exponentials; -infinity where no key is seen, and output is zero there
};

struct AttentionOptions {
  double scale = 1;
  bool causal = true;        // query t at position t + TK - TQ sees keys up to its position
  std::int64_t window = 0;   // and of these the last `window`; 0: all. Needs causal
  KernelSettings tunables;
  bool deterministic = true;  // flash_backward gives the same in every run; packed sequences have it always
};

// q [B, TQ, HQ, K], k [B, TK, H, K], v [B, TK, H, V], f32, f16 or bf16, any strides; H divides HQ. Packed sequences have B = 1.
// Throws Error TW3111, TW3112, TW3123 (a window without causal), and what Session::launch throws. Thread safety is the session's.
AttentionResult flash_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const Sequences& sequences,
                              const AttentionOptions& options);

// Checks q, k and v against each other: TW3111, TW3112.
void expect_attention(const TensorView& q, const TensorView& k, const TensorView& v);

// Does that, and allocates what an attention over them gives.
AttentionResult allocate_attention(Session& session, const TensorView& q, const TensorView& k, const TensorView& v);

}  // namespace tilewright::kernels
