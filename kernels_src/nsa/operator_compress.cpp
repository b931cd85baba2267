// The operator nsa_compress.
#include "kernels_src/attention/check.h"
#include "kernels_src/common/inputs.h"
#include "kernels_src/common/rows.h"
#include "kernels_src/nsa/check.h"
#include "kernels_src/nsa/compress_kernel.h"
#include "kernels_src/nsa/inputs.h"
#include "kernels_src/nsa/nsa.h"
#include "runtime/random.h"

namespace tilewright::kernels {

namespace {

class NsaCompressOperator final : public Operator {
 public:
  std::string name() const override { return "nsa_compress"; }
  std::string summary() const override { return "Windows of tokens pooled to one token each: mean, weighted or linear, with positions inside the window"; }

  std::vector<OperatorSetting> settings() const override {
    std::vector<OperatorSetting> all = {
        {"batch", "1", "B, sequences of equal length"},
        {"seq", "1024", "T, tokens of a sequence"},
        {"kv_heads", "4", "H, heads"},
        {"dim", "64", "D, size of a head"},
        {"dtype", "f32", "f32, f16 or bf16"},
        {"cu_seqlens", "", "starts of packed sequences and the end of the last: batch is then 1 and seq the last number"},
        pooling_setting(),
        {"positions", "false", "random inputs have positions pe"},
    };
    for (OperatorSetting& setting : geometry_settings()) all.push_back(std::move(setting));
    return all;
  }

  std::vector<const program::TraceableKernel*> kernels() const override { return {&nsa_compress_kernel(), &nsa_compress_linear_kernel()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const DType dtype = float_dtype(settings);
    const std::int64_t heads = settings.integer("kv_heads", 1), dim = settings.integer("dim", 1);
    std::int64_t batch = settings.integer("batch", 1), tokens = settings.integer("seq", 1);
    TensorMap inputs;
    const std::vector<std::int64_t> starts = settings.integers("cu_seqlens");
    if (!starts.empty()) {
      batch = 1;
      tokens = starts.back();
      inputs["cu_seqlens"] = cu_seqlens_of_keys(Sequences::from_cu_seqlens(starts, starts, tokens, tokens));
    }
    inputs["x"] = random_normal(dtype, {batch, tokens, heads, dim}, Philox(seed, "x"));
    add_pooling_inputs(pooling_of(settings), settings.flag("positions"), "w", "pe", dtype, heads, dim, geometry, seed, inputs);
    return inputs;
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override { sequences(settings, inputs); }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const Sequences all = sequences(settings, inputs);
    const DeviceTensor x = session.upload(input(inputs, "x"));
    PoolingOptions pooling{pooling_of(settings), {}, {}};
    DeviceTensor weights, positions;
    if (pooling.kind != Pooling::Mean) pooling.weights = weights = session.upload(input(inputs, "w"));
    if (const HostTensor* pe = optional_input(inputs, "pe")) pooling.positions = positions = session.upload(*pe);
    return {{"y", session.download(nsa_compress(session, x, all, geometry_of(settings), pooling, settings.tunables))}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const HostTensor& y = input(outputs, "y");
    return check_compression("y", y, input(inputs, "x"), sequences(settings, inputs), geometry, pooling_reference(pooling_of(settings), "w", "pe", inputs));
  }

  double flops(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const NsaGeometry geometry = geometry_of(settings);
    const HostTensor& x = input(inputs, "x");
    const double per_window = static_cast<double>(geometry.compress_length * x.shape()[2] * x.shape()[3]);
    return windows(settings, inputs) * per_window * (pooling_of(settings) == Pooling::Linear ? 2.0 * static_cast<double>(x.shape()[3]) : 2.0);
  }

  double bytes(const OperatorSettings& settings, const TensorMap& inputs) const override {
    const HostTensor& x = input(inputs, "x");
    return static_cast<double>(x.bytes()) + windows(settings, inputs) * static_cast<double>(x.shape()[2] * x.shape()[3]) * static_cast<double>(size_of(x.dtype()));
  }

 private:
  static Pooling pooling_of(const OperatorSettings& settings) { return parse_pooling(settings.text("pooling")); }

  static double windows(const OperatorSettings& settings, const TensorMap& inputs) {
    double total = 0;
    for (const Sequence& s : window_sequences(sequences(settings, inputs), geometry_of(settings)).list) total += static_cast<double>(s.k_length);
    return total;
  }

  // The sequences of x, after checking all inputs.
  static Sequences sequences(const OperatorSettings& settings, const TensorMap& inputs) {
    const NsaGeometry geometry = geometry_of(settings);
    const HostTensor& x = input(inputs, "x");
    expect_rank("x", x, 4);
    expect_float_dtype("x", x);
    expect_not_empty("x", x, {0, 2, 3});
    validate_pooling(pooling_of(settings), "w", "pe", x.dtype(), x.shape()[2], x.shape()[3], geometry, inputs);
    const HostTensor* starts = optional_input(inputs, "cu_seqlens");
    const std::vector<std::int64_t> cu = starts != nullptr ? integers_of("cu_seqlens", *starts) : settings.integers("cu_seqlens");
    if (cu.empty() && starts == nullptr) return Sequences::dense(x.shape()[0], x.shape()[1], x.shape()[1]);
    expect_shape("x", x, {1, x.shape()[1], x.shape()[2], x.shape()[3]}, "[1, total, H, D] with cu_seqlens");
    return Sequences::from_cu_seqlens(cu, cu, x.shape()[1], x.shape()[1]);
  }
};

const RegisterOperator registered(std::make_unique<NsaCompressOperator>());

}  // namespace

}  // namespace tilewright::kernels
