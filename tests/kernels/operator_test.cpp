#include "tests/kernels/operator_test.h"

#include "runtime/support/error.h"

#include <gtest/gtest.h>

namespace tilewright::kernels::testing {

namespace {

std::string text_of(const std::string& name, const Settings& changes) {
  std::string text = name;
  for (const auto& [key, value] : changes) text += " " + key + "=" + value;
  return text;
}

}  // namespace

const Operator& operator_named(const std::string& name) {
  const Operator* op = find_operator(name);
  if (op == nullptr) throw Error(9001, "no operator " + name);
  return *op;
}

OperatorSettings settings_of(const Operator& op, const Settings& changes) {
  std::map<std::string, std::string> values;
  for (const OperatorSetting& setting : op.settings()) values[setting.name] = setting.default_value;
  KernelSettings tunables;
  for (const auto& [name, value] : changes) {
    const auto known = values.find(name);
    if (known != values.end()) known->second = value;
    else tunables[name] = std::stoll(value);
  }
  OperatorSettings settings(values);
  settings.tunables = tunables;
  return settings;
}

Outcome run(const std::string& name, const Settings& changes, const std::function<void(TensorMap&)>& edit) {
  const Operator& op = operator_named(name);
  Outcome result{settings_of(op, changes), {}, {}, {}};
  result.inputs = op.random_inputs(result.settings, 1);
  if (edit) edit(result.inputs);
  op.validate(result.settings, result.inputs);
  result.outputs = op.run(session(), result.settings, result.inputs);
  result.report = op.check(result.settings, result.inputs, result.outputs);
  return result;
}

Outcome expect_ok(const std::string& name, const Settings& changes, const std::function<void(TensorMap&)>& edit) {
  SCOPED_TRACE(text_of(name, changes));
  try {
    Outcome result = run(name, changes, edit);
    EXPECT_TRUE(result.report.ok) << ::testing::PrintToString(result.report.notes);
    return result;
  } catch (const Error& error) {
    ADD_FAILURE() << error.what();
    return {settings_of(operator_named(name), changes), {}, {}, {}};
  }
}

int code_of_validate(const std::string& name, const Settings& changes, const std::string& words, const std::function<void(TensorMap&)>& edit) {
  const Operator& op = operator_named(name);
  const OperatorSettings settings = settings_of(op, changes);
  try {
    TensorMap inputs = op.random_inputs(settings, 1);
    if (edit) edit(inputs);
    op.validate(settings, inputs);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    return error.code();
  }
  return 0;
}

}  // namespace tilewright::kernels::testing
