// The operators nsa_compressed_forward, nsa_selected_forward and nsa_window_forward: the branches of sparse attention one by one.
#include "kernels_src/attention/check.h"
#include "kernels_src/attention/kernel.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/compressed_kernel.h"
#include "kernels_src/nsa/inputs.h"
#include "kernels_src/nsa/nsa.h"
#include "kernels_src/nsa/random_blocks.h"
#include "kernels_src/nsa/selected_kernel.h"
#include "runtime/random.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

double output_bytes(const AttentionProblem& problem) {
  return static_cast<double>(problem.sequences.total_q() * problem.q_heads) * (static_cast<double>(problem.value_dim) * static_cast<double>(size_of(problem.dtype)) + 4);
}

double input_bytes(const TensorMap& inputs, std::initializer_list<const char*> names) {
  double total = 0;
  for (const char* name : names) total += static_cast<double>(input(inputs, name).bytes());
  return total;
}

// Floating-point operations of an attention in which the query at a position of a sequence sees keys(position, sequence) keys.
template <class Keys>
double attention_flops(const AttentionProblem& problem, Keys keys) {
  double pairs = 0;
  for (const Sequence& s : problem.sequences.list) {
    for (std::int64_t t = 0; t < s.q_length; ++t) pairs += static_cast<double>(keys(s.position(t), s));
  }
  return 2 * pairs * static_cast<double>(problem.q_heads * (problem.dim + problem.value_dim));
}

TensorMap results(Session& session, const AttentionResult& result) {
  return {{"o", session.download(result.output)}, {"lse", session.download(result.lse)}};
}

class NsaCompressedForwardOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_compressed_forward"; }
  std::string summary() const override { return "Sparse attention's compressed branch: attention over the windows in a query's past"; }
  std::vector<OperatorSetting> settings() const override { return nsa_settings(); }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&nsa_compressed_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const AttentionProblem problem = problem_from_settings(settings);
    const NsaGeometry geometry = geometry_of(settings);
    TensorMap inputs;
    inputs["q"] = random_normal(problem.dtype, query_shape(problem, problem.q_heads, problem.dim), Philox(seed, "q"));
    inputs["k_cmp"] = random_normal(problem.dtype, window_shape(problem, geometry, problem.dim), Philox(seed, "k_cmp"));
    inputs["v_cmp"] = random_normal(problem.dtype, window_shape(problem, geometry, problem.value_dim), Philox(seed, "v_cmp"));
    add_cu_seqlens(problem, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    compressed_problem_of(settings, inputs, geometry_of(settings), true);
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const AttentionProblem problem = compressed_problem_of(settings, inputs, geometry, true);
    const DeviceTensor q = session.upload(input(inputs, "q")), k = session.upload(input(inputs, "k_cmp")), v = session.upload(input(inputs, "v_cmp"));
    return results(session, nsa_compressed_forward(session, q, k, v, problem.sequences, {geometry, problem.scale, settings.tunables}));
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const AttentionProblem problem = compressed_problem_of(settings, inputs, geometry, true);
    const Sequences windows = window_sequences(problem.sequences, geometry);
    const DoubleRows k(input(inputs, "k_cmp")), v(input(inputs, "v_cmp"));
    const double work = static_cast<double>(windows.longest_k() * (problem.dim + problem.value_dim));
    return check_attention(problem, "o", input(outputs, "o"), "lse", input(outputs, "lse"), work, [&](const RowId& id) {
      return compressed_reference(problem, geometry, windows, input(inputs, "q"), k, v, id);
    });
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    return attention_flops(compressed_problem_of(settings, inputs, geometry, true),
                           [&](std::int64_t position, const Sequence&) { return geometry.visible_windows(position); });
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    return output_bytes(compressed_problem_of(settings, inputs, geometry_of(settings), true)) + input_bytes(inputs, {"q", "k_cmp", "v_cmp"});
  }
};

class NsaSelectedForwardOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_selected_forward"; }
  std::string summary() const override { return "Sparse attention's selected branch: attention over the tokens of given blocks"; }
  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = nsa_settings();
    all.push_back(redraw_setting());
    return all;
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&nsa_selected_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const AttentionProblem problem = problem_from_settings(settings);
    expect_queries_in_keys(problem.sequences);
    TensorMap inputs;
    add_attention_inputs(problem, seed, inputs);
    inputs["indices"] = random_blocks(problem, geometry_of(settings), random_blocks_of(settings), seed);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    validate_selection(checked_problem(settings, inputs), geometry_of(settings).block_size, inputs);
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const DeviceTensor q = session.upload(input(inputs, "q")), k = session.upload(input(inputs, "k")), v = session.upload(input(inputs, "v"));
    const DeviceTensor indices = session.upload(as_i32(input(inputs, "indices")));
    DeviceTensor counts;
    std::optional<TensorView> given_counts;
    if (const HostTensor* tensor = optional_input(inputs, "counts")) given_counts = counts = session.upload(as_i32(*tensor));
    return results(session,
                   nsa_selected_forward(session, q, k, v, indices, given_counts, problem.sequences, {geometry_of(settings), problem.scale, settings.tunables}));
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const NsaGeometry geometry = geometry_of(settings);
    const DoubleRows k(input(inputs, "k")), v(input(inputs, "v"));
    const double work = static_cast<double>(input(inputs, "indices").shape()[3] * geometry.block_size * (problem.dim + problem.value_dim));
    return check_attention(problem, "o", input(outputs, "o"), "lse", input(outputs, "lse"), work, [&](const RowId& id) {
      return selected_reference(problem, geometry, input(inputs, "q"), k, v, input(inputs, "indices"), optional_input(inputs, "counts"), id);
    });
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const std::int64_t most = input(inputs, "indices").shape()[3] * geometry_of(settings).block_size;
    return attention_flops(checked_problem(settings, inputs), [&](std::int64_t position, const Sequence&) { return std::min(most, position + 1); });
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    return output_bytes(checked_problem(settings, inputs)) + input_bytes(inputs, {"q", "k", "v", "indices"});
  }

 private:
  static AttentionProblem checked_problem(const OperatorSettings& settings, const TensorMap& inputs) {
    const AttentionProblem problem = problem_of(settings, inputs);
    expect_queries_in_keys(problem.sequences);
    return problem;
  }
};

class NsaWindowForwardOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_window_forward"; }
  std::string summary() const override { return "Sparse attention's sliding branch: causal attention over the last tokens"; }
  std::vector<OperatorSetting> settings() const override { return nsa_settings(); }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&flash_forward_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    TensorMap inputs;
    add_attention_inputs(problem_from_settings(settings), seed, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override { checked_problem(settings, inputs); }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const DeviceTensor q = session.upload(input(inputs, "q")), k = session.upload(input(inputs, "k")), v = session.upload(input(inputs, "v"));
    return results(session, nsa_window_forward(session, q, k, v, problem.sequences, {geometry_of(settings), problem.scale, settings.tunables}));
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const NsaGeometry geometry = geometry_of(settings);
    const DoubleRows k(input(inputs, "k")), v(input(inputs, "v"));
    const double work = static_cast<double>(geometry.window * (problem.dim + problem.value_dim));
    return check_attention(problem, "o", input(outputs, "o"), "lse", input(outputs, "lse"), work,
                           [&](const RowId& id) { return window_reference(problem, geometry.window, problem.scale, input(inputs, "q"), k, v, id); });
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const std::int64_t window = geometry_of(settings).window;
    return attention_flops(checked_problem(settings, inputs), [&](std::int64_t position, const Sequence&) { return std::min(window, position + 1); });
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    return output_bytes(checked_problem(settings, inputs)) + input_bytes(inputs, {"q", "k", "v"});
  }

 private:
  static AttentionProblem checked_problem(const OperatorSettings& settings, const TensorMap& inputs) {
    const AttentionProblem problem = problem_of(settings, inputs);
    expect_queries_in_keys(problem.sequences);
    expect_window(geometry_of(settings));
    return problem;
  }
};

const RegisterOperator registered_compressed(std::make_unique<NsaCompressedForwardOperator>());
const RegisterOperator registered_selected(std::make_unique<NsaSelectedForwardOperator>());
const RegisterOperator registered_window(std::make_unique<NsaWindowForwardOperator>());

}  // namespace

}  // namespace tilewright::kernels
