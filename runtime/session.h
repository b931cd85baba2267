// A session: one device, the compiler, and the kernels compiled so far. What C++ callers, operators and the command line launch through.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/compiler.h"
#include "runtime/tensor.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tilewright {

// One argument of a launch: a tensor on the session's device, or a scalar (converted to the parameter's dtype).
using Argument = std::variant<TensorView, double, std::int64_t, bool>;

// Values for the kernel's constants and tunables, by name. Tunables left out take their default.
using KernelSettings = std::map<std::string, std::int64_t>;

// What the last launches cost; reset by the caller.
struct LaunchStats {
  int launches = 0;
  int compiles = 0;
  double compile_ms = 0;  // trace to loaded code
  double run_ms = 0;      // device time
};

// A tensor on a device; frees its memory with the last copy.
class DeviceTensor {
 public:
  DeviceTensor() = default;
  DeviceTensor(TensorView view, std::shared_ptr<void> memory) : view_(view), memory_(std::move(memory)) {}
  const TensorView& view() const { return view_; }
  operator TensorView() const { return view_; }

 private:
  TensorView view_;
  std::shared_ptr<void> memory_;
};

class Session {
 public:
  virtual ~Session() = default;

  // "cpu", "reference", "null", later "cuda:0".
  virtual std::string device() const = 0;

  // Runs `kernel` over its grid and waits. Arguments in the order of kernel.params(). Traces and compiles at the first call with these facts.
  // Throws Error: TW1xxx from tracing, TW2xxx from compiling, TW3xxx for arguments that do not fit the kernel.
  virtual void launch(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings = {}) = 0;

  // Uninitialised device memory, row-major. Filled with 0xFF bytes (NaN) when the session poisons, as it does under --check.
  virtual DeviceTensor allocate(DType dtype, std::span<const std::int64_t> shape) = 0;
  virtual DeviceTensor upload(const HostTensor& tensor) = 0;
  virtual HostTensor download(const TensorView& tensor) = 0;

  virtual LaunchStats& stats() = 0;
};

}  // namespace tilewright
