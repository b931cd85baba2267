// AMD GPUs as targets of the compiler.
#pragma once

#include "compiler/targets/target.h"

namespace tilewright::amd {

// Throws Error TW2001 for a name that is not one of target_names() (amd_target.h).
std::unique_ptr<const Target> make_target(std::string_view name);

}  // namespace tilewright::amd
