// NVIDIA GPUs as targets of the compiler.
#pragma once

#include "compiler/targets/target.h"

namespace tilewright::nvidia {

// Target::start_tools() of every target.
void start_tools();

// Throws Error TW2001 for a name that is not one of target_names() (nvidia_target.h).
std::unique_ptr<const Target> make_target(std::string_view name);

}  // namespace tilewright::nvidia
