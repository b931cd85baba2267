// The inputs that every attention operator shares: q, k, v in [B, T, heads, dim] or packed with cu_seqlens. Their settings, random values and checks.
#pragma once

#include "kernels_src/common/sequences.h"
#include "runtime/operator.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tilewright::kernels {

// The sizes of one attention, once its inputs are known to fit each other.
struct AttentionProblem {
  Sequences sequences;
  std::int64_t q_heads = 1, kv_heads = 1;  // a group of q_heads / kv_heads neighbouring query heads shares a kv head
  std::int64_t dim = 1, value_dim = 1;
  double scale = 1;
  DType dtype = DType::F32;

  std::int64_t group() const { return q_heads / kv_heads; }
};

// Default sizes of an operator's random inputs, as text.
struct AttentionDefaults {
  std::string seq = "1024", heads = "8", kv_heads = "8", dim = "64";
};

// batch, seq, kv_seq, heads, kv_heads, dim, value_dim, scale, dtype, cu_seqlens, cu_seqlens_k.
std::vector<OperatorSetting> attention_settings(const AttentionDefaults& defaults);

// The problem the settings describe. Throws TW3002 or TW3120.
AttentionProblem problem_from_settings(const OperatorSettings& settings);

// Adds cu_seqlens and cu_seqlens_k when the problem is packed.
void add_cu_seqlens(const AttentionProblem& problem, TensorMap& inputs);

// Adds q, k, v drawn from the normal distribution, and cu_seqlens where packed.
void add_attention_inputs(const AttentionProblem& problem, std::uint64_t seed, TensorMap& inputs);

// Shapes of tensors of that problem: [B, T, heads, width], where B is 1 and T the total when packed.
std::vector<std::int64_t> query_shape(const AttentionProblem& problem, std::int64_t heads, std::int64_t width);
std::vector<std::int64_t> key_shape(const AttentionProblem& problem, std::int64_t width);

// The sequences of tensors with batch sizes and lengths given, packed if there is an input cu_seqlens or, without one, a setting of that name.
Sequences sequences_of(const OperatorSettings& settings, const TensorMap& inputs, std::int64_t batch, std::int64_t tq, std::int64_t tk);

// The length of keys where only queries are at hand: setting kv_seq, or as many as queries; packed, the last entry of cu_seqlens_k.
std::int64_t key_length_of(const OperatorSettings& settings, const TensorMap& inputs, std::int64_t tq);

// The scale of logits: the setting, or dim^-1/2.
double scale_of(const OperatorSettings& settings, std::int64_t dim);

// Throws TW3122 where a sequence has more queries than keys.
void expect_queries_in_keys(const Sequences& sequences);

// Checks q, k, v against each other. Throws TW3110, TW3111, TW3112, TW3120.
AttentionProblem problem_of(const OperatorSettings& settings, const TensorMap& inputs);

// Checks q alone; kv_heads and value_dim come from elsewhere. Throws TW3111 unless kv_heads divides the query heads.
void read_queries(const HostTensor& q, std::int64_t kv_heads, AttentionProblem& problem);

}  // namespace tilewright::kernels
