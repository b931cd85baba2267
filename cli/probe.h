// A kernel that `tilewright doctor` runs to see whether a device works.
#pragma once

#include "runtime/session.h"

#include <string>

namespace tilewright::cli {

struct ProbeResult {
  bool works = false;
  double compile_ms = 0;
  std::string problem;  // empty when it works
};

// Adds two vectors on the session's device and compares with the host's sums. `runs_kernels` is false for the device that runs nothing: then launching is all that is asked.
ProbeResult probe(Session& session, bool runs_kernels);

}  // namespace tilewright::cli
