// A kernel as the rest of the project sees it: something that can be traced to a program for given facts of a call.
// The language (dsl/kernel.h) makes one from an author's struct; the runtime and the command line read it.
#pragma once

#include "dsl/program/program.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tilewright::program {

struct KernelParam {
  std::string name;
  ParamKind kind{};
};

// A compile-time constant of the problem (head_dim, causal) or a tunable (block_q, warps) of the implementation.
struct KernelSetting {
  std::string name;
  bool is_tunable = false;
  bool has_default = false;
  std::int64_t default_value = 0;        // bool: 0 or 1
  std::vector<std::int64_t> candidates;  // tunables: the values a sweep tries; the first is the default
};

// What a call fixes for its trace: the type of every parameter in order, its facts, and values for constants and tunables.
struct CallFacts {
  std::vector<Type> types;
  std::vector<ArgumentFacts> facts;
  std::map<std::string, std::int64_t> settings;  // by name; a constant without default must be here
  std::vector<std::string> explicit_levels = {};  // that the target offers: a kernel's schedule for one of them is traced in place of its body
};

class TraceableKernel {
 public:
  virtual ~TraceableKernel() = default;
  virtual const std::string& name() const = 0;
  virtual const std::vector<KernelParam>& params() const = 0;
  virtual const std::vector<KernelSetting>& settings() const = 0;

  // Runs the author's grid and body once; or, in place of the body, a schedule that the kernel has for a level of the call, unless its setting "schedule" is 0 or a tensor of the call is not as the schedule
  // needs it. Throws tilewright::Error for the author's mistakes (TW1xxx). Thread-safe.
  virtual Program trace(const CallFacts& facts) const = 0;
};

}  // namespace tilewright::program
