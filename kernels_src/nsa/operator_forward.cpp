// The operator nsa_forward: compression, selection, three branches and gates.
#include "kernels_src/attention/check.h"
#include "kernels_src/attention/kernel.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/combine_kernel.h"
#include "kernels_src/nsa/compress_kernel.h"
#include "kernels_src/nsa/compressed_kernel.h"
#include "kernels_src/nsa/inputs.h"
#include "kernels_src/nsa/nsa.h"
#include "kernels_src/nsa/selected_kernel.h"
#include "kernels_src/nsa/topk_kernel.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <list>
#include <tuple>

namespace tilewright::kernels {

namespace {

// Everything validated once.
struct NsaProblem {
  AttentionProblem attention;
  NsaGeometry geometry;
  Pooling pooling = Pooling::Mean;
  double window_scale = 1;
};

class NsaForwardOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_forward"; }
  std::string summary() const override { return "Native sparse attention: compressed, selected and sliding branches under gates"; }

  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = nsa_settings();
    all.push_back(pooling_setting());
    all.push_back({"positions", "false", "random inputs have positions pe_k"});
    return all;
  }

  std::vector<const program::TraceableKernel*> kernels() const override {
    return {&nsa_compress_kernel(), &nsa_compress_linear_kernel(), &nsa_compressed_kernel(), &nsa_topk_kernel(),
            &nsa_selected_kernel(), &flash_forward_kernel(),       &nsa_combine_kernel()};
  }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const AttentionProblem problem = problem_from_settings(settings);
    const NsaGeometry geometry = geometry_of(settings);
    const Pooling pooling = parse_pooling(settings.text("pooling"));
    TensorMap inputs;
    add_attention_inputs(problem, seed, inputs);
    for (const char* gate : {"g_cmp", "g_slc", "g_swa"}) inputs[gate] = random_uniform(problem.dtype, gate_shape(problem), Philox(seed, gate));
    add_pooling_inputs(pooling, settings.flag("positions"), "w_k", "pe_k", problem.dtype, problem.kv_heads, problem.dim, geometry, seed, inputs);
    add_pooling_inputs(pooling, false, "w_v", "pe_v", problem.dtype, problem.kv_heads, problem.value_dim, geometry, seed, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaProblem problem = checked_problem(settings, inputs);
    if (optional_input(inputs, "indices") != nullptr) validate_selection(problem.attention, problem.geometry.block_size, inputs);
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaProblem problem = checked_problem(settings, inputs);
    std::list<DeviceTensor> uploaded;
    const auto upload = [&](const HostTensor& tensor) -> TensorView { return uploaded.emplace_back(session.upload(tensor)); };
    const auto given = [&](const char* name) { return upload(input(inputs, name)); };
    const auto optional = [&](const char* name, bool index = false) -> std::optional<TensorView> {
      const HostTensor* tensor = optional_input(inputs, name);
      if (tensor == nullptr) return {};
      return upload(index ? as_i32(*tensor) : *tensor);
    };
    NsaInputs device;
    device.q = given("q");
    device.k = given("k");
    device.v = given("v");
    device.g_cmp = given("g_cmp");
    device.g_slc = given("g_slc");
    if (problem.geometry.window > 0) device.g_swa = given("g_swa");
    device.k_cmp = optional("k_cmp");
    device.v_cmp = optional("v_cmp");
    if (!device.k_cmp) {
      device.pool_k.kind = device.pool_v.kind = problem.pooling;
      if (problem.pooling != Pooling::Mean) {
        device.pool_k.weights = given("w_k");
        device.pool_v.weights = given("w_v");
      }
      device.pool_k.positions = optional("pe_k");
      device.pool_v.positions = optional("pe_v");
    }
    device.indices = optional("indices", true);
    device.counts = optional("counts", true);

    const NsaResult result = nsa_forward(session, device, problem.attention.sequences, {problem.geometry, problem.attention.scale, settings.tunables});
    TensorMap outputs;
    const auto download = [&](const char* name, const DeviceTensor& tensor) { outputs[name] = session.download(tensor); };
    download("o", result.output);
    download("k_cmp", result.k_cmp);
    download("v_cmp", result.v_cmp);
    download("o_cmp", result.compressed.output);
    download("lse_cmp", result.compressed.lse);
    if (!device.indices) {
      download("indices", result.selection.indices);
      download("counts", result.selection.counts);
    }
    download("o_slc", result.selected.output);
    download("lse_slc", result.selected.lse);
    if (problem.geometry.window > 0) {
      download("o_swa", result.window.output);
      download("lse_swa", result.window.lse);
    }
    return outputs;
  }

  // The selection is judged by its scores over the kernel's own windows and lse; everything after it on the blocks the kernel chose.
  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const NsaProblem problem = checked_problem(settings, inputs);
    const AttentionProblem& attention = problem.attention;
    const NsaGeometry& geometry = problem.geometry;
    const HostTensor &q = input(inputs, "q"), &k_cmp = input(outputs, "k_cmp"), &v_cmp = input(outputs, "v_cmp");
    const bool given_windows = optional_input(inputs, "k_cmp") != nullptr;
    const bool given_indices = optional_input(inputs, "indices") != nullptr;
    const HostTensor& indices = input(given_indices ? inputs : outputs, "indices");
    const HostTensor* counts = given_indices ? optional_input(inputs, "counts") : &input(outputs, "counts");

    CheckReport report;
    report.ok = true;
    if (!given_windows) {
      for (const auto& [name, source, weights, positions] :
           {std::tuple{"k_cmp", "k", "w_k", "pe_k"}, std::tuple{"v_cmp", "v", "w_v", "pe_v"}}) {
        report = merge(report, check_compression(name, input(outputs, name), input(inputs, source), attention.sequences, geometry,
                                                 pooling_reference(problem.pooling, weights, positions, inputs)));
      }
    }
    if (!given_indices) {
      const CheckReport selection = check_selection(attention, geometry, q, k_cmp, &input(outputs, "lse_cmp"), indices, *counts);
      if (!selection.ok) return merge(report, selection);
      report = merge(report, selection);
    }

    const Sequences windows = window_sequences(attention.sequences, geometry);
    const DoubleRows k(input(inputs, "k")), v(input(inputs, "v")), compressed_k(k_cmp), compressed_v(v_cmp);
    struct Branch {
      const char *output, *lse, *gate;
      std::function<reference::AttentionRow(const RowId&)> reference;
      std::vector<double> outputs, lses;
    };
    std::vector<Branch> branches;
    branches.push_back({"o_cmp", "lse_cmp", "g_cmp",
                        [&](const RowId& id) { return compressed_reference(attention, geometry, windows, q, compressed_k, compressed_v, id); }, {}, {}});
    branches.push_back({"o_slc", "lse_slc", "g_slc",
                        [&](const RowId& id) { return selected_reference(attention, geometry, q, k, v, indices, counts, id); }, {}, {}});
    if (geometry.window > 0) {
      branches.push_back({"o_swa", "lse_swa", "g_swa",
                          [&](const RowId& id) { return window_reference(attention, geometry.window, problem.window_scale, q, k, v, id); }, {}, {}});
    }
    const std::int64_t keys_seen = windows.longest_k() + indices.shape()[3] * geometry.block_size + geometry.window;
    std::vector<std::int64_t> rows;
    std::vector<double> combined;
    double largest_logit = 0;
    for (const RowId& id : choose_rows(attention.sequences, attention.q_heads,
                                       affordable_rows(static_cast<double>(keys_seen * (attention.dim + attention.value_dim))))) {
      const std::int64_t row = query_row(attention.sequences, id, attention.q_heads);
      rows.push_back(row);
      std::vector<double> sum(static_cast<std::size_t>(attention.value_dim), 0.0);
      for (Branch& branch : branches) {
        const reference::AttentionRow result = branch.reference(id);
        branch.outputs.insert(branch.outputs.end(), result.output.begin(), result.output.end());
        branch.lses.push_back(result.lse);
        largest_logit = std::max(largest_logit, result.largest_logit);
        const double gate = input(inputs, branch.gate).at(row);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gate * result.output[i];
      }
      combined.insert(combined.end(), sum.begin(), sum.end());
    }
    const double tolerance = tolerance_for_logits(attention.dtype, largest_logit);
    report = merge(report, compare_rows("o", input(outputs, "o"), rows, attention.value_dim, combined, tolerance));
    for (const Branch& branch : branches) {
      report = merge(report, compare_rows(branch.output, input(outputs, branch.output), rows, attention.value_dim, branch.outputs, tolerance));
      report = merge(report, compare_rows(branch.lse, input(outputs, branch.lse), rows, 1, branch.lses, tolerance_for(DType::F32)));
    }
    return report;
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaProblem problem = checked_problem(settings, inputs);
    const NsaGeometry& g = problem.geometry;
    const auto per_key = static_cast<double>(problem.attention.q_heads);
    const double both = static_cast<double>(problem.attention.dim + problem.attention.value_dim);
    double total = 0;
    for (const Sequence& s : problem.attention.sequences.list) {
      for (std::int64_t t = 0; t < s.q_length; ++t) {
        const std::int64_t position = s.position(t);
        const auto windows = static_cast<double>(g.visible_windows(position));
        const auto tokens = static_cast<double>(std::min(g.slots * g.block_size, position + 1) + std::min(g.window, position + 1));
        total += 2 * per_key * (windows * (both + static_cast<double>(problem.attention.dim)) + tokens * both);
      }
    }
    return total;
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const AttentionProblem problem = checked_problem(settings, inputs).attention;
    double total = static_cast<double>(problem.sequences.total_q() * problem.q_heads * problem.value_dim) * static_cast<double>(size_of(problem.dtype));
    for (const char* name : {"q", "k", "v"}) total += static_cast<double>(input(inputs, name).bytes());
    return total;
  }

 private:
  static std::vector<std::int64_t> gate_shape(const AttentionProblem& problem) {
    std::vector<std::int64_t> shape = query_shape(problem, problem.q_heads, 1);
    shape.pop_back();
    return shape;
  }

  static NsaProblem checked_problem(const OperatorSettings& settings, const TensorMap& inputs) {
    NsaProblem problem;
    problem.geometry = geometry_of(settings);
    problem.pooling = parse_pooling(settings.text("pooling"));
    problem.attention = problem_of(settings, inputs);
    const AttentionProblem& attention = problem.attention;
    expect_queries_in_keys(attention.sequences);
    problem.window_scale = problem.geometry.window_scale_default ? 1 / std::sqrt(static_cast<double>(attention.dim)) : attention.scale;
    for (const char* gate : {"g_cmp", "g_slc", "g_swa"}) {
      if (problem.geometry.window == 0 && std::string(gate) == "g_swa") continue;
      expect_dtype(gate, input(inputs, gate), attention.dtype);
      expect_shape(gate, input(inputs, gate), gate_shape(attention), "[B, TQ, HQ]");
    }
    const HostTensor *k_cmp = optional_input(inputs, "k_cmp"), *v_cmp = optional_input(inputs, "v_cmp");
    if ((k_cmp == nullptr) != (v_cmp == nullptr)) {
      throw Error(3110, std::string("there is an input '") + (k_cmp ? "k_cmp" : "v_cmp") + "' but no '" + (k_cmp ? "v_cmp" : "k_cmp") + "'");
    }
    if (k_cmp != nullptr) {
      expect_dtype("k_cmp", *k_cmp, attention.dtype);
      expect_dtype("v_cmp", *v_cmp, attention.dtype);
      expect_shape("k_cmp", *k_cmp, window_shape(attention, problem.geometry, attention.dim), "[B, TC, H, K]");
      expect_shape("v_cmp", *v_cmp, window_shape(attention, problem.geometry, attention.value_dim), "[B, TC, H, V]");
    } else {
      validate_pooling(problem.pooling, "w_k", "pe_k", attention.dtype, attention.kv_heads, attention.dim, problem.geometry, inputs);
      validate_pooling(problem.pooling, "w_v", "pe_v", attention.dtype, attention.kv_heads, attention.value_dim, problem.geometry, inputs);
    }
    return problem;
  }
};

const RegisterOperator registered(std::make_unique<NsaForwardOperator>());

}  // namespace

}  // namespace tilewright::kernels
