#include "compiler/targets/nvidia/occupancy.h"

#include <algorithm>

namespace tilewright::nvidia {

namespace {

// Registers are given out to a warp in units of 256; a multiprocessor's warps are shared out over four schedulers with a quarter of the registers each.
constexpr int kRegisterUnit = 256, kSchedulers = 4;
constexpr std::uint64_t kSharedUnit = 128;

template <class T>
constexpr T round_up(T value, T unit) {
  return (value + unit - 1) / unit * unit;
}

int blocks_by_registers(const NvidiaTarget& target, int warps, int registers) {
  if (registers == 0) return target.blocks_per_multiprocessor;
  const int of_warp = round_up(registers * kWarpSize, kRegisterUnit);
  const int warps_of_scheduler = target.registers_per_multiprocessor / kSchedulers / of_warp;
  return warps_of_scheduler * kSchedulers / warps;
}

}  // namespace

Occupancy occupancy(const NvidiaTarget& target, int threads, int registers, std::uint64_t shared_bytes) {
  const int warps = (threads + kWarpSize - 1) / kWarpSize;
  const std::uint64_t shared = round_up(shared_bytes + target.shared_bytes_reserved, kSharedUnit);
  const struct {
    int blocks;
    const char* what;
  } limits[] = {{target.threads_per_multiprocessor / (warps * kWarpSize), "threads"},
                {target.blocks_per_multiprocessor, "blocks"},
                {blocks_by_registers(target, warps, registers), "registers"},
                {static_cast<int>(target.shared_bytes_per_multiprocessor / shared), "shared memory"}};
  const auto least = std::min_element(std::begin(limits), std::end(limits), [](const auto& a, const auto& b) { return a.blocks < b.blocks; });
  return {least->blocks, static_cast<double>(least->blocks * warps * kWarpSize) / target.threads_per_multiprocessor, least->what};
}

}  // namespace tilewright::nvidia
