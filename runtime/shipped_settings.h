// Settings of kernels that were found to be fast on a target: what a launch on it takes in place of a kernel's defaults.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/session.h"

#include <map>
#include <string>
#include <vector>

namespace tilewright {

// Holds for calls of `kernel` that meet every condition.
struct ShippedSettings {
  std::string kernel;
  std::map<std::string, std::vector<DType>> dtypes;              // a parameter's dtype is one of these
  std::map<std::string, std::vector<std::int64_t>> constants;    // a constant's value is one of these
  std::vector<std::string> whole_rows;                           // tensors with contiguous rows that begin at multiples of 16 bytes and are such long, with offsets of 32 bits
  KernelSettings tunables;
};

// Makes settings for a target known; for static initialisers. Of two that hold for a call, the one registered first counts, whole.
class RegisterShippedSettings {
 public:
  RegisterShippedSettings(std::string target, std::vector<ShippedSettings> settings);
};

// Puts the tunables that are shipped for this call, and are not `given`, into call.settings, which are complete. Throws Error TW3213 where what is shipped names a parameter or a tunable that the
// kernel does not have. Thread-safe.
void use_shipped_settings(const std::string& target, const program::TraceableKernel& kernel, const KernelSettings& given, program::CallFacts& call);

}  // namespace tilewright
