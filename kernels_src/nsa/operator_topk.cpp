// The operator nsa_topk.
#include "kernels_src/common/inputs.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/inputs.h"
#include "kernels_src/nsa/nsa.h"
#include "kernels_src/nsa/topk_kernel.h"
#include "runtime/random.h"

namespace tilewright::kernels {

namespace {

class NsaTopkOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_topk"; }
  std::string summary() const override { return "Sparse attention's selection: the most important blocks of every query group, from the attention over windows"; }
  std::vector<OperatorSetting> settings() const override { return nsa_settings(); }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&nsa_topk_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const AttentionProblem problem = problem_from_settings(settings);
    TensorMap inputs;
    inputs["q"] = random_normal(problem.dtype, query_shape(problem, problem.q_heads, problem.dim), Philox(seed, "q"));
    inputs["k_cmp"] = random_normal(problem.dtype, window_shape(problem, geometry_of(settings), problem.dim), Philox(seed, "k_cmp"));
    add_cu_seqlens(problem, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override { checked_problem(settings, inputs); }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const DeviceTensor q = session.upload(input(inputs, "q")), k_cmp = session.upload(input(inputs, "k_cmp"));
    DeviceTensor lse;
    std::optional<TensorView> given_lse;
    if (const HostTensor* tensor = optional_input(inputs, "lse")) given_lse = lse = session.upload(*tensor);
    const NsaSelection selection = nsa_topk(session, q, k_cmp, given_lse, problem.sequences, {geometry_of(settings), problem.scale, settings.tunables});
    return {{"indices", session.download(selection.indices)}, {"counts", session.download(selection.counts)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    return check_selection(checked_problem(settings, inputs), geometry_of(settings), input(inputs, "q"), input(inputs, "k_cmp"), optional_input(inputs, "lse"),
                           input(outputs, "indices"), input(outputs, "counts"));
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const AttentionProblem problem = checked_problem(settings, inputs);
    double pairs = 0;
    for (const Sequence& s : problem.sequences.list) {
      for (std::int64_t t = 0; t < s.q_length; ++t) pairs += static_cast<double>(geometry.visible_windows(s.position(t)));
    }
    return 2 * pairs * static_cast<double>(problem.q_heads * problem.dim);
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs);
    const double outputs = 4.0 * static_cast<double>(problem.sequences.total_q() * problem.kv_heads * (geometry_of(settings).slots + 1));
    return outputs + static_cast<double>(input(inputs, "q").bytes() + input(inputs, "k_cmp").bytes());
  }

 private:
  static AttentionProblem checked_problem(const OperatorSettings& settings, const TensorMap& inputs) {
    const AttentionProblem problem = compressed_problem_of(settings, inputs, geometry_of(settings), false);
    if (const HostTensor* lse = optional_input(inputs, "lse")) {
      expect_dtype("lse", *lse, DType::F32);
      std::vector<std::int64_t> shape = query_shape(problem, problem.q_heads, 1);
      shape.pop_back();
      expect_shape("lse", *lse, shape, "[B, TQ, HQ]");
    }
    return problem;
  }
};

const RegisterOperator registered(std::make_unique<NsaTopkOperator>());

}  // namespace

}  // namespace tilewright::kernels
