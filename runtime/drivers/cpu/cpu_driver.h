// The driver "cpu": compiled kernels on the cores of this machine.
//
// The programs of a grid are handed out dynamically over the threads of a TBB arena, in order of their linear number (axis 0 fastest), in chunks that shrink towards
// the end of the grid. Each thread works on a scratch buffer of its own, 64-byte aligned, that grows to the largest kernel it has met and is reused; nothing is allocated while a
// kernel runs. Launches from several threads at once share the cores.
#pragma once

#include "runtime/device.h"
#include "runtime/drivers/cpu/object_code.h"

#include <functional>
#include <memory>

namespace tilewright {

// Makes the code of a CPU artifact callable: sets `entry`, which stays valid while the returned handle lives.
using CpuLoader = std::function<std::shared_ptr<void>(const Artifact& artifact, CpuEntry& entry)>;

struct CpuDriverOptions {
  int threads = 0;              // most threads a launch uses, at most one a core; 0: one a core
  bool poison_scratch = false;  // fill scratch with 0xFF before each launch
};

std::unique_ptr<Driver> make_cpu_driver(CpuDriverOptions options = {}, CpuLoader loader = load_object);

}  // namespace tilewright
