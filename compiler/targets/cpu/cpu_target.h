// What the CPU target compiles for: a named x86-64 level, or the machine it runs on.
#pragma once

#include <string>
#include <string_view>

namespace tilewright::cpu {

struct CpuTarget {
  std::string name;      // "x86-64-v4"
  std::string cpu;       // LLVM's processor name
  std::string features;  // LLVM's feature string beyond the processor's own
  int vector_bits = 128; // width of the vector registers the code generator uses
  int vector_registers = 16;
  bool has_fma = false;
  bool has_f16_conversion = false;

  int lanes32() const { return vector_bits / 32; }
};

// "host", "x86-64-v2", "x86-64-v3" or "x86-64-v4". Throws Error TW2001 for another name.
CpuTarget resolve_target(std::string_view name);

// What identifies generated code: processor name and features, for keys and `doctor`.
std::string describe(const CpuTarget& target);

}  // namespace tilewright::cpu
