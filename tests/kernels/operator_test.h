// Runs an operator on its random inputs, or on inputs changed by the test, on a poisoned session, and expects its check to pass.
#pragma once

#include "runtime/operator.h"
#include "runtime/session.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tilewright::kernels::testing {

// Names and values; of two values of one name the later one counts.
struct Settings : std::vector<std::pair<std::string, std::string>> {
  using vector::vector;
};

inline Settings operator+(Settings a, const Settings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The device that the tests of this program run on.
Session& session();

const Operator& operator_named(const std::string& name);

// The operator's defaults overlaid by `changes`; one that the operator does not have is a tunable of its kernels.
OperatorSettings settings_of(const Operator& op, const Settings& changes);

struct Outcome {
  OperatorSettings settings;
  TensorMap inputs, outputs;
  CheckReport report;
};

// Random inputs, changed by `edit`, then validate, run, check.
Outcome run(const std::string& name, const Settings& changes, const std::function<void(TensorMap&)>& edit = {});

// The same, expecting the check to pass.
Outcome expect_ok(const std::string& name, const Settings& changes, const std::function<void(TensorMap&)>& edit = {});

// The code of the Error that validate throws; 0 when it throws none. `words` must stand in the message.
int code_of_validate(const std::string& name, const Settings& changes, const std::string& words, const std::function<void(TensorMap&)>& edit = {});

}  // namespace tilewright::kernels::testing
