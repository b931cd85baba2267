// Softmax attention of one query in double precision, straight from its definition. Every attention of this library is this function over another set of keys.
#pragma once

#include "kernels_src/common/rows.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tilewright::kernels::reference {

struct AttentionRow {
  std::vector<double> output;  // sum_j p_j v_j; zero without keys
  double lse = 0;              // log sum_j exp(s_j); -infinity without keys
  double largest_logit = 0;    // max_j |s_j|, for tolerances
};

// s_j = scale * <query, k_j>, p = softmax(s). A logit of -infinity is the same as a key that is not there. `keys` are rows of k and of v; a key that stands there twice counts twice.
AttentionRow attend(std::span<const double> query, const std::vector<std::int64_t>& keys, const DoubleRows& k, const DoubleRows& v, double scale);

// The keys that a query at `position` sees of `key_count` keys: all of them, those up to itself (causal), or of these the last `window` (0: no window).
// They count from the start of the sequence.
std::vector<std::int64_t> visible_keys(std::int64_t position, std::int64_t key_count, bool causal, std::int64_t window);

// Rows of a [B, T, heads, D] tensor for tokens first_token + keys[i] of head h.
std::vector<std::int64_t> rows_of_keys(const std::vector<std::int64_t>& keys, std::int64_t first_token, std::int64_t heads, std::int64_t h);

}  // namespace tilewright::kernels::reference
