// What the NVIDIA target compiles for: an architecture and its limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::nvidia {

struct NvidiaTarget {
  std::string name;        // "sm_90a"; LLVM's processor and the assembler's -arch too
  int capability = 0;      // 90
  bool has_roles = false;  // a warp of its own can bring operands, and groups of warps multiply (note 0014)
  bool overlaps_launches = false;  // a kernel can start while the one before it in its stream still runs, and wait for it by an instruction
  std::string features;    // LLVM's feature string: the version of PTX

  // Of a block.
  int max_threads = 1024;
  std::uint64_t shared_bytes = 0;
  int max_registers = 255;  // of a thread

  // Of a multiprocessor.
  int threads_per_multiprocessor = 2048;
  int blocks_per_multiprocessor = 32;
  int registers_per_multiprocessor = 65536;
  std::uint64_t shared_bytes_per_multiprocessor = 0;
  std::uint64_t shared_bytes_reserved = 1024;  // that every block takes beside its own
};

inline constexpr int kWarpSize = 32;

// Throws Error TW2001 for a name that is not one of target_names().
NvidiaTarget resolve_target(std::string_view name);

std::vector<std::string> target_names();

}  // namespace tilewright::nvidia
