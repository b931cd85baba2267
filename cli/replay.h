// An operator's launches, recorded once and run again for timing: no copies, no host code between them.
#pragma once

#include "runtime/operator.h"
#include "runtime/session.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace tilewright::cli {

struct Recorded {
  std::vector<PreparedLaunch> launches;
  std::vector<DeviceTensor> tensors;  // keeps their arguments alive
  TensorMap outputs;
  LaunchStats first;  // of the run that was recorded, compilation included
};

// Runs the operator once.
Recorded record(const Operator& op, const OperatorSettings& settings, const TensorMap& inputs, Session& session);

struct TimingOptions {
  double budget_ms = 1000;  // about so long in all, unless there are fewest_runs to be made
  int fewest_runs = 10, most_runs = 1000;
  std::size_t flush_bytes = 0;  // of other memory, read before each run, so that it meets cold caches
};

// Milliseconds of each run of all launches together, between two events on one stream of the session's device. What the host does to launch is hidden behind the flush before.
std::vector<double> time_runs(Session& session, Device& device, const Recorded& recorded, const TimingOptions& options);

}  // namespace tilewright::cli
