// A session: one device, the compiler, and the kernels compiled so far. What C++ callers, operators and the command line launch through.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/compiler.h"
#include "runtime/device.h"
#include "runtime/drivers/reference/reference_driver.h"
#include "runtime/tensor.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tilewright {

namespace cache {
class ArtifactCache;
}

// One argument of a launch: a tensor on the session's device, or a scalar. The kernel sees a double as f64 where a tensor of the call is f64 and as f32 elsewhere, an integer as
// i64, a bool as bool.
using Argument = std::variant<TensorView, double, std::int64_t, bool>;

// Values for the kernel's constants and tunables, by name. Tunables left out take their default.
using KernelSettings = std::map<std::string, std::int64_t>;

// What the last launches cost; reset by the caller.
struct LaunchStats {
  int launches = 0;
  int compiles = 0;
  double compile_ms = 0;  // trace to loaded code
  int cache_hits = 0;     // kernels whose code was found beyond this process
  double cache_ms = 0;    // of these, trace to loaded code
  double run_ms = 0;      // device time
};

// A tensor on a device; frees its memory with the last copy. It may outlive its session.
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

// A launch made ready: traced, compiled, its arguments checked and laid out. The tensors of its arguments must live until it has run.
struct PreparedLaunch {
  std::shared_ptr<const program::Program> program;
  std::shared_ptr<Executable> executable;
  GridSize grid{};
  std::vector<std::uint64_t> slots;

  // On a stream of the session's device, once, or made ready to be run again and again (Stream::bind); this object must outlive what bind() returns.
  void launch(Stream& stream) const { stream.launch(*executable, grid, slots); }
  std::unique_ptr<BoundLaunch> bind(Stream& stream) const { return stream.bind(*executable, grid, slots); }
};

// Thread-safe but for stats(): several threads may launch at once, and each kernel is compiled once. A kernel must not be destroyed before the sessions that launched it.
class Session {
 public:
  virtual ~Session() = default;

  // "cpu", "reference", "null", "cuda:0".
  virtual std::string device() const = 0;

  // Runs `kernel` over its grid and waits. Arguments in the order of kernel.params(). Traces and compiles at the first call with these facts; an empty grid runs nothing.
  // Arguments are checked before anything runs. Throws Error: TW1xxx from tracing, TW2xxx from compiling, TW3601 where compiling is denied, TW32xx for arguments and settings that do not fit the kernel
  // (runtime/arguments.h; TW3207: memory that the device cannot access), TW3401 for a failed assertion of the kernel.
  virtual void launch(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings = {}) = 0;

  // What launch() does before it runs anything. Throws as launch() does, but for TW3401.
  virtual PreparedLaunch prepare(const program::TraceableKernel& kernel, std::span<const Argument> arguments,
                                 const KernelSettings& settings = {}) = 0;

  // Traces and compiles, or finds, what a launch with such arguments needs, and launches nothing. Tensors need no memory: a null address stands for any multiple of 16. Throws as
  // prepare() does, but for what concerns memory. runtime/precompile.h does it for many kernels at once.
  virtual void compile(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings = {}) {
    prepare(kernel, arguments, settings);
  }

  // Uninitialised device memory, row-major. Filled with 0xFF bytes (NaN) when the session poisons, as it does under --check.
  virtual DeviceTensor allocate(DType dtype, std::span<const std::int64_t> shape) = 0;
  virtual DeviceTensor upload(const HostTensor& tensor) = 0;
  // Any strides; the result is row-major.
  virtual HostTensor download(const TensorView& tensor) = 0;

  // Not to be touched while another thread launches.
  virtual LaunchStats& stats() = 0;
};

struct SessionOptions {
  bool poison = false;          // fill new memory with 0xFF bytes, and scratch of kernels where the device has it
  int threads = 0;              // most threads of the device "cpu", at most one a core; 0: one a core
  std::string settings_target;  // whose shipped settings (runtime/shipped_settings.h) kernels get; empty: those of the device's target
  InterpreterHook interpreter;  // what runs programs on the device "reference"
  std::shared_ptr<cache::ArtifactCache> cache;  // of compiled kernels; null: the one that the environment describes
};

// The device named "cpu", "reference", "null" or "cuda:N" ("cuda" is the first). Throws Error TW3301 when there is no such device: unknown name, no interpreter, no driver library.
std::shared_ptr<Device> open_device(const std::string& name, const SessionOptions& options = {});

// A session on the device of this name. `compiler` may be null: then code comes from bundles alone (TILEWRIGHT_BUNDLES), and launching a kernel that is in none of them is TW3601. Throws Error
// TW3602 for a variable of the environment that means nothing.
std::unique_ptr<Session> make_session(const std::string& device, std::shared_ptr<Compiler> compiler, const SessionOptions& options = {});

// A session on a device already open.
std::unique_ptr<Session> make_session(std::shared_ptr<Device> device, std::shared_ptr<Compiler> compiler, const SessionOptions& options = {});

// The drivers of this process, in the order `tilewright doctor` lists them; "reference" only with an interpreter.
std::vector<std::unique_ptr<Driver>> make_drivers(const SessionOptions& options = {});

}  // namespace tilewright
