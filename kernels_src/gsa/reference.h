// Gated Slot Attention in double precision: the recurrence, token by token, for one head of one sequence.
#pragma once

#include <cstdint>
#include <vector>

namespace tilewright::kernels::reference {

// Row-major: q, k [T, K]; v [T, V]; s, g [T, M]; initial states [K, M] and [M, V] or empty for zero.
// g is the logarithm of the decay; empty: it and the write strengths follow from s by the limit of attention with bounded-memory control,
//   z_t = log sum_{u<=t} exp(s_u),   g_t = z_{t-1} - z_t (g_0 = 0),   s_t <- exp(s_t - z_t).
struct GsaHead {
  std::int64_t tokens = 0, k_dim = 0, v_dim = 0, slots = 0;
  double scale = 1;
  std::vector<double> q, k, v, s, g;
  std::vector<double> initial_k, initial_v;
};

struct GsaResult {
  std::vector<double> o;                  // [T, V]
  std::vector<double> final_k, final_v;   // [K, M], [M, V]
  double largest_logit = 0;               // the largest |ok|, for tolerances
};

//   a_t = exp(g_t);   Hk_t = Hk_{t-1} * a_t[None,:] + k_t s_t^T;   p_t = softmax(scale * Hk_t^T q_t)
//                     Hv_t = Hv_{t-1} * a_t[:,None] + s_t v_t^T;   o_t = Hv_t^T p_t
GsaResult gsa_recurrence(const GsaHead& head);

}  // namespace tilewright::kernels::reference
