// What a linked code object says of its kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright::amd {

// The kernel's entry in the metadata note ("AMDGPU Code Object V6 Metadata" in LLVM's user guide for AMDGPU).
struct CodeObjectFacts {
  std::string kernel;
  int threads = 0;                                // of a block, at most
  int wave_lanes = 0;
  int vector_registers = 0;                       // of a lane, accumulation registers with them
  int scalar_registers = 0;
  int spilled_vector_registers = 0, spilled_scalar_registers = 0;
  std::uint64_t scratch_bytes = 0;                // of a thread
  std::uint64_t shared_bytes = 0;                 // of a block, without what the launch adds
  std::uint64_t argument_bytes = 0;
};

// Throws Error TW9314 for what is not a code object with one kernel.
CodeObjectFacts read_code_object(const std::vector<char>& code);

}  // namespace tilewright::amd
