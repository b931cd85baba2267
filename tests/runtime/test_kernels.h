// Small kernels for tests of the runtime: as programs, built operation by operation, and as native code with the calling convention of
// runtime/artifact.h (native_kernels.cpp), loaded as compiled code is.
#pragma once

#include "dsl/program/kernel.h"
#include "runtime/compiler.h"
#include "runtime/drivers/reference/reference_driver.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tilewright::testing {

// A kernel made from a function that builds its program.
class BuiltKernel : public program::TraceableKernel {
 public:
  using Build = std::function<program::Program(const BuiltKernel& kernel, const program::CallFacts& facts)>;

  BuiltKernel(std::string name, std::vector<program::KernelParam> params, std::vector<program::KernelSetting> settings, Build build)
      : name_(std::move(name)), params_(std::move(params)), settings_(std::move(settings)), build_(std::move(build)) {}

  const std::string& name() const override { return name_; }
  const std::vector<program::KernelParam>& params() const override { return params_; }
  const std::vector<program::KernelSetting>& settings() const override { return settings_; }
  program::Program trace(const program::CallFacts& facts) const override {
    ++traces;
    return build_(*this, facts);
  }

  mutable std::atomic<int> traces{0};

 private:
  std::string name_;
  std::vector<program::KernelParam> params_;
  std::vector<program::KernelSetting> settings_;
  Build build_;
};

// out[n] += n + 1 for each program n = x + gx * (y + gy * z) of the grid {gx, gy, gz}. (out InOut i64[], gx, gy, gz)
const BuiltKernel& count_kernel();

// y = a * x + b over vectors of one floating-point type, `block` elements a program. (x Input, y Output, a Scalar); tunable block, constant b without default.
const BuiltKernel& axpb_kernel();

// y[i, j] = x[i, j], one row a program, columns in blocks of 16. (x Input, y Output)
const BuiltKernel& copy_kernel();

// Asserts that x[n] < limit for each program n. (x Input i64[], limit Scalar)
const BuiltKernel& bound_kernel();

// A relocatable object that was built beside the tests, by the name of its source: "native_kernels", "object_samples".
std::vector<char> native_object(const std::string& name);

// A compiler that knows the kernels above as native code. compile() waits while `gate` is set and closed.
class NativeCompiler : public Compiler {
 public:
  Artifact compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) override;
  std::string emit(const program::Program& program, const CompileOptions& options, std::string_view level) override;
  std::vector<std::string> targets() const override { return {"host"}; }
  std::vector<CompileLevel> levels(std::string_view) const override { return {}; }
  std::string version() const override { return "native code of the tests"; }
  std::string describe_target(std::string_view target) const override { return std::string(target); }

  std::atomic<int> compiles{0};
  std::atomic<bool> fail{false};            // compile() throws
  std::function<void()> during_compile;     // called by compile()
};

// The reference interpreter as the driver's hook.
InterpreterHook reference_interpreter();

}  // namespace tilewright::testing
