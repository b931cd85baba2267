#include "kernels_src/nsa/inputs.h"

#include "kernels_src/common/inputs.h"
#include "kernels_src/nsa/check.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <cmath>
#include <limits>

namespace tilewright::kernels {

std::vector<OperatorSetting> nsa_settings() {
  std::vector<OperatorSetting> all = attention_settings({.seq = "1024", .heads = "16", .kv_heads = "1", .dim = "64"});
  for (OperatorSetting& setting : geometry_settings()) all.push_back(std::move(setting));
  return all;
}

std::vector<std::int64_t> window_shape(const AttentionProblem& problem, const NsaGeometry& geometry, std::int64_t width) {
  const Sequences windows = window_sequences(problem.sequences, geometry);
  return {windows.packed ? 1 : windows.count(), windows.packed ? windows.total_k() : windows.longest_k(), problem.kv_heads, width};
}

AttentionProblem compressed_problem_of(const OperatorSettings& settings, const TensorMap& inputs, const NsaGeometry& geometry, bool with_values) {
  const HostTensor &q = input(inputs, "q"), &k_cmp = input(inputs, "k_cmp");
  expect_rank("k_cmp", k_cmp, 4);
  expect_not_empty("k_cmp", k_cmp, {2});
  AttentionProblem problem;
  read_queries(q, k_cmp.shape()[2], problem);
  const std::int64_t tq = q.shape()[1];
  problem.sequences = sequences_of(settings, inputs, q.shape()[0], tq, key_length_of(settings, inputs, tq));
  expect_queries_in_keys(problem.sequences);
  problem.scale = scale_of(settings, problem.dim);
  expect_dtype("k_cmp", k_cmp, q.dtype());
  expect_shape("k_cmp", k_cmp, window_shape(problem, geometry, problem.dim), "[B, TC, H, K], TC windows for kv_seq keys in the geometry");
  if (with_values) {
    const HostTensor& v_cmp = input(inputs, "v_cmp");
    expect_rank("v_cmp", v_cmp, 4);
    expect_not_empty("v_cmp", v_cmp, {3});
    expect_dtype("v_cmp", v_cmp, q.dtype());
    problem.value_dim = v_cmp.shape()[3];
    expect_shape("v_cmp", v_cmp, window_shape(problem, geometry, problem.value_dim), "[B, TC, H, V], TC windows for kv_seq keys in the geometry");
  }
  return problem;
}

void validate_selection(const AttentionProblem& problem, std::int64_t block_size, const TensorMap& inputs) {
  const HostTensor& indices = input(inputs, "indices");
  expect_rank("indices", indices, 4);
  expect_index_dtype("indices", indices);
  const std::int64_t slots = indices.shape()[3];
  if (slots < 1) throw Error(3111, "input 'indices' has shape " + shape_text(indices.shape()) + ": no slots");
  expect_shape("indices", indices, query_shape(problem, problem.kv_heads, slots), "[B, TQ, H, S]");
  const HostTensor* counts = optional_input(inputs, "counts");
  if (counts != nullptr) {
    expect_index_dtype("counts", *counts);
    std::vector<std::int64_t> shape = query_shape(problem, problem.kv_heads, 1);
    shape.pop_back();
    expect_shape("counts", *counts, shape, "[B, TQ, H]");
  }
  for (const RowId& id : choose_rows(problem.sequences, problem.kv_heads, std::numeric_limits<std::int64_t>::max())) {
    const std::int64_t row = query_row(problem.sequences, id, problem.kv_heads);
    const Sequence& s = problem.sequences.list[id.sequence];
    const auto at = [&] {
      return "[" + std::to_string(problem.sequences.packed ? 0 : id.sequence) + ", " + std::to_string(id.token + (problem.sequences.packed ? s.q_start : 0)) + ", " + std::to_string(id.head);
    };
    if (counts != nullptr) {
      const auto count = static_cast<std::int64_t>(counts->at(row));
      if (count < 0 || count > slots) {
        throw Error(3126, "counts" + at() + "] is " + std::to_string(count) + ", expected 0 to " + std::to_string(slots));
      }
    }
    for (std::int64_t i = 0; i < slots; ++i) {
      const auto block = static_cast<std::int64_t>(indices.at(row * slots + i));
      const auto where = [&] { return "indices" + at() + ", " + std::to_string(i) + "] is " + std::to_string(block); };
      if (block < -1 || block * block_size >= std::max<std::int64_t>(s.k_length, 1)) {
        const std::int64_t last = (s.k_length + block_size - 1) / block_size - 1;
        throw Error(3124, where() + ", expected -1 to " + std::to_string(last)).note("a sequence of " + std::to_string(s.k_length) + " keys has so many blocks");
      }
      if (block * block_size > s.position(id.token)) {
        throw Error(3125, where() + ", a block after the query's position " + std::to_string(s.position(id.token)));
      }
    }
  }
}

HostTensor as_i32(const HostTensor& tensor) {
  if (tensor.dtype() == DType::I32) return tensor;
  HostTensor result(DType::I32, tensor.shape());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) result.set(i, tensor.at(i));
  return result;
}

OperatorSetting pooling_setting() { return {"pooling", "mean", "mean, weighted or linear: how a window becomes one token"}; }

namespace {

std::vector<std::int64_t> weights_shape(Pooling pooling, std::int64_t heads, std::int64_t dim, const NsaGeometry& geometry) {
  if (pooling == Pooling::Weighted) return {heads, geometry.compress_length};
  return {heads, geometry.compress_length * dim, dim};
}

}  // namespace

void add_pooling_inputs(Pooling pooling, bool positions, const std::string& weights_name, const std::string& positions_name, DType dtype, std::int64_t heads,
                        std::int64_t dim, const NsaGeometry& geometry, std::uint64_t seed, TensorMap& inputs) {
  if (pooling != Pooling::Mean) {
    const double deviation = 1 / std::sqrt(static_cast<double>(geometry.compress_length * (pooling == Pooling::Linear ? dim : 1)));
    inputs[weights_name] = random_normal(dtype, weights_shape(pooling, heads, dim, geometry), Philox(seed, weights_name), 0, deviation);
  }
  if (positions) inputs[positions_name] = random_normal(dtype, {heads, geometry.compress_length, dim}, Philox(seed, positions_name), 0, 0.5);
}

void validate_pooling(Pooling pooling, const std::string& weights_name, const std::string& positions_name, DType dtype, std::int64_t heads, std::int64_t dim,
                      const NsaGeometry& geometry, const TensorMap& inputs) {
  if (pooling != Pooling::Mean) {
    const HostTensor& weights = input(inputs, weights_name);
    expect_dtype(weights_name, weights, dtype);
    expect_shape(weights_name, weights, weights_shape(pooling, heads, dim, geometry), pooling == Pooling::Weighted ? "[H, l]" : "[H, l*D, D]");
  }
  if (const HostTensor* positions = optional_input(inputs, positions_name)) {
    expect_dtype(positions_name, *positions, dtype);
    expect_shape(positions_name, *positions, {heads, geometry.compress_length, dim}, "[H, l, D]");
  }
}

reference::PoolingParameters pooling_reference(Pooling pooling, const std::string& weights_name, const std::string& positions_name, const TensorMap& inputs) {
  reference::PoolingParameters parameters;
  parameters.kind = pooling;
  if (pooling != Pooling::Mean) parameters.weights = DoubleRows(input(inputs, weights_name));
  if (const HostTensor* positions = optional_input(inputs, positions_name)) parameters.positions = DoubleRows(*positions);
  return parameters;
}

}  // namespace tilewright::kernels
