// Which explicit levels (dsl/nvidia/) the devices of a target offer to schedules of kernels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright::cuda {

inline std::vector<std::string> explicit_levels(std::string_view target) {
  if (target == "sm_90a") return {"nvidia::sm90"};
  return {};
}

}  // namespace tilewright::cuda
