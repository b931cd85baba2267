// The operators gsa_recurrent_forward and gsa_chunk_forward: the same inputs and outputs, two ways.
#include "kernels_src/attention/problem.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/gsa/gsa.h"
#include "kernels_src/gsa/kernels.h"
#include "kernels_src/gsa/reference.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <algorithm>
#include <cmath>
#include <list>

namespace tilewright::kernels {

namespace {

// What the recurrence of one head may cost in a check, in multiplications; beyond, only some heads are checked.
constexpr double kCheckedWork = 6e8;

struct GsaProblem {
  AttentionProblem attention;
  std::int64_t slots = 1;

  double work_per_head() const {
    double tokens = 0;
    for (const Sequence& s : attention.sequences.list) tokens = std::max(tokens, static_cast<double>(s.q_length));
    return tokens * static_cast<double>(2 * slots * (attention.dim + attention.value_dim));
  }
};

// Rows first_token .. first_token + tokens of head h of a [B, T, heads, width] tensor, one behind the other.
std::vector<double> head_of(const HostTensor& tensor, std::int64_t first_token, std::int64_t tokens, std::int64_t h) {
  const std::int64_t heads = tensor.shape()[2], width = tensor.shape()[3];
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tokens * width));
  for (std::int64_t t = first_token; t < first_token + tokens; ++t) {
    for (std::int64_t i = 0; i < width; ++i) values.push_back(tensor.at((t * heads + h) * width + i));
  }
  return values;
}

// State h of sequence n of a [N, H, ., .] tensor.
std::vector<double> state_of(const HostTensor& tensor, std::int64_t n, std::int64_t h) {
  const std::int64_t size = tensor.shape()[2] * tensor.shape()[3], first = (n * tensor.shape()[1] + h) * size;
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(tensor.at(first + i));
  return values;
}

class GsaOperator : public Operator {
 public:
  std::vector<OperatorSetting> settings() const override {
    return {
        {"batch", "1", "B, sequences of equal length"},
        {"seq", "1024", "T, tokens of a sequence"},
        {"heads", "4", "HQ, query heads"},
        {"kv_heads", "", "H, heads of keys, values and states; divides heads (heads)"},
        {"dim", "64", "K, size of a query and a key head"},
        {"value_dim", "", "V, size of a value head (dim)"},
        {"slots", "64", "M, slots of a head's memory"},
        {"scale", "", "factor of the slots' logits (dim^-1/2)"},
        {"dtype", "f32", "f32, f16 or bf16"},
        {"cu_seqlens", "", "starts of packed sequences and the end of the last: batch is then 1 and seq the last number"},
        {"gates", "true", "random inputs have g; without it gates follow from s"},
        {"gate_normalizer", "8", "random g is logsigmoid(x) / gate_normalizer, x from the normal distribution; 0 gives g = 0"},
        {"initial_state", "true", "random inputs have hk0 and hv0"},
    };
  }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    AttentionProblem sizes;
    sizes.q_heads = settings.integer("heads", 1);
    sizes.kv_heads = integer_or(settings, "kv_heads", sizes.q_heads, 1);
    if (sizes.q_heads % sizes.kv_heads != 0) {
      throw Error(3002, "setting 'kv_heads' is '" + settings.text("kv_heads") + "', expected a divisor of heads, " + settings.text("heads"));
    }
    sizes.dim = settings.integer("dim", 1);
    sizes.value_dim = integer_or(settings, "value_dim", sizes.dim, 1);
    sizes.dtype = float_dtype(settings);
    const std::int64_t slots = settings.integer("slots", 1);
    const std::vector<std::int64_t> starts = settings.integers("cu_seqlens");
    const std::int64_t tokens = settings.integer("seq", 1);
    sizes.sequences = starts.empty() ? Sequences::dense(settings.integer("batch", 1), tokens, tokens)
                                     : Sequences::from_cu_seqlens(starts, starts, starts.back(), starts.back());
    TensorMap inputs;
    if (!starts.empty()) inputs["cu_seqlens"] = cu_seqlens_tensor(starts);
    const auto draw = [&](const char* name, std::vector<std::int64_t> shape) { return random_normal(sizes.dtype, std::move(shape), Philox(seed, name)); };
    inputs["q"] = draw("q", query_shape(sizes, sizes.q_heads, sizes.dim));
    inputs["k"] = draw("k", key_shape(sizes, sizes.dim));
    inputs["v"] = draw("v", key_shape(sizes, sizes.value_dim));
    inputs["s"] = draw("s", key_shape(sizes, slots));
    if (settings.flag("gates")) {
      const double normalizer = settings.number("gate_normalizer");
      HostTensor g = random_normal(sizes.dtype, key_shape(sizes, slots), Philox(seed, "g"));
      for (std::int64_t i = 0; i < g.elements(); ++i) g.set(i, normalizer == 0 ? 0 : -std::log1p(std::exp(-g.at(i))) / normalizer);
      inputs["g"] = g;
    }
    if (settings.flag("initial_state")) {
      const std::int64_t count = sizes.sequences.count();
      inputs["hk0"] = random_normal(DType::F32, {count, sizes.kv_heads, sizes.dim, slots}, Philox(seed, "hk0"));
      inputs["hv0"] = random_normal(DType::F32, {count, sizes.kv_heads, slots, sizes.value_dim}, Philox(seed, "hv0"));
    }
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override { checked_problem(settings, inputs); }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const GsaProblem problem = checked_problem(settings, inputs);
    std::list<DeviceTensor> uploaded;
    const auto given = [&](const char* name) -> TensorView { return uploaded.emplace_back(session.upload(input(inputs, name))); };
    const auto optional = [&](const char* name) -> std::optional<TensorView> {
      if (optional_input(inputs, name) == nullptr) return {};
      return given(name);
    };
    const GsaInputs device{given("q"), given("k"), given("v"), given("s"), optional("g"), optional("hk0"), optional("hv0")};
    const GsaResult result = forward(session, device, problem.attention.sequences, {problem.attention.scale, settings.tunables}, settings);
    return {{"o", session.download(result.output)}, {"hk", session.download(result.hk)}, {"hv", session.download(result.hv)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const GsaProblem problem = checked_problem(settings, inputs);
    const AttentionProblem& sizes = problem.attention;
    const HostTensor& o = input(outputs, "o");
    expect_shape("o", o, query_shape(sizes, sizes.q_heads, sizes.value_dim), "[B, T, HQ, V]");
    const std::int64_t heads = sizes.sequences.count() * sizes.q_heads;
    const auto affordable = static_cast<std::int64_t>(kCheckedWork / std::max(problem.work_per_head(), 1.0));
    std::vector<std::int64_t> rows, states;
    std::vector<double> expected, expected_k, expected_v;
    double largest_logit = 0;
    for (std::int64_t chosen : choose_numbers(heads, std::max<std::int64_t>(affordable, 2))) {
      const std::int64_t n = chosen / sizes.q_heads, hq = chosen % sizes.q_heads, h = hq / sizes.group();
      const Sequence& s = sizes.sequences.list[n];
      reference::GsaHead head{s.q_length, sizes.dim, sizes.value_dim, problem.slots, sizes.scale, {}, {}, {}, {}, {}, {}, {}};
      head.q = head_of(input(inputs, "q"), s.q_start, s.q_length, hq);
      head.k = head_of(input(inputs, "k"), s.q_start, s.q_length, h);
      head.v = head_of(input(inputs, "v"), s.q_start, s.q_length, h);
      head.s = head_of(input(inputs, "s"), s.q_start, s.q_length, h);
      if (const HostTensor* g = optional_input(inputs, "g")) head.g = head_of(*g, s.q_start, s.q_length, h);
      if (const HostTensor* hk0 = optional_input(inputs, "hk0")) head.initial_k = state_of(*hk0, n, h);
      if (const HostTensor* hv0 = optional_input(inputs, "hv0")) head.initial_v = state_of(*hv0, n, h);
      const reference::GsaResult result = reference::gsa_recurrence(head);
      for (std::int64_t t = 0; t < s.q_length; ++t) rows.push_back((s.q_start + t) * sizes.q_heads + hq);
      expected.insert(expected.end(), result.o.begin(), result.o.end());
      states.push_back(n * sizes.kv_heads + h);
      expected_k.insert(expected_k.end(), result.final_k.begin(), result.final_k.end());
      expected_v.insert(expected_v.end(), result.final_v.begin(), result.final_v.end());
      largest_logit = std::max(largest_logit, result.largest_logit);
    }
    const double tolerance = tolerance_for_logits(sizes.dtype, largest_logit);
    // The states are f32, but what goes into them passes through tiles of the inputs' dtype.
    const CheckReport o_report = compare_rows("o", o, rows, sizes.value_dim, expected, tolerance);
    const CheckReport k_report =
        compare_rows("hk", input(outputs, "hk"), states, sizes.dim * problem.slots, expected_k, tolerance_for(sizes.dtype));
    const CheckReport v_report =
        compare_rows("hv", input(outputs, "hv"), states, problem.slots * sizes.value_dim, expected_v, tolerance_for(sizes.dtype));
    return merge(o_report, merge(k_report, v_report));
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const GsaProblem problem = checked_problem(settings, inputs);
    double total = static_cast<double>(problem.attention.sequences.total_q() * problem.attention.q_heads * problem.attention.value_dim) *
                   static_cast<double>(size_of(problem.attention.dtype));
    for (const auto& [name, tensor] : inputs) total += static_cast<double>(tensor.bytes());
    return total;
  }

 protected:
  virtual GsaResult forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options,
                            const OperatorSettings& settings) const = 0;

  static GsaProblem checked_problem(const OperatorSettings& settings, const TensorMap& inputs) {
    GsaProblem problem;
    AttentionProblem& sizes = problem.attention;
    const HostTensor &q = input(inputs, "q"), &k = input(inputs, "k"), &v = input(inputs, "v"), &s = input(inputs, "s");
    for (const auto& [name, tensor] : {std::pair{"k", &k}, std::pair{"v", &v}, std::pair{"s", &s}}) {
      expect_rank(name, *tensor, 4);
      expect_dtype(name, *tensor, q.dtype());
      expect_not_empty(name, *tensor, {2, 3});
    }
    read_queries(q, k.shape()[2], sizes);
    sizes.value_dim = v.shape()[3];
    problem.slots = s.shape()[3];
    sizes.scale = scale_of(settings, sizes.dim);
    const std::int64_t batch = q.shape()[0], tokens = q.shape()[1];
    expect_shape("k", k, {batch, tokens, sizes.kv_heads, sizes.dim}, "[B, T, H, K]");
    expect_shape("v", v, {batch, tokens, sizes.kv_heads, sizes.value_dim}, "[B, T, H, V]");
    expect_shape("s", s, {batch, tokens, sizes.kv_heads, problem.slots}, "[B, T, H, M]");
    if (const HostTensor* g = optional_input(inputs, "g")) {
      expect_dtype("g", *g, q.dtype());
      expect_shape("g", *g, s.shape(), "[B, T, H, M]");
    }
    const HostTensor* starts = optional_input(inputs, "cu_seqlens");
    const std::vector<std::int64_t> cu = starts != nullptr ? integers_of("cu_seqlens", *starts) : settings.integers("cu_seqlens");
    if (cu.empty() && starts == nullptr) {
      sizes.sequences = Sequences::dense(batch, tokens, tokens);
    } else {
      if (batch != 1) throw Error(3111, "packed inputs have batch " + std::to_string(batch) + ", expected 1").note("cu_seqlens is given");
      sizes.sequences = Sequences::from_cu_seqlens(cu, cu, tokens, tokens);
    }
    const std::int64_t count = sizes.sequences.count();
    if (const HostTensor* hk0 = optional_input(inputs, "hk0")) {
      expect_dtype("hk0", *hk0, DType::F32);
      expect_shape("hk0", *hk0, {count, sizes.kv_heads, sizes.dim, problem.slots}, "[N, H, K, M], N sequences");
    }
    if (const HostTensor* hv0 = optional_input(inputs, "hv0")) {
      expect_dtype("hv0", *hv0, DType::F32);
      expect_shape("hv0", *hv0, {count, sizes.kv_heads, problem.slots, sizes.value_dim}, "[N, H, M, V], N sequences");
    }
    return problem;
  }
};

class GsaRecurrentForwardOperator final : public GsaOperator {
 public:
  std::string name() const override { return "gsa_recurrent_forward"; }
  std::string summary() const override { return "Gated slot attention token by token, with initial and final states"; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&gsa_recurrent_kernel()}; }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const GsaProblem problem = checked_problem(settings, inputs);
    const AttentionProblem& sizes = problem.attention;
    const double per_token = static_cast<double>(problem.slots * (sizes.dim + sizes.value_dim));
    return static_cast<double>(sizes.sequences.total_q()) * per_token * static_cast<double>(3 * sizes.kv_heads + 2 * sizes.q_heads);
  }

 protected:
  GsaResult forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options, const OperatorSettings&) const override {
    return gsa_recurrent_forward(session, inputs, sequences, options);
  }
};

class GsaChunkForwardOperator final : public GsaOperator {
 public:
  std::string name() const override { return "gsa_chunk_forward"; }
  std::string summary() const override { return "Gated slot attention in chunks of tokens, with initial and final states"; }
  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = GsaOperator::settings();
    all.push_back({"chunk_size", "64", "tokens of a chunk, a power of two from 16 to 256"});
    return all;
  }
  std::vector<const program::TraceableKernel*> kernels() const override { return gsa_chunk_kernels(); }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    GsaOperator::validate(settings, inputs);
    chunk_size(settings);
  }

  // Per token: two products within the chunk for each pass, and those with the state.
  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const GsaProblem problem = checked_problem(settings, inputs);
    const AttentionProblem& sizes = problem.attention;
    const auto chunk = static_cast<double>(chunk_size(settings)), slots = static_cast<double>(problem.slots);
    const double both = static_cast<double>(sizes.dim + sizes.value_dim);
    const double queries = chunk * (both + 2 * slots) + 2 * slots * both, keys = 2 * slots * both;
    return static_cast<double>(sizes.sequences.total_q()) * (queries * static_cast<double>(sizes.q_heads) + keys * static_cast<double>(sizes.kv_heads));
  }

 protected:
  GsaResult forward(Session& session, const GsaInputs& inputs, const Sequences& sequences, const GsaOptions& options,
                    const OperatorSettings& settings) const override {
    return gsa_chunk_forward(session, inputs, sequences, options, chunk_size(settings));
  }

 private:
  static std::int64_t chunk_size(const OperatorSettings& settings) {
    const std::int64_t size = settings.integer("chunk_size", 16, 256);
    if ((size & (size - 1)) != 0) throw Error(3002, "setting 'chunk_size' is '" + settings.text("chunk_size") + "', expected a power of two");
    return size;
  }
};

const RegisterOperator registered_recurrent(std::make_unique<GsaRecurrentForwardOperator>());
const RegisterOperator registered_chunk(std::make_unique<GsaChunkForwardOperator>());

}  // namespace

}  // namespace tilewright::kernels
