#include "bench/fma_peak.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

#if !defined(__x86_64__)
#error "the loops are written for x86-64"
#endif

namespace tilewright::bench {

namespace {

// Accumulators start at zero and gain 1e-6 an iteration: no denormals, no overflow. The last two registers hold the factors.
constexpr float kOne = 1.0f, kTiny = 1e-6f;

// clang-format off
void run_avx512(std::uint64_t iterations) {
  asm volatile(
      "vbroadcastss %[one], %%zmm30\n\t"
      "vbroadcastss %[tiny], %%zmm31\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n\t"
      "vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r\n\t"
      ".endr\n"
      "1:\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n\t"
      "vfmadd231ps %%zmm30, %%zmm31, %%zmm\\r\n\t"
      ".endr\n\t"
      "dec %[n]\n\t"
      "jnz 1b\n\t"
      "vzeroupper\n\t"
      : [n] "+r"(iterations)
      : [one] "m"(kOne), [tiny] "m"(kTiny)
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void run_avx2(std::uint64_t iterations) {
  asm volatile(
      "vbroadcastss %[one], %%ymm14\n\t"
      "vbroadcastss %[tiny], %%ymm15\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
      "vxorps %%ymm\\r, %%ymm\\r, %%ymm\\r\n\t"
      ".endr\n"
      "1:\n\t"
      ".irp r,0,1,2,3,4,5,6,7,8,9,10,11\n\t"
      "vfmadd231ps %%ymm14, %%ymm15, %%ymm\\r\n\t"
      ".endr\n\t"
      "dec %[n]\n\t"
      "jnz 1b\n\t"
      "vzeroupper\n\t"
      : [n] "+r"(iterations)
      : [one] "m"(kOne), [tiny] "m"(kTiny)
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

// Without FMA a multiply and an add go to different units: seven of each, no chain between them.
void run_sse(std::uint64_t iterations) {
  asm volatile(
      "movss %[one], %%xmm14\n\t"
      "shufps $0, %%xmm14, %%xmm14\n\t"
      "movss %[tiny], %%xmm15\n\t"
      "shufps $0, %%xmm15, %%xmm15\n\t"
      ".irp r,0,1,2,3,4,5,6\n\t"
      "movaps %%xmm15, %%xmm\\r\n\t"
      ".endr\n\t"
      ".irp r,7,8,9,10,11,12,13\n\t"
      "xorps %%xmm\\r, %%xmm\\r\n\t"
      ".endr\n"
      "1:\n\t"
      ".irp r,0,1,2,3,4,5,6\n\t"
      "mulps %%xmm14, %%xmm\\r\n\t"
      ".endr\n\t"
      ".irp r,7,8,9,10,11,12,13\n\t"
      "addps %%xmm15, %%xmm\\r\n\t"
      ".endr\n\t"
      "dec %[n]\n\t"
      "jnz 1b\n\t"
      : [n] "+r"(iterations)
      : [one] "m"(kOne), [tiny] "m"(kTiny)
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
// clang-format on

constexpr FmaLoop kAvx512{"avx512", 24 * 16 * 2, run_avx512};
constexpr FmaLoop kAvx2{"avx2", 12 * 8 * 2, run_avx2};
constexpr FmaLoop kSse{"sse", 14 * 4, run_sse};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

const FmaLoop& widest_fma_loop() {
  if (__builtin_cpu_supports("avx512f")) return kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2;
  return kSse;
}

double fma_rate(const FmaLoop& loop, int threads, double seconds) {
  constexpr std::uint64_t kProbe = 1 << 20;
  loop.run(kProbe);
  const auto start = Clock::now();
  loop.run(kProbe);
  const auto iterations = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(kProbe * seconds / seconds_since(start)));

  std::vector<double> times(threads);
  std::barrier together(threads);
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      together.arrive_and_wait();
      const auto begin = Clock::now();
      loop.run(iterations);
      times[t] = seconds_since(begin);
    });
  }
  for (std::thread& worker : workers) worker.join();
  return threads * iterations * loop.flops / *std::max_element(times.begin(), times.end()) * 1e-9;
}

}  // namespace tilewright::bench
