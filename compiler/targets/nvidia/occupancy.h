// How many blocks of a kernel a multiprocessor holds at once, and what keeps it from holding more.
#pragma once

#include "compiler/targets/nvidia/nvidia_target.h"

#include <string>

namespace tilewright::nvidia {

struct Occupancy {
  int blocks = 0;       // resident on a multiprocessor at once
  double fraction = 0;  // of the threads a multiprocessor can hold
  std::string limit;    // what runs out first: "registers", "shared memory", "threads", "blocks"
};

// `registers` of a thread, `shared_bytes` of a block in all.
Occupancy occupancy(const NvidiaTarget& target, int threads, int registers, std::uint64_t shared_bytes);

}  // namespace tilewright::nvidia
