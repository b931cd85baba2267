// The CPU as a target of the compiler.
#pragma once

#include "compiler/targets/target.h"

namespace tilewright::cpu {

std::vector<std::string> target_names();
std::unique_ptr<const Target> make_target(std::string_view name);

}  // namespace tilewright::cpu
