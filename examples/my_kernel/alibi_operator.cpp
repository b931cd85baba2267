// The operator alibi_attention: what `tilewright run --load libmine.so alibi_attention` runs and checks.
#include "alibi_attention.h"

#include <tilewright/runtime/operator.h>
#include <tilewright/runtime/random.h>
#include <tilewright/runtime/support/error.h>

#include <algorithm>
#include <cmath>

namespace mine {

namespace {

// The slopes of the method's authors for a power of two of heads: 2^(-8/H), 2^(-16/H), ...
HostTensor slopes_of(std::int64_t heads) {
  HostTensor slopes(f32, {heads});
  for (std::int64_t h = 0; h < heads; ++h) slopes.set(h, std::exp2(-8.0 * static_cast<double>(h + 1) / static_cast<double>(heads)));
  return slopes;
}

class AlibiOperator final : public Operator {
 public:
  std::string name() const override { return "alibi_attention"; }
  std::string summary() const override { return "Causal attention with a bias linear in the distance of query and key"; }

  std::vector<OperatorSetting> settings() const override {
    return {{"heads", "8", "attention heads"}, {"seq", "200", "tokens"}, {"dim", "64", "head dimension"}, {"dtype", "f32", "f32, f16 or bf16"}};
  }

  std::vector<const program::TraceableKernel*> kernels() const override { return {&kernel_of<AlibiAttention>()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const std::int64_t heads = settings.integer("heads", 1);
    const std::vector<std::int64_t> shape = {heads, settings.integer("seq", 1), settings.integer("dim", 1)};
    TensorMap inputs{{"slopes", slopes_of(heads)}};
    for (const char* name : {"q", "k", "v"}) inputs[name] = random_normal(settings.dtype(), shape, Philox(seed, name));
    return inputs;
  }

  void validate(const OperatorSettings&, const TensorMap& inputs) const override {
    for (const char* name : {"q", "k", "v", "slopes"}) {
      if (!inputs.contains(name)) throw Error(3110, std::string("the input '") + name + "' is missing");
    }
    const HostTensor& q = inputs.at("q");
    if (q.shape().size() != 3) throw Error(3111, "q has rank " + std::to_string(q.shape().size()) + ", expected [heads, tokens, dim]");
    for (const char* name : {"k", "v"}) {
      const HostTensor& other = inputs.at(name);
      if (other.shape() != q.shape() || other.dtype() != q.dtype()) throw Error(3111, std::string(name) + " differs from q in shape or dtype");
    }
    const HostTensor& slopes = inputs.at("slopes");
    if (slopes.dtype() != f32 || slopes.shape() != std::vector{q.shape()[0]}) throw Error(3111, "slopes is not f32 [heads]");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const HostTensor& q = inputs.at("q");
    const std::int64_t dim = q.shape()[2];
    const DeviceTensor output = session.allocate(q.dtype(), q.shape());
    KernelSettings constants = settings.tunables;
    constants["head_dim"] = dim;

    const DeviceTensor device_q = session.upload(q), k = session.upload(inputs.at("k")), v = session.upload(inputs.at("v"));
    const DeviceTensor slopes = session.upload(inputs.at("slopes"));
    session.launch(kernel_of<AlibiAttention>(), std::vector<Argument>{device_q, k, v, slopes, output, scale_of(dim)}, constants);
    return {{"o", session.download(output)}};
  }

  CheckReport check(const OperatorSettings&, const TensorMap& inputs, const TensorMap& outputs) const override {
    const HostTensor& q = inputs.at("q");
    return compare("o", outputs.at("o"), reference(q, inputs.at("k"), inputs.at("v"), inputs.at("slopes")), tolerance_for(q.dtype()));
  }

 private:
  static double scale_of(std::int64_t dim) { return 1 / std::sqrt(static_cast<double>(dim)); }

  // Straight from the definition, in double precision.
  static std::vector<double> reference(const HostTensor& q, const HostTensor& k, const HostTensor& v, const HostTensor& slopes) {
    const std::int64_t heads = q.shape()[0], tokens = q.shape()[1], dim = q.shape()[2];
    std::vector<double> o(q.elements()), logits(tokens);
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t t = 0; t < tokens; ++t) {
        const std::int64_t row = (h * tokens + t) * dim;
        double largest = -inf, total = 0;
        for (std::int64_t j = 0; j <= t; ++j) {
          double product = 0;
          for (std::int64_t d = 0; d < dim; ++d) product += q.at(row + d) * k.at((h * tokens + j) * dim + d);
          logits[j] = product * scale_of(dim) - slopes.at(h) * static_cast<double>(t - j);
          largest = std::max(largest, logits[j]);
        }
        for (std::int64_t j = 0; j <= t; ++j) {
          const double p = std::exp(logits[j] - largest);
          total += p;
          for (std::int64_t d = 0; d < dim; ++d) o[row + d] += p * v.at((h * tokens + j) * dim + d);
        }
        for (std::int64_t d = 0; d < dim; ++d) o[row + d] /= total;
      }
    }
    return o;
  }
};

const RegisterOperator registered(std::make_unique<AlibiOperator>());

}  // namespace

}  // namespace mine
