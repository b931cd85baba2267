// A library of operators for tests of the command line, loaded by --load: one that is right and some that are wrong in one way each.
#include "dsl/tilewright.h"
#include "runtime/operator.h"
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <stdexcept>

namespace {

using namespace tilewright;

struct Scale {
  Tune<int> block{"block", {256, 64}};
  Const<int> shift{"shift", 1};

  Grid grid(In x) const { return {ceil_div(x.size(0), block)}; }

  void body(In x, Out y, Scalar factor) const {
    Index i = program_id(0) * block;
    store(y, {i}, cast(cast(load(x, {i}, {block}), f32) * factor + shift, y.dtype()));
  }
};
TW_KERNEL(Scale, "test_scale_kernel", "x", "y", "factor")

struct Mark {
  Grid grid(In x) const { return {x.size(0)}; }
  void body(In x, Out y) const { store(y, {program_id(0)}, load(x, {program_id(0)})); }
};
TW_KERNEL(Mark, "test_mark_kernel", "x", "y")

struct Mismatch {
  Grid grid(In x) const { return {1}; }
  void body(In x, Out y) const { store(y, {0}, load(x, {0}, {4}) + arange(8)); }
};
TW_KERNEL(Mismatch, "test_mismatch_kernel", "x", "y")

struct Bounded {
  Grid grid(In x) const { return {x.size(0)}; }
  void body(In x, Out y) const {
    Tile value = load(x, {program_id(0)});
    check(value < 100, "values stay below a hundred");
    store(y, {program_id(0)}, value);
  }
};
TW_KERNEL(Bounded, "test_bounded_kernel", "x", "y")

// y = factor * x + 1 with everything an operator has.
class ScaleOperator : public Operator {
 public:
  std::string name() const override { return "test_scale"; }
  std::string summary() const override { return "Scales a vector"; }
  std::vector<OperatorSetting> settings() const override { return {{"size", "1000", "elements"}, {"factor", "2", "what to scale by"}, {"dtype", "f32", "f32, f16 or bf16"}}; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&kernel_of<Scale>()}; }

  TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const override {
    return {{"x", random_normal(settings.dtype(), {settings.integer("size", 0)}, Philox(seed, "x"))}};
  }

  void validate(const OperatorSettings& settings, const TensorMap& inputs) const override {
    if (inputs.count("x") == 0) throw Error(3110, "the input 'x' is missing");
    if (inputs.at("x").shape().size() != 1) throw Error(3111, "'x' has rank " + std::to_string(inputs.at("x").shape().size()) + ", expected 1");
    if (!is_float(inputs.at("x").dtype())) throw Error(3112, "'x' has dtype " + std::string(name_of(inputs.at("x").dtype())) + ", expected a float");
    settings.number("factor");
  }

  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    const DeviceTensor x = session.upload(inputs.at("x")), y = session.allocate(x.view().dtype, inputs.at("x").shape());
    const Argument arguments[] = {x.view(), y.view(), settings.number("factor")};
    session.launch(kernel_of<Scale>(), arguments, settings.for_kernel(kernel_of<Scale>()));
    return {{"y", session.download(y)}};
  }

  CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const override {
    std::vector<double> reference = inputs.at("x").to_doubles();
    for (double& value : reference) value = value * settings.number("factor") + 1 + offset();
    return compare("y", outputs.at("y"), reference, tolerance_for(inputs.at("x").dtype()));
  }

  double flops(const OperatorSettings&, const TensorMap& inputs) const override { return 2.0 * static_cast<double>(inputs.at("x").elements()); }

 protected:
  virtual double offset() const { return 0; }
};

class WrongOperator : public ScaleOperator {
 public:
  std::string name() const override { return "test_wrong"; }

 private:
  double offset() const override { return 0.01; }
};

class SelectionOperator : public ScaleOperator {
 public:
  std::string name() const override { return "test_selection"; }
  std::vector<OperatorSetting> settings() const override {
    auto settings = ScaleOperator::settings();
    settings.push_back({"mismatched", "0", "what the check reports"});
    return settings;
  }
  CheckReport check(const OperatorSettings& settings, const TensorMap&, const TensorMap&) const override {
    CheckReport report;
    report.mismatched_scores = settings.integer("mismatched");
    report.ok = report.mismatched_scores == 0;
    return report;
  }
};

// Launches a second kernel, over as many elements as the first's result says, if it says any.
class TwoStepOperator : public ScaleOperator {
 public:
  std::string name() const override { return "test_two_step"; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&kernel_of<Scale>(), &kernel_of<Mark>()}; }
  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    TensorMap outputs = ScaleOperator::run(session, settings, inputs);
    const HostTensor& y = outputs.at("y");
    std::int64_t positive = 0;
    for (double value : y.to_doubles()) positive += value > 0;
    const std::int64_t shape[] = {positive};
    const DeviceTensor there = session.upload(y), marked = session.allocate(y.dtype(), shape);
    TensorView front = there.view();
    front.sizes[0] = positive;
    const Argument arguments[] = {front, marked.view()};
    session.launch(kernel_of<Mark>(), arguments);
    return outputs;
  }
};

template <class Kernel>
class CopyOperator : public ScaleOperator {
 public:
  explicit CopyOperator(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {&kernel_of<Kernel>()}; }
  TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const override {
    std::vector<double> scaled = inputs.at("x").to_doubles();
    HostTensor x(DType::F32, inputs.at("x").shape());
    for (std::int64_t i = 0; i < x.elements(); ++i) x.set(i, scaled[static_cast<std::size_t>(i)] * settings.number("factor"));
    const DeviceTensor x_there = session.upload(x), y = session.allocate(DType::F32, x.shape());
    const Argument arguments[] = {x_there.view(), y.view()};
    session.launch(kernel_of<Kernel>(), arguments);
    return {{"y", session.download(y)}};
  }

 private:
  std::string name_;
};

class ThrowingOperator : public ScaleOperator {
 public:
  std::string name() const override { return "test_throws"; }
  TensorMap run(Session&, const OperatorSettings&, const TensorMap&) const override { throw std::runtime_error("something that is not an Error"); }
};

const RegisterOperator kScale(std::make_unique<ScaleOperator>());
const RegisterOperator kWrong(std::make_unique<WrongOperator>());
const RegisterOperator kSelection(std::make_unique<SelectionOperator>());
const RegisterOperator kTwoStep(std::make_unique<TwoStepOperator>());
const RegisterOperator kMismatch(std::make_unique<CopyOperator<Mismatch>>("test_mismatch"));
const RegisterOperator kBounded(std::make_unique<CopyOperator<Bounded>>("test_bounded"));
const RegisterOperator kThrows(std::make_unique<ThrowingOperator>());

}  // namespace
