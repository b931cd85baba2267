// The most multiply-adds in single precision this machine does: loops in assembly over at least ten independent accumulators, so that neither a compiler nor the
// latency of an instruction stands between the figure and the execution units.
#pragma once

#include <cstdint>

namespace tilewright::bench {

// One way to multiply and add. run(n) executes n iterations and touches no memory; flops is the number of floating-point operations of one iteration.
struct FmaLoop {
  const char* name;
  double flops;
  void (*run)(std::uint64_t iterations);
};

// The widest loop this processor can execute: AVX-512, AVX2 with FMA, or SSE (multiply and add apart).
const FmaLoop& widest_fma_loop();

// GFLOP/s of `threads` threads at once, each running the loop for about `seconds`: all operations over the time of the slowest thread.
double fma_rate(const FmaLoop& loop, int threads, double seconds);

}  // namespace tilewright::bench
