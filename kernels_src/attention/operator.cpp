// The operator flash_forward.
#include "kernels_src/attention/attention.h"
#include "kernels_src/attention/check.h"
#include "kernels_src/attention/kernel.h"
#include "kernels_src/attention/problem.h"
#include "kernels_src/attention/reference.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "runtime/support/error.h"

#include <algorithm>

namespace tilewright::kernels {

namespace {

class FlashForwardOperator final : public Operator {
 public:
  std::string name() const override { return "flash_forward"; }
  std::string summary() const override { return "Softmax attention with online softmax: causal, sliding window, grouped heads, packed sequences"; }

  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = attention_settings({});
    all.push_back({"causal", "true", "a query sees keys up to its own position"});
    all.push_back({"window", "0", "of these the last so many; 0: all. Needs causal"});
    return all;
  }

  std::vector<const program::TraceableKernel*> kernels() const override { return {&flash_forward_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    TensorMap inputs;
    add_attention_inputs(problem_from_settings(settings), seed, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    problem_of(settings, inputs);
    options_of(settings, 1);
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const AttentionResult result = flash_forward(session, session.upload(input(inputs, "q")), session.upload(input(inputs, "k")),
                                                 session.upload(input(inputs, "v")), problem.sequences, options_of(settings, problem.scale));
    return {{"o", session.download(result.output)}, {"lse", session.download(result.lse)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const AttentionOptions options = options_of(settings, problem.scale);
    const DoubleRows k(input(inputs, "k")), v(input(inputs, "v"));
    const HostTensor& q = input(inputs, "q");
    const double keys_seen = static_cast<double>(options.window > 0 ? options.window : problem.sequences.longest_k());
    return check_attention(problem, "o", input(outputs, "o"), "lse", input(outputs, "lse"), keys_seen * static_cast<double>(problem.dim + problem.value_dim),
                           [&](const RowId& id) {
                             const Sequence& s = problem.sequences.list[id.sequence];
                             const auto keys = reference::visible_keys(s.position(id.token), s.k_length, options.causal, options.window);
                             return reference::attend(row_of(q, query_row(problem.sequences, id, problem.q_heads)),
                                                      reference::rows_of_keys(keys, s.k_start, problem.kv_heads, id.head / problem.group()), k, v, problem.scale);
                           });
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    const AttentionOptions options = options_of(settings, problem.scale);
    double pairs = 0;
    for (const Sequence& s : problem.sequences.list) {
      for (std::int64_t t = 0; t < s.q_length; ++t) {
        const std::int64_t seen = options.causal ? std::clamp<std::int64_t>(s.position(t) + 1, 0, s.k_length) : s.k_length;
        pairs += static_cast<double>(options.window > 0 ? std::min(seen, options.window) : seen);
      }
    }
    return 2 * pairs * static_cast<double>(problem.q_heads * (problem.dim + problem.value_dim));
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = problem_of(settings, inputs);
    double total = static_cast<double>(problem.sequences.total_q() * problem.q_heads) * (static_cast<double>(problem.value_dim * size_of(problem.dtype)) + 4);
    for (const char* name : {"q", "k", "v"}) total += static_cast<double>(input(inputs, name).bytes());
    return total;
  }

 private:
  static AttentionOptions options_of(const OperatorSettings& settings, double scale) {
    AttentionOptions options{scale, settings.flag("causal"), settings.integer("window", 0), settings.tunables};
    if (options.window > 0 && !options.causal) throw Error(3123, "window is " + std::to_string(options.window) + " without causal");
    return options;
  }
};

const RegisterOperator registered(std::make_unique<FlashForwardOperator>());

}  // namespace

}  // namespace tilewright::kernels
