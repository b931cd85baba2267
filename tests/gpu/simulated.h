// Programs compiled through the GPU level and run on the simulated machine, for comparison with the reference.
#pragma once

#include "tests/fuzz/run.h"
#include "tests/gpu/machine.h"

#include <memory>

namespace tilewright::simt {

// A barrier that nothing needs is a mistake, unless there is code in the programs that nothing needs either: barriers are placed before the last of it is found.
enum class DeadCode { kNone, kSome };

std::unique_ptr<fuzz::Target> simulated_target(const Configuration& configuration, DeadCode dead_code = DeadCode::kNone);

}  // namespace tilewright::simt
