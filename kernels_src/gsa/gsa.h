// Gated Slot Attention on a session's device.
#pragma once

#include "kernels_src/common/sequences.h"
#include "runtime/session.h"

#include <optional>

namespace tilewright::kernels {

// Packed sequences have B = 1; N is their number, or B. A group of HQ / H neighbouring query heads reads the states of one head.
struct GsaInputs {
  TensorView q;                       // [B, T, HQ, K], f32, f16 or bf16
  TensorView k, v, s;                 // [B, T, H, K], [B, T, H, V], [B, T, H, M], dtype of q
  std::optional<TensorView> g;        // [B, T, H, M], dtype of q: logarithm of the decay. Without it gates and write strengths follow from s, see README.md
  std::optional<TensorView> hk0, hv0; // [N, H, K, M], [N, H, M, V] f32: states before the first token; zero without them
};

struct GsaResult {
  DeviceTensor output;  // [B, T, HQ, V], dtype of q
  DeviceTensor hk, hv;  // [N, H, K, M], [N, H, M, V] f32: states after the last token; the initial ones where a sequence has no token
};

struct GsaOptions {
  double scale = 1;
  KernelSettings tunables;
};

// Token by token: one program walks a sequence. For short sequences and decoding.
// Both throw Error TW3111, TW3112, and what Session::launch throws. Thread safety is the session's. Inputs are never written.
GsaResult gsa_recurrent_forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options);

// In chunks of `chunk_size` tokens (a power of two, at least 16; else TW3127): states walk from chunk to chunk, everything else is parallel over chunks.
GsaResult gsa_chunk_forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options, std::int64_t chunk_size = 64);

}  // namespace tilewright::kernels
