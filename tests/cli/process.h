// Runs a program and keeps what it says.
#pragma once

#include <string>
#include <vector>

namespace tilewright::testing {

struct Finished {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string out, err;
};

// `input` is what the program reads from stdin. `environment` adds to this process's, each "NAME=value". Throws std::runtime_error when the program cannot be started.
Finished run_process(const std::string& program, const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                     const std::string& input = "");

}  // namespace tilewright::testing
