// A program run to its end, for the tools of a toolkit that are no libraries.
#pragma once

#include <string>
#include <vector>

namespace tilewright {

struct ProcessResult {
  int exit_code = 0;   // 128 + the signal's number for a process that one ended
  std::string output;  // stdout and stderr together
};

// Runs `command` (its first word a path) without standard input, and waits for it. Throws Error TW3310 when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& command);

}  // namespace tilewright
