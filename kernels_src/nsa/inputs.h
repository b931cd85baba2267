// What the operators of this folder share: checks of compressed keys, of block indices and of pooling weights, and their random values.
#pragma once

#include "kernels_src/attention/problem.h"
#include "kernels_src/nsa/geometry.h"
#include "kernels_src/nsa/pooling.h"
#include "kernels_src/nsa/reference.h"
#include "runtime/operator.h"

#include <string>

namespace tilewright::kernels {

// Settings of an operator with queries and a geometry.
std::vector<OperatorSetting> nsa_settings();

// q against k_cmp (and v_cmp where `with_values`): sizes, and the windows that the geometry gives for the keys' length. Throws TW3110, TW3111, TW3112, TW3120, TW3122.
AttentionProblem compressed_problem_of(const OperatorSettings& settings, const TensorMap& inputs, const NsaGeometry& geometry, bool with_values);

// [B, TC, H, width]; B is 1 and TC the total when packed.
std::vector<std::int64_t> window_shape(const AttentionProblem& problem, const NsaGeometry& geometry, std::int64_t width);

// indices [B, TQ, H, S] and, if there, counts [B, TQ, H]: shapes, i32 or i64, values. Throws TW3124 for an index below -1 or beyond the keys, TW3125 for a block
// that begins after the query, TW3126 for a count outside [0, S].
void validate_selection(const AttentionProblem& problem, std::int64_t block_size, const TensorMap& inputs);

// Integers of any width as i32.
HostTensor as_i32(const HostTensor& tensor);

// Setting `pooling`; the names of weights and positions are with the prefix: "w_k", "pe_k".
OperatorSetting pooling_setting();
void add_pooling_inputs(Pooling pooling, bool positions, const std::string& weights_name, const std::string& positions_name, DType dtype, std::int64_t heads,
                        std::int64_t dim, const NsaGeometry& geometry, std::uint64_t seed, TensorMap& inputs);
void validate_pooling(Pooling pooling, const std::string& weights_name, const std::string& positions_name, DType dtype, std::int64_t heads, std::int64_t dim,
                      const NsaGeometry& geometry, const TensorMap& inputs);
reference::PoolingParameters pooling_reference(Pooling pooling, const std::string& weights_name, const std::string& positions_name, const TensorMap& inputs);

}  // namespace tilewright::kernels
