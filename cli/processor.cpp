#include "cli/processor.h"

#include "runtime/drivers/host_device.h"

#include <sched.h>

namespace tilewright::cli {

namespace {

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

Processor this_processor() {
  Processor processor;
  processor.model = host_processor_name();
  processor.logical_cores = usable_cores();
#if defined(__x86_64__)
  __builtin_cpu_init();
  processor.level = __builtin_cpu_supports("x86-64-v4")   ? "x86-64-v4"
                    : __builtin_cpu_supports("x86-64-v3") ? "x86-64-v3"
                    : __builtin_cpu_supports("x86-64-v2") ? "x86-64-v2"
                                                          : "x86-64";
  const auto note = [&](bool has, const char* name) {
    if (has) processor.features.push_back(name);
  };
  note(__builtin_cpu_supports("sse4.2"), "sse4.2");
  note(__builtin_cpu_supports("avx"), "avx");
  note(__builtin_cpu_supports("avx2"), "avx2");
  note(__builtin_cpu_supports("fma"), "fma");
  note(__builtin_cpu_supports("f16c"), "f16c");
  note(__builtin_cpu_supports("avx512f"), "avx512f");
  note(__builtin_cpu_supports("avx512bw"), "avx512bw");
  note(__builtin_cpu_supports("avx512vl"), "avx512vl");
  note(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
  note(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
#endif
  return processor;
}

}  // namespace tilewright::cli
