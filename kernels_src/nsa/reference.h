// Native Sparse Attention in double precision, one row at a time, straight from its formulas. Attention itself is attention/reference.h over the keys given here.
#pragma once

#include "kernels_src/attention/reference.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/nsa/geometry.h"
#include "kernels_src/nsa/pooling.h"

#include <cstdint>
#include <vector>

namespace tilewright::kernels::reference {

// What pooling needs beside the tokens. Rows: weights [H, l] as H rows (weighted) or [H, l*D, D] as H*l*D rows (linear); positions [H, l, D] as H*l rows.
struct PoolingParameters {
  Pooling kind = Pooling::Mean;
  DoubleRows weights;
  DoubleRows positions;  // added to the tokens inside a window; no rows: none
};

// Window c of head h: the tokens k_start + c*d + r, r in [0, l), as far as the sequence reaches.
//   mean      (1/n) sum_r x_r          n: tokens there are
//   weighted  sum_r w[h,r] x_r
//   linear    sum_r x_r W[h,r]         W[h,r]: [D, D], row r*D + i of W[h] belongs to x_r[i]
std::vector<double> compress_window(const DoubleRows& x, const Sequence& sequence, std::int64_t heads, std::int64_t h, std::int64_t c,
                                    const NsaGeometry& geometry, const PoolingParameters& parameters);

// The importance of blocks 0 .. position / l' for the queries of one group: the sum over its heads and over all visible windows c of
//   exp(s - lse) * (chunks of d tokens that window c and the block share).
// queries: one vector a head. keys: rows of k_cmp of this head, one a window. lse: one a head, as the selection was given.
std::vector<double> block_scores(const std::vector<std::vector<double>>& queries, const std::vector<double>& lse, const DoubleRows& k_cmp,
                                 const std::vector<std::int64_t>& windows, double scale, std::int64_t position, const NsaGeometry& geometry);

// Whether block j is always selected for a query at `position`.
bool is_forced(std::int64_t j, std::int64_t position, const NsaGeometry& geometry);

// The `slots` best of these blocks, ascending: forced ones first, then by score, ties to the lower index; a NaN score is never selected.
std::vector<std::int64_t> select_blocks(const std::vector<double>& scores, std::int64_t position, const NsaGeometry& geometry);

// The keys of the selected blocks that a query at `position` sees, from the start of the sequence; -1 and blocks after the query have none.
std::vector<std::int64_t> keys_of_blocks(const std::vector<std::int64_t>& blocks, std::int64_t position, std::int64_t key_count, std::int64_t block_size);

}  // namespace tilewright::kernels::reference
