// What the AMD target compiles for: an architecture and its limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::amd {

// The matrix instructions of an architecture: MFMA of CDNA, or WMMA of RDNA 3.
enum class MatrixFamily { Mfma, Wmma };

struct AmdTarget {
  std::string name;  // "gfx942", which is LLVM's processor name too
  int lanes = 64;    // of a wave
  MatrixFamily matrices = MatrixFamily::Mfma;

  // Of a block.
  int max_threads = 1024;
  std::uint64_t shared_bytes = 64 << 10;
};

// Throws Error TW2001 for a name that is not one of target_names().
AmdTarget resolve_target(std::string_view name);

std::vector<std::string> target_names();

}  // namespace tilewright::amd
