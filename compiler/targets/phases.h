// Where the time of a compilation goes.
#pragma once

#include "runtime/artifact.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace tilewright {

// Runs `work` and notes its time under `name`. What throws is not noted.
template <class Work>
decltype(auto) timed(std::vector<PhaseTime>& phases, std::string name, Work work) {
  struct Clock {
    std::vector<PhaseTime>& phases;
    std::string name;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    int throwing = std::uncaught_exceptions();
    ~Clock() {
      if (std::uncaught_exceptions() != throwing) return;
      phases.push_back({std::move(name), std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count()});
    }
  } clock{phases, std::move(name)};
  return work();
}

}  // namespace tilewright
