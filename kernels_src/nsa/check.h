// Comparing outputs of the sparse attention kernels with their references, over chosen rows where a problem is large.
#pragma once

#include "kernels_src/attention/problem.h"
#include "kernels_src/nsa/geometry.h"
#include "kernels_src/nsa/reference.h"
#include "runtime/operator.h"

#include <vector>

namespace tilewright::kernels {

// The sequences with their windows in place of their keys: what the packed k_cmp and v_cmp look like.
Sequences window_sequences(const Sequences& sequences, const NsaGeometry& geometry);

// The rows of k_cmp of one head of one sequence, all windows.
std::vector<std::int64_t> window_rows(const Sequences& windows, std::int64_t sequence, std::int64_t heads, std::int64_t h);

// The references of the three branches for one query.
reference::AttentionRow compressed_reference(const AttentionProblem& problem, const NsaGeometry& geometry, const Sequences& windows, const HostTensor& q,
                                             const DoubleRows& k_cmp, const DoubleRows& v_cmp, const RowId& id);
reference::AttentionRow selected_reference(const AttentionProblem& problem, const NsaGeometry& geometry, const HostTensor& q, const DoubleRows& k, const DoubleRows& v,
                                           const HostTensor& indices, const HostTensor* counts, const RowId& id);
reference::AttentionRow window_reference(const AttentionProblem& problem, std::int64_t window, double scale, const HostTensor& q, const DoubleRows& k,
                                         const DoubleRows& v, const RowId& id);

// Compares y [B, TC, H, D] on chosen windows.
CheckReport check_compression(const std::string& name, const HostTensor& y, const HostTensor& x, const Sequences& sequences, const NsaGeometry& geometry,
                              const reference::PoolingParameters& parameters);

// Judges a selection: the form of every row, and on chosen rows the scores of the blocks picked against those of the
// best blocks. q: [B, TQ, HQ, K], k_cmp: [B, TC, H, K], lse: [B, TQ, HQ] as given to the selection, or nullptr: it follows from q and k_cmp.
CheckReport check_selection(const AttentionProblem& problem, const NsaGeometry& geometry, const HostTensor& q, const HostTensor& k_cmp, const HostTensor* lse,
                            const HostTensor& indices, const HostTensor& counts);

// The blocks of one row of an index tensor [B, TQ, H, S], as many as its count says.
std::vector<std::int64_t> blocks_of_row(const HostTensor& indices, const HostTensor* counts, std::int64_t row);

}  // namespace tilewright::kernels
