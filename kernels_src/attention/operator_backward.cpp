// The operator flash_backward. Output and lse are inputs like any other: the gradients are defined for every value of them, so random ones serve as well as those of a forward pass.
#include "kernels_src/attention/backward.h"
#include "kernels_src/attention/backward_joint.h"
#include "kernels_src/attention/backward_kernels.h"
#include "kernels_src/attention/backward_reference.h"
#include "kernels_src/attention/check.h"
#include "kernels_src/attention/problem.h"
#include "kernels_src/attention/reference.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>

namespace tilewright::kernels {

namespace {

class FlashBackwardOperator final : public Operator {
 public:
  std::string name() const override { return "flash_backward"; }
  std::string summary() const override { return "Gradients of softmax attention: causal, sliding window, grouped heads, packed sequences"; }

  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = attention_settings({});
    all.push_back({"causal", "true", "a query sees keys up to its own position"});
    all.push_back({"window", "0", "of these the last so many; 0: all. Needs causal"});
    all.push_back({"deterministic", "true", "the same in every run; false: five products a tile in place of seven, dq added up in memory. Packed sequences have it always"});
    all.push_back({"lse_counts", "false", "the loss depends on lse too (input d_lse)"});
    return all;
  }

  std::vector<const program::TraceableKernel*> kernels() const override {
    return {&attention_delta_kernel(),      &flash_backward_queries_kernel(), &flash_backward_keys_kernel(),
            &flash_backward_joint_kernel(), &gradient_sums_clear_kernel(),    &gradient_sums_round_kernel()};
  }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const AttentionProblem problem = problem_from_settings(settings);
    TensorMap inputs;
    add_attention_inputs(problem, seed, inputs);
    inputs["o"] = random_normal(problem.dtype, query_shape(problem, problem.q_heads, problem.value_dim), Philox(seed, "o"));
    inputs["d_o"] = random_normal(problem.dtype, query_shape(problem, problem.q_heads, problem.value_dim), Philox(seed, "d_o"));
    // About what normal queries and keys give: the logarithm of the keys seen, times the mean of exp.
    HostTensor lse(DType::F32, lse_shape(problem));
    const double spread = problem.scale * problem.scale * static_cast<double>(problem.dim) / 2;
    for (std::size_t n = 0; n < problem.sequences.list.size(); ++n) {
      const Sequence& s = problem.sequences.list[n];
      for (std::int64_t t = 0; t < s.q_length; ++t) {
        const double keys = static_cast<double>(keys_seen(options_of(settings, problem.scale), s, t));
        for (std::int64_t h = 0; h < problem.q_heads; ++h) lse.set(query_row(problem.sequences, {static_cast<std::int64_t>(n), t, h}, problem.q_heads), std::log(keys) + spread);
      }
    }
    inputs["lse"] = lse;
    if (settings.flag("lse_counts")) inputs["d_lse"] = random_normal(DType::F32, lse_shape(problem), Philox(seed, "d_lse"));
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    options_of(settings, 1);
    for (const char* name : {"o", "d_o"}) {
      expect_dtype(name, input(inputs, name), problem.dtype);
      expect_shape(name, input(inputs, name), query_shape(problem, problem.q_heads, problem.value_dim), "[B, TQ, HQ, V]");
    }
    for (const char* name : {"lse", "d_lse"}) {
      if (std::string_view(name) == "d_lse" && optional_input(inputs, name) == nullptr) continue;
      expect_dtype(name, input(inputs, name), DType::F32);
      expect_shape(name, input(inputs, name), lse_shape(problem), "[B, TQ, HQ]");
    }
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const auto on_device = [&](const char* name) { return session.upload(input(inputs, name)); };
    const DeviceTensor q = on_device("q"), k = on_device("k"), v = on_device("v"), o = on_device("o"), lse = on_device("lse"), d_o = on_device("d_o");
    const HostTensor* given = optional_input(inputs, "d_lse");
    const std::optional<DeviceTensor> d_lse = given != nullptr ? std::optional(session.upload(*given)) : std::nullopt;
    const AttentionGradients result = flash_backward(session, q, k, v, o, lse, d_o, d_lse, problem.sequences, options_of(settings, problem.scale));
    return {{"dq", session.download(result.dq)}, {"dk", session.download(result.dk)}, {"dv", session.download(result.dv)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const AttentionOptions options = options_of(settings, problem.scale);
    const reference::AttentionPairs pairs(inputs, problem);
    return merge(check_queries(problem, options, pairs, input(outputs, "dq")), check_keys(problem, options, pairs, input(outputs, "dk"), input(outputs, "dv")));
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const AttentionOptions options = options_of(settings, problem.scale);
    double pairs = 0;
    for (const Sequence& s : problem.sequences.list)
      for (std::int64_t t = 0; t < s.q_length; ++t) pairs += static_cast<double>(keys_seen(options, s, t));
    // What the gradients take by their definition, though two of the five products are computed twice.
    return 2 * pairs * static_cast<double>(problem.q_heads * (3 * problem.dim + 2 * problem.value_dim));
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    double total = 0;
    for (const char* name : {"q", "k", "v"}) total += 2 * static_cast<double>(input(inputs, name).bytes());
    for (const char* name : {"o", "d_o", "lse"}) total += static_cast<double>(input(inputs, name).bytes());
    return total;
  }

 private:
  static std::vector<std::int64_t> lse_shape(const AttentionProblem& problem) {
    std::vector<std::int64_t> shape = query_shape(problem, problem.q_heads, 1);
    shape.pop_back();
    return shape;
  }

  static AttentionOptions options_of(const OperatorSettings& settings, double scale) {
    AttentionOptions options{scale, settings.flag("causal"), settings.integer("window", 0), settings.tunables, settings.flag("deterministic")};
    if (options.window > 0 && !options.causal) throw Error(3123, "window is " + std::to_string(options.window) + " without causal");
    return options;
  }

  static std::int64_t keys_seen(const AttentionOptions& options, const Sequence& s, std::int64_t t) {
    const std::int64_t seen = options.causal ? std::clamp<std::int64_t>(s.position(t) + 1, 0, s.k_length) : s.k_length;
    return options.window > 0 ? std::min(seen, options.window) : seen;
  }

  static CheckReport check_queries(const AttentionProblem& problem, const AttentionOptions& options, const reference::AttentionPairs& pairs, const HostTensor& dq) {
    const double work = static_cast<double>((options.window > 0 ? options.window : problem.sequences.longest_k()) * (2 * problem.dim + problem.value_dim));
    std::vector<std::int64_t> rows;
    std::vector<double> expected;
    double largest_logit = 0;
    for (const RowId& id : choose_rows(problem.sequences, problem.q_heads, affordable_rows(work))) {
      const Sequence& s = problem.sequences.list[id.sequence];
      const std::int64_t row = query_row(problem.sequences, id, problem.q_heads);
      std::vector<double> sum(static_cast<std::size_t>(problem.dim));
      for (std::int64_t j : reference::visible_keys(s.position(id.token), s.k_length, options.causal, options.window)) {
        const std::int64_t key = (s.k_start + j) * problem.kv_heads + id.head / problem.group();
        const reference::AttentionPairs::Pair pair = pairs.at(row, key);
        reference::add_scaled(sum, pair.ds * problem.scale, pairs.k.row(key));
        largest_logit = std::max(largest_logit, std::fabs(pair.logit));
      }
      rows.push_back(row);
      expected.insert(expected.end(), sum.begin(), sum.end());
    }
    return compare_rows("dq", dq, rows, problem.dim, expected, tolerance_for_logits(dq.dtype(), largest_logit));
  }

  static CheckReport check_keys(const AttentionProblem& problem, const AttentionOptions& options, const reference::AttentionPairs& pairs, const HostTensor& dk, const HostTensor& dv) {
    const double work = static_cast<double>(problem.sequences.longest_q() * problem.group() * (2 * problem.dim + 2 * problem.value_dim));
    // Keys as tokens of sequences of their own.
    Sequences keys = problem.sequences;
    for (Sequence& s : keys.list) s.q_start = s.k_start, s.q_length = s.k_length;
    std::vector<std::int64_t> rows;
    std::vector<double> expected_dk, expected_dv;
    double largest_logit = 0;
    for (const RowId& id : choose_rows(keys, problem.kv_heads, affordable_rows(work))) {
      const Sequence& s = problem.sequences.list[id.sequence];
      const std::int64_t key = query_row(keys, id, problem.kv_heads);
      std::vector<double> dk_sum(static_cast<std::size_t>(problem.dim)), dv_sum(static_cast<std::size_t>(problem.value_dim));
      for (std::int64_t t = 0; t < s.q_length; ++t) {
        const std::int64_t position = s.position(t);
        if ((options.causal && id.token > position) || (options.window > 0 && id.token <= position - options.window)) continue;
        for (std::int64_t member = 0; member < problem.group(); ++member) {
          const std::int64_t row = query_row(problem.sequences, {id.sequence, t, id.head * problem.group() + member}, problem.q_heads);
          const reference::AttentionPairs::Pair pair = pairs.at(row, key);
          reference::add_scaled(dk_sum, pair.ds * problem.scale, pairs.q.row(row));
          reference::add_scaled(dv_sum, pair.p, pairs.d_o.row(row));
          largest_logit = std::max(largest_logit, std::fabs(pair.logit));
        }
      }
      rows.push_back(key);
      expected_dk.insert(expected_dk.end(), dk_sum.begin(), dk_sum.end());
      expected_dv.insert(expected_dv.end(), dv_sum.begin(), dv_sum.end());
    }
    const double tolerance = tolerance_for_logits(dk.dtype(), largest_logit);
    return merge(compare_rows("dk", dk, rows, problem.dim, expected_dk, tolerance), compare_rows("dv", dv, rows, problem.value_dim, expected_dv, tolerance));
  }
};

const RegisterOperator registered(std::make_unique<FlashBackwardOperator>());

}  // namespace

}  // namespace tilewright::kernels
