#include "kernels_src/attention/problem.h"

#include "kernels_src/common/inputs.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <cmath>

namespace tilewright::kernels {

std::vector<OperatorSetting> attention_settings(const AttentionDefaults& defaults) {
  return {
      {"batch", "1", "B, sequences of equal length"},
      {"seq", defaults.seq, "TQ, queries of a sequence"},
      {"kv_seq", "", "TK, keys of a sequence; queries are its last tokens (seq)"},
      {"heads", defaults.heads, "HQ, query heads"},
      {"kv_heads", defaults.kv_heads, "H, key and value heads; divides heads"},
      {"dim", defaults.dim, "K, size of a query and a key head"},
      {"value_dim", "", "V, size of a value head (dim)"},
      {"scale", "", "factor of the logits (dim^-1/2)"},
      {"dtype", "f32", "f32, f16 or bf16"},
      {"cu_seqlens", "", "starts of packed sequences and the end of the last, '0,15,205': batch is then 1 and seq the last number"},
      {"cu_seqlens_k", "", "the same for keys (cu_seqlens)"},
  };
}

AttentionProblem problem_from_settings(const OperatorSettings& settings) {
  AttentionProblem problem;
  problem.q_heads = settings.integer("heads", 1);
  problem.kv_heads = settings.integer("kv_heads", 1);
  if (problem.q_heads % problem.kv_heads != 0) {
    throw Error(3002, "setting 'kv_heads' is '" + settings.text("kv_heads") + "', expected a divisor of heads, " + settings.text("heads"));
  }
  problem.dim = settings.integer("dim", 1);
  problem.value_dim = integer_or(settings, "value_dim", problem.dim, 1);
  problem.scale = scale_of(settings, problem.dim);
  problem.dtype = float_dtype(settings);
  const std::int64_t batch = settings.integer("batch", 1);
  const std::vector<std::int64_t> cu_q = settings.integers("cu_seqlens");
  if (cu_q.empty()) {
    const std::int64_t tq = settings.integer("seq", 1);
    problem.sequences = Sequences::dense(batch, tq, integer_or(settings, "kv_seq", tq, 1));
  } else {
    if (batch != 1) throw Error(3002, "setting 'batch' is '" + settings.text("batch") + "', expected 1 with cu_seqlens");
    std::vector<std::int64_t> cu_k = settings.integers("cu_seqlens_k");
    if (cu_k.empty()) cu_k = cu_q;
    problem.sequences = Sequences::from_cu_seqlens(cu_q, cu_k, cu_q.back(), cu_k.back());
  }
  return problem;
}

std::vector<std::int64_t> query_shape(const AttentionProblem& problem, std::int64_t heads, std::int64_t width) {
  const Sequences& s = problem.sequences;
  return {s.packed ? 1 : s.count(), s.packed ? s.total_q() : s.longest_q(), heads, width};
}

std::vector<std::int64_t> key_shape(const AttentionProblem& problem, std::int64_t width) {
  const Sequences& s = problem.sequences;
  return {s.packed ? 1 : s.count(), s.packed ? s.total_k() : s.longest_k(), problem.kv_heads, width};
}

void add_cu_seqlens(const AttentionProblem& problem, TensorMap& inputs) {
  if (!problem.sequences.packed) return;
  inputs["cu_seqlens"] = cu_seqlens_of_queries(problem.sequences);
  inputs["cu_seqlens_k"] = cu_seqlens_of_keys(problem.sequences);
}

void add_attention_inputs(const AttentionProblem& problem, std::uint64_t seed, TensorMap& inputs) {
  inputs["q"] = random_normal(problem.dtype, query_shape(problem, problem.q_heads, problem.dim), Philox(seed, "q"));
  inputs["k"] = random_normal(problem.dtype, key_shape(problem, problem.dim), Philox(seed, "k"));
  inputs["v"] = random_normal(problem.dtype, key_shape(problem, problem.value_dim), Philox(seed, "v"));
  add_cu_seqlens(problem, inputs);
}

namespace {

std::vector<std::int64_t> starts_of(const OperatorSettings& settings, const TensorMap& inputs, const std::string& name) {
  const HostTensor* tensor = optional_input(inputs, name);
  return tensor != nullptr ? integers_of(name, *tensor) : settings.integers(name);
}

}  // namespace

Sequences sequences_of(const OperatorSettings& settings, const TensorMap& inputs, std::int64_t batch, std::int64_t tq, std::int64_t tk) {
  const std::vector<std::int64_t> cu_q = starts_of(settings, inputs, "cu_seqlens");
  std::vector<std::int64_t> cu_k = starts_of(settings, inputs, "cu_seqlens_k");
  if (cu_q.empty() && optional_input(inputs, "cu_seqlens") == nullptr) {
    if (!cu_k.empty()) throw Error(3120, "cu_seqlens_k is given without cu_seqlens");
    return Sequences::dense(batch, tq, tk);
  }
  if (batch != 1) throw Error(3111, "packed inputs have batch " + std::to_string(batch) + ", expected 1").note("cu_seqlens is given");
  if (cu_k.empty()) cu_k = cu_q;
  return Sequences::from_cu_seqlens(cu_q, cu_k, tq, tk);
}

std::int64_t key_length_of(const OperatorSettings& settings, const TensorMap& inputs, std::int64_t tq) {
  const std::vector<std::int64_t> cu_k = starts_of(settings, inputs, "cu_seqlens_k");
  return cu_k.empty() ? integer_or(settings, "kv_seq", tq, 1) : cu_k.back();
}

double scale_of(const OperatorSettings& settings, std::int64_t dim) { return number_or(settings, "scale", 1 / std::sqrt(static_cast<double>(dim))); }

void expect_queries_in_keys(const Sequences& sequences) {
  for (const Sequence& s : sequences.list) {
    if (s.q_length <= s.k_length) continue;
    throw Error(3122, "a sequence has " + std::to_string(s.q_length) + " queries and " + std::to_string(s.k_length) + " keys")
        .note("queries are the last tokens of the keys' sequence");
  }
}

void read_queries(const HostTensor& q, std::int64_t kv_heads, AttentionProblem& problem) {
  expect_rank("q", q, 4);
  expect_float_dtype("q", q);
  expect_not_empty("q", q, {0, 2, 3});
  problem.dtype = q.dtype();
  problem.q_heads = q.shape()[2];
  problem.dim = q.shape()[3];
  problem.kv_heads = kv_heads;
  if (problem.q_heads % kv_heads != 0) {
    throw Error(3111, "input 'q' has " + std::to_string(problem.q_heads) + " heads, no multiple of the " + std::to_string(kv_heads) + " key heads");
  }
}

AttentionProblem problem_of(const OperatorSettings& settings, const TensorMap& inputs) {
  const HostTensor &q = input(inputs, "q"), &k = input(inputs, "k"), &v = input(inputs, "v");
  expect_rank("k", k, 4);
  expect_rank("v", v, 4);
  expect_not_empty("k", k, {2});
  AttentionProblem problem;
  read_queries(q, k.shape()[2], problem);
  expect_dtype("k", k, q.dtype());
  expect_dtype("v", v, q.dtype());
  expect_shape("k", k, {q.shape()[0], k.shape()[1], problem.kv_heads, problem.dim}, "[B, TK, H, K]");
  expect_not_empty("v", v, {3});
  problem.value_dim = v.shape()[3];
  expect_shape("v", v, {q.shape()[0], k.shape()[1], problem.kv_heads, problem.value_dim}, "[B, TK, H, V]");
  problem.sequences = sequences_of(settings, inputs, q.shape()[0], q.shape()[1], k.shape()[1]);
  problem.scale = scale_of(settings, problem.dim);
  return problem;
}

}  // namespace tilewright::kernels
