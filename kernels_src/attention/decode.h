// Softmax attention of the newest tokens over a cache of keys and values.
#pragma once

#include "kernels_src/attention/attention.h"
#include "runtime/session.h"

#include <cstdint>
#include <optional>

namespace tilewright::kernels {

// Keys and values seen so far, those of the newest tokens among them. What lies behind a sequence's length is not read.
struct KeyValueCache {
  TensorView k, v;                        // [B, S, H, K] and [B, S, H, V]; in pages: [P, page, H, K] and [P, page, H, V]
  std::optional<TensorView> block_table;  // [B, N] i32: token t of sequence b is token t % page of page block_table[b, t / page]
  std::optional<TensorView> lengths;      // [B] i32, tokens of each sequence; without it S, and in pages N * page
};

struct DecodeOptions {
  double scale = 1;
  std::int64_t splits = 0;  // parts that the keys of a sequence are dealt out to, each a program; 0: as many as occupy a device
  KernelSettings tunables;
};

// Attention of q [B, TQ, HQ, K], the last TQ tokens of each sequence, over its cache; a token sees what is before it and itself. All tensors f32, f16 or bf16, any strides; H divides HQ.
// Partial results of parts of the keys ("split-KV", Flash-Decoding: Dao, Haziza, Massa, Sizov 2023) are combined by their log-sums. Output and lse as those of flash_forward.
// Throws Error TW3110 (pages without lengths), TW3111, TW3112, and what Session::launch throws. Lengths and page numbers are the caller's: a page number outside of 0 .. P - 1 is no page, its keys read
// as zeros. Thread safety is the session's.
AttentionResult flash_decode(Session& session, const TensorView& q, const KeyValueCache& cache, const DecodeOptions& options);

}  // namespace tilewright::kernels
