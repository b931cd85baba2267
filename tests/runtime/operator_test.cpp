// Settings, the registry, and the comparison with a reference.
#include "runtime/operator.h"
#include "runtime/support/error.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tilewright {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(0, "no error");
}

HostTensor tensor_of(DType dtype, const std::vector<double>& values, std::vector<std::int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
  HostTensor t(dtype, shape);
  for (std::size_t i = 0; i < values.size(); ++i) t.set(static_cast<std::int64_t>(i), values[i]);
  return t;
}

TEST(OperatorSettings, ReadsValues) {
  OperatorSettings s({{"seq", "128"}, {"scale", "0.125"}, {"causal", "true"}, {"dtype", "bf16"}, {"cu", "0,15,205"}, {"none", ""}, {"low", "-9223372036854775808"}});
  EXPECT_EQ(s.integer("seq"), 128);
  EXPECT_EQ(s.integer("low"), INT64_MIN);
  EXPECT_EQ(s.number("scale"), 0.125);
  EXPECT_TRUE(s.flag("causal"));
  EXPECT_EQ(s.dtype(), DType::BF16);
  EXPECT_EQ(s.integers("cu"), (std::vector<std::int64_t>{0, 15, 205}));
  EXPECT_TRUE(s.integers("none").empty());
}

TEST(OperatorSettings, NamesWhatIsWrong) {
  OperatorSettings s({{"seq", "12x"}, {"big", "99999999999999999999"}, {"n", "7"}, {"f", "yes"}, {"dtype", "f12"}, {"x", "nan"}, {"cu", "1,,2"}, {"e", ""}});
  const Error unknown = error_of([&] { s.integer("heads"); });
  EXPECT_EQ(unknown.code(), 3001);
  EXPECT_NE(std::string(unknown.what()).find("'heads'"), std::string::npos);
  EXPECT_NE(std::string(unknown.what()).find("seq"), std::string::npos);
  for (const char* name : {"seq", "big", "e", "x"}) EXPECT_EQ(error_of([&] { s.integer(name); }).code(), 3002) << name;
  EXPECT_EQ(error_of([&] { s.integer("n", 8); }).code(), 3002);
  EXPECT_EQ(error_of([&] { s.integer("n", 0, 6); }).code(), 3002);
  EXPECT_EQ(error_of([&] { s.flag("f"); }).code(), 3002);
  EXPECT_EQ(error_of([&] { s.number("x"); }).code(), 3002);
  EXPECT_EQ(error_of([&] { s.number("e"); }).code(), 3002);
  EXPECT_EQ(error_of([&] { s.integers("cu"); }).code(), 3002);
  const Error dtype = error_of([&] { s.dtype(); });
  EXPECT_EQ(dtype.code(), 3002);
  EXPECT_NE(std::string(dtype.what()).find("'f12'"), std::string::npos);
}

TEST(Compare, MetricIsTheRatioOfRootMeanSquares) {
  const CheckReport r = compare("o", tensor_of(DType::F64, {3.0, 4.5}), {3.0, 4.0}, 1.0);
  EXPECT_TRUE(r.ok);
  EXPECT_NEAR(r.rms_ratio, 0.5 / 5.0, 1e-8);
  EXPECT_DOUBLE_EQ(r.max_abs, 0.5);
  ASSERT_EQ(r.notes.size(), 1u);
  EXPECT_NE(r.notes[0].find("o: "), std::string::npos);
  EXPECT_NE(r.notes[0].find("[1]"), std::string::npos);
}

TEST(Compare, FailsBeyondTolerance) { EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, 1.001}), {1, 1}, 1e-5).ok); }

TEST(Compare, OneWrongElementAmongManyFails) {
  std::vector<double> reference(1'000'000, 1.0), values = reference;
  values[1234] = 1.5;
  const CheckReport r = compare("o", tensor_of(DType::F32, values, {1000, 1000}), reference, 1e-3);
  EXPECT_LT(r.rms_ratio, 1e-3);
  EXPECT_FALSE(r.ok);
  EXPECT_NE(r.notes[0].find("[1, 234]"), std::string::npos);
}

TEST(Compare, NanAndInfinity) {
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, kNan}), {1, 1}, 1).ok);
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, kInf}), {1, 1}, 1).ok);
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, 1}), {1, -kInf}, 1).ok);
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, kInf}), {1, -kInf}, 1).ok);
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1, kInf}), {1, kNan}, 1).ok);
  EXPECT_TRUE(compare("o", tensor_of(DType::F32, {1, -kInf, kInf, kNan}), {1, -kInf, kInf, kNan}, 0).ok);
}

TEST(Compare, EmptyAndZero) {
  EXPECT_TRUE(compare("o", tensor_of(DType::F32, {}, {0}), {}, 1e-5).ok);
  EXPECT_TRUE(compare("o", tensor_of(DType::F32, {0, 0}), {0, 0}, 1e-5).ok);
  EXPECT_FALSE(compare("o", tensor_of(DType::F32, {1e-3, 0}), {0, 0}, 1e-5).ok);
}

TEST(Compare, WrongSizeFails) {
  const CheckReport r = compare("o", tensor_of(DType::F32, {1, 2}), {1}, 1);
  EXPECT_FALSE(r.ok);
  EXPECT_FALSE(r.notes.empty());
}

TEST(Merge, KeepsTheWorse) {
  const CheckReport good = compare("a", tensor_of(DType::F32, {1}), {1}, 1e-3);
  const CheckReport bad = compare("b", tensor_of(DType::F32, {2}), {1}, 1e-5);
  for (const CheckReport& m : {merge(good, bad), merge(bad, good)}) {
    EXPECT_FALSE(m.ok);
    EXPECT_EQ(m.rms_ratio, bad.rms_ratio);
    EXPECT_EQ(m.tolerance, 1e-5);
    EXPECT_EQ(m.max_abs, 1);
    EXPECT_EQ(m.notes.size(), good.notes.size() + bad.notes.size());
    EXPECT_EQ(m.mismatched_scores, -1);
  }
  CheckReport selection;
  selection.ok = true;
  selection.mismatched_scores = 2;
  EXPECT_EQ(merge(good, selection).mismatched_scores, 2);
  EXPECT_TRUE(merge(good, selection).ok);
  EXPECT_EQ(merge(selection, good).tolerance, 1e-3);
  EXPECT_TRUE(merge(selection, good).compared_values);
  EXPECT_FALSE(merge(selection, selection).compared_values);
}

TEST(OperatorSettings, LaunchesGetTheTunablesTheyKnow) {
  OperatorSettings s{{}};
  s.tunables = {{"block", 128}, {"b", 9}, {"warps", 4}};
  EXPECT_EQ(s.for_kernel(testing::axpb_kernel(), {{"b", 1}}), (KernelSettings{{"b", 1}, {"block", 128}}));
  EXPECT_EQ(s.for_kernel(testing::copy_kernel()), KernelSettings{});
}

TEST(Tolerance, FollowsTheElementType) {
  EXPECT_EQ(tolerance_for(DType::F32), 1e-5);
  EXPECT_EQ(tolerance_for(DType::F16), 1e-3);
  EXPECT_EQ(tolerance_for(DType::BF16), 5e-3);
  EXPECT_EQ(tolerance_for(DType::F64), 1e-12);
  EXPECT_EQ(tolerance_for(DType::F8E4M3), 4e-2);
  EXPECT_EQ(tolerance_for(DType::F8E5M2), 8e-2);
  EXPECT_EQ(tolerance_for(DType::I32), 0);
}

class NamedOperator : public Operator {
 public:
  explicit NamedOperator(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string summary() const override { return "does nothing"; }
  std::vector<OperatorSetting> settings() const override { return {}; }
  std::vector<const program::TraceableKernel*> kernels() const override { return {}; }
  TensorMap random_inputs(const OperatorSettings&, std::uint64_t) const override { return {}; }
  void validate(const OperatorSettings&, const TensorMap&) const override {}
  TensorMap run(Session&, const OperatorSettings&, const TensorMap&) const override { return {}; }
  CheckReport check(const OperatorSettings&, const TensorMap&, const TensorMap&) const override { return {}; }

 private:
  std::string name_;
};

TEST(Registry, FindsByNameAndRefusesDuplicatesAtLookUp) {
  RegisterOperator b(std::make_unique<NamedOperator>("registry_b"));
  RegisterOperator a(std::make_unique<NamedOperator>("registry_a"));
  ASSERT_NE(find_operator("registry_a"), nullptr);
  EXPECT_EQ(find_operator("registry_a")->name(), "registry_a");
  EXPECT_EQ(find_operator("registry_c"), nullptr);
  const auto all = all_operators();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->name(), "registry_a");

  RegisterOperator twice(std::make_unique<NamedOperator>("registry_a"));
  EXPECT_EQ(error_of([] { find_operator("registry_a"); }).code(), 3003);
  EXPECT_EQ(error_of([] { all_operators(); }).code(), 3003);
  EXPECT_NE(find_operator("registry_b"), nullptr);
}

}  // namespace
}  // namespace tilewright
