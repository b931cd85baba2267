// The processor of this machine, for `tilewright doctor`.
#pragma once

#include <string>
#include <vector>

namespace tilewright::cli {

struct Processor {
  std::string model;
  int logical_cores = 0;  // that this process may use
  std::string level;      // the highest x86-64 level it has, "x86-64-v4"; empty on other architectures
  std::vector<std::string> features;  // beyond the baseline that matter here: "avx2", "avx512f", ...
};

Processor this_processor();

}  // namespace tilewright::cli
