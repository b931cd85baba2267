// How a schedule steps back for a call that it does not suit. Internal to the language.
#pragma once

#include <string>

namespace tilewright::detail {

// Thrown while a schedule is traced: the kernel's body is traced instead.
struct ScheduleRefused {
  std::string reason;
};

}  // namespace tilewright::detail
