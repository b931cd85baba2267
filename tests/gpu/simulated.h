// Programs compiled through the GPU level and run on the simulated machine, for comparison with the reference.
#pragma once

#include "tests/fuzz/run.h"
#include "tests/gpu/machine.h"

#include <memory>

namespace tilewright::simt {

std::unique_ptr<fuzz::Target> simulated_target(const Configuration& configuration);

}  // namespace tilewright::simt
