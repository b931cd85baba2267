// Prints the peak of single-precision multiply-adds as JSON: {"loop": "avx512", "threads": 2, "core_gflops": 117.2, "all_core_gflops": 233.9, "seconds": 0.3, "repeats": 7}.
// The best of several repeats is the peak: anything else on the machine only lowers a figure. Usage: tilewright_fma_peak [SECONDS] [REPEATS]
#include "bench/fma_peak.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
  using namespace tilewright::bench;
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 0.3;
  const long repeats = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 7;
  if (!(seconds > 0) || repeats <= 0) {
    std::fprintf(stderr, "usage: tilewright_fma_peak [SECONDS] [REPEATS]\n");
    return 2;
  }

  const FmaLoop& loop = widest_fma_loop();
  const int threads = std::max(1u, std::thread::hardware_concurrency());
  double core = 0, all = 0;
  for (long i = 0; i < repeats; ++i) {
    core = std::max(core, fma_rate(loop, 1, seconds));
    all = std::max(all, fma_rate(loop, threads, seconds));
  }
  const nlohmann::ordered_json report = {{"loop", loop.name},       {"threads", threads}, {"core_gflops", core},
                                         {"all_core_gflops", all}, {"seconds", seconds}, {"repeats", repeats}};
  std::printf("%s\n", report.dump().c_str());
  return 0;
}
