// Native Sparse Attention on a session's device: its kernels one by one, and the whole of it.
//
// Shapes are [B, T, heads, dim], packed sequences with B = 1; any strides; f32, f16 or bf16 throughout, lse and counts aside. A group of HQ / H neighbouring query
// heads shares a kv head. Query t of a sequence stands at the position t + TK - TQ. Where a query sees no key its output is zero and its lse -infinity.
// Throws: Error TW3111 (shape), TW3112 (dtype), TW3121 (geometry), and what Session::launch throws. Thread safety is the session's.
#pragma once

#include "kernels_src/attention/attention.h"
#include "kernels_src/common/sequences.h"
#include "kernels_src/nsa/geometry.h"
#include "kernels_src/nsa/pooling.h"
#include "runtime/session.h"

#include <optional>

namespace tilewright::kernels {

struct NsaOptions {
  NsaGeometry geometry;
  double scale = 1;
  KernelSettings tunables;
};

struct PoolingOptions {
  Pooling kind = Pooling::Mean;
  std::optional<TensorView> weights;    // [H, l] (weighted) or [H, l*D, D] (linear), dtype of x
  std::optional<TensorView> positions;  // [H, l, D], dtype of x: added to the tokens inside a window
};

// x [B, T, H, D] -> [B, TC, H, D]; of `sequences` the keys count. Packed: the windows of a sequence behind those of the one before.
DeviceTensor nsa_compress(Session& session, const TensorView& x, const Sequences& sequences, const NsaGeometry& geometry, const PoolingOptions& pooling,
                          const KernelSettings& tunables = {});

// Attention of q [B, TQ, HQ, K] over the windows that end at the query's position or before; k_cmp [B, TC, H, K], v_cmp [B, TC, H, V].
AttentionResult nsa_compressed_forward(Session& session, const TensorView& q, const TensorView& k_cmp, const TensorView& v_cmp, const Sequences& sequences,
                                       const NsaOptions& options);

struct NsaSelection {
  DeviceTensor indices;  // [B, TQ, H, S] i32: block numbers, ascending, then -1
  DeviceTensor counts;   // [B, TQ, H] i32: how many
};

// The `slots` most important blocks of every query group; see README.md for the scores. lse [B, TQ, HQ] f32 is that of nsa_compressed_forward; without it the
// kernel computes it first. Candidates are the blocks up to the query's own. Forced blocks come first, ties go to the lower block, a NaN score is never taken.
NsaSelection nsa_topk(Session& session, const TensorView& q, const TensorView& k_cmp, const std::optional<TensorView>& lse, const Sequences& sequences,
                      const NsaOptions& options);

// Attention over the tokens of the blocks in indices [B, TQ, H, S] i32, up to the query's position. Negative entries are skipped wherever they stand; entries from
// counts [B, TQ, H] i32 on too. A block that stands twice counts twice.
AttentionResult nsa_selected_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& indices,
                                     const std::optional<TensorView>& counts, const Sequences& sequences, const NsaOptions& options);

// Attention over the last geometry.window keys up to the query's position.
AttentionResult nsa_window_forward(Session& session, const TensorView& q, const TensorView& k, const TensorView& v, const Sequences& sequences,
                                   const NsaOptions& options);

struct NsaInputs {
  TensorView q, k, v;
  TensorView g_cmp, g_slc, g_swa;                // [B, TQ, HQ], dtype of q, as they multiply; g_swa is not read without a window
  PoolingOptions pool_k, pool_v;                 // how k and v are compressed,
  std::optional<TensorView> k_cmp, v_cmp;        // unless they are given compressed, both
  std::optional<TensorView> indices, counts;     // a selection to use instead of computing one
};

struct NsaResult {
  DeviceTensor output;  // g_cmp * compressed + g_slc * selected + g_swa * window
  DeviceTensor k_cmp, v_cmp;
  NsaSelection selection;  // counts have no memory when indices were given without
  AttentionResult compressed, selected, window;  // window has no memory without a window
};

NsaResult nsa_forward(Session& session, const NsaInputs& inputs, const Sequences& sequences, const NsaOptions& options);

// a * x + b * y + c * z with one factor a row: the factors are [B, T, H], the others [B, T, H, V]. Without c and z, the first two terms.
DeviceTensor nsa_combine(Session& session, const TensorView& a, const TensorView& x, const TensorView& b, const TensorView& y, const std::optional<TensorView>& c,
                         const std::optional<TensorView>& z, const KernelSettings& tunables = {});

}  // namespace tilewright::kernels
