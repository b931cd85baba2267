// An operator: what `tilewright run NAME` runs. One or several kernels with their host code, inputs to try it on, and a reference in double precision.
//
// A library that registers operators becomes visible to the command line by `--load LIB.so`.
#pragma once

#include "runtime/session.h"
#include "runtime/tensor.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tilewright {

// Tensors by name, in a fixed order of names.
using TensorMap = std::map<std::string, HostTensor>;

// A setting of an operator: problem sizes, dtype, presets. All are given as text on the command line.
struct OperatorSetting {
  std::string name;
  std::string default_value;
  std::string help;
};

// The settings of one run: defaults overlaid by what the user gave. Accessors throw Error TW3001 (unknown name) or TW3002 (malformed or out of range), naming it.
class OperatorSettings {
 public:
  explicit OperatorSettings(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  std::int64_t integer(const std::string& name, std::int64_t least = INT64_MIN, std::int64_t most = INT64_MAX) const;
  double number(const std::string& name) const;
  bool flag(const std::string& name) const;
  DType dtype(const std::string& name = "dtype") const;
  const std::string& text(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;  // "0,15,205"; empty text gives none
  const std::map<std::string, std::string>& all() const { return values_; }

  // Tunables and constants of the kernels given by the user beyond the operator's own settings ("block_q" = 64), passed to every launch that knows them.
  KernelSettings tunables;

  // The settings of one launch: `constants`, which the operator decides, and of `tunables` those that `kernel` has. A constant decided by the operator wins.
  KernelSettings for_kernel(const program::TraceableKernel& kernel, KernelSettings constants = {}) const;

 private:
  std::map<std::string, std::string> values_;
};

// How outputs compare with the reference. rms_ratio is RMS(reference - x) / (RMS(reference) + 1e-8) over the worst output (SPEC 13).
struct CheckReport {
  bool ok = false;
  double rms_ratio = 0;
  double max_abs = 0;
  double tolerance = 0;
  std::int64_t mismatched_scores = -1;  // selections: judged by the scores they pick; -1: not a selection
  bool compared_values = false;         // set by compare(); a report of selections alone has no ratio to show
  std::vector<std::string> notes;       // one a line, shown to the user: which output, which row was worst
};

class Operator {
 public:
  virtual ~Operator() = default;
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;                    // one line
  virtual std::vector<OperatorSetting> settings() const = 0;
  virtual std::vector<const program::TraceableKernel*> kernels() const = 0;

  // Random inputs of the settings' shapes. Same seed, same numbers on every machine.
  virtual TensorMap random_inputs(const OperatorSettings& settings, std::uint64_t seed) const = 0;

  // Throws Error TW3xxx where inputs do not fit each other or the settings: name, what was given, what is allowed.
  virtual void validate(const OperatorSettings& settings, const TensorMap& inputs) const = 0;

  // Runs on the session's device and returns every output.
  virtual TensorMap run(Session& session, const OperatorSettings& settings, const TensorMap& inputs) const = 0;

  // Compares `outputs` with an fp64 reference; on large problems over sampled rows.
  virtual CheckReport check(const OperatorSettings& settings, const TensorMap& inputs, const TensorMap& outputs) const = 0;

  // Floating-point operations and least bytes moved of one run, for rates; 0: unknown.
  virtual double flops(const OperatorSettings& settings, const TensorMap& inputs) const { return 0; }
  virtual double bytes(const OperatorSettings& settings, const TensorMap& inputs) const { return 0; }
};

// Makes an operator known under its name; for static initialisers. A second operator of one name is an error at look-up.
class RegisterOperator {
 public:
  explicit RegisterOperator(std::unique_ptr<Operator> op);
};

// nullptr when there is none of that name.
const Operator* find_operator(const std::string& name);
std::vector<const Operator*> all_operators();  // by name

// Poisoning, tolerances by dtype (SPEC 13.1), and the default comparison.
double tolerance_for(DType dtype);  // forward outputs: f64 1e-12 (scaled), f32 1e-5, f16 1e-3, bf16 5e-3, f8e4m3 4e-2, f8e5m2 8e-2
CheckReport compare(const std::string& output, const HostTensor& actual, const std::vector<double>& reference, double tolerance);
CheckReport merge(const CheckReport& a, const CheckReport& b);  // the worse of both

}  // namespace tilewright
