// The settings of a run as a user writes them, "name=value", for an operator and the kernels it launches.
#pragma once

#include "runtime/operator.h"

#include <string>
#include <vector>

namespace tilewright {

// The operator's settings overlaid by what was given. What is not a setting of the operator goes to the tunables if one of its kernels has it. Throws Error TW3508 for a word that
// is not name=value, TW3001 for a name nobody has, TW3002 for a tunable that is not an integer. Given twice, the last holds.
OperatorSettings make_settings(const Operator& op, const std::vector<std::string>& given);

}  // namespace tilewright
