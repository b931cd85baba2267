// `tilewright run KERNEL`: one operator on given or random tensors, checked against its reference.
#include "cli/devices.h"
#include "cli/operators.h"
#include "cli/progress.h"
#include "cli/statistics.h"
#include "cli/verbs.h"
#include "runtime/make_settings.h"
#include "runtime/safetensors.h"
#include "runtime/support/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <optional>

namespace tilewright::cli {

namespace {

using nlohmann::ordered_json;

struct Options {
  OperatorArguments op;
  std::string device = "cpu", input, output;
  bool check = false, json = false, trace = false, step = false;
  std::uint64_t seed = 0;
  int repeat = -1;  // timed runs after the first; 0: the first is timed; -1: as many as fit kTimingBudgetMs, at most kMostRuns
  int threads = 0;
};

constexpr int kMostRuns = 5;
constexpr double kTimingBudgetMs = 2000;

struct Outcome {
  TensorMap outputs;  // of the first run
  std::vector<double> run_ms;
  LaunchStats first;  // what the first run cost, compilation included
  double open_ms = 0;  // what opening the device cost: its driver's library, and a context
  std::optional<CheckReport> check;
};

std::string describe(const TensorMap& tensors) {
  std::string text;
  for (const auto& [name, tensor] : tensors) {
    text += (text.empty() ? "" : ", ") + name + " " + std::string(name_of(tensor.dtype())) + "[";
    for (std::size_t i = 0; i < tensor.shape().size(); ++i) text += (i ? ", " : "") + std::to_string(tensor.shape()[i]);
    text += "]";
  }
  return text;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(); }

Outcome execute(const Operator& op, const OperatorSettings& settings, const TensorMap& inputs, Session& session, const Options& options) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    session.stats() = {};
    TensorMap outputs = op.run(session, settings, inputs);
    outcome.run_ms.push_back(session.stats().run_ms);
    if (outcome.run_ms.size() == 1) {
      outcome.outputs = std::move(outputs);
      outcome.first = session.stats();
      progress("first run: {} launches, {} kernels compiled in {:.1f} ms, {} found in the cache in {:.1f} ms, ran {:.3f} ms", outcome.first.launches, outcome.first.compiles,
               outcome.first.compile_ms, outcome.first.cache_hits, outcome.first.cache_ms, outcome.first.run_ms);
    }
    const int repeats = static_cast<int>(outcome.run_ms.size()) - 1;
    if (options.trace || options.step) break;
    if (options.repeat >= 0 ? repeats >= options.repeat : repeats >= kMostRuns || milliseconds_since(start) >= kTimingBudgetMs) break;
  }
  // The first run met cold caches; it counts only when it is the only one.
  if (outcome.run_ms.size() > 1) outcome.run_ms.erase(outcome.run_ms.begin());
  if (options.check) {
    progress("checking against the reference in double precision");
    outcome.check = op.check(settings, inputs, outcome.outputs);
  }
  return outcome;
}

// A report of selections alone says nothing of ratios.
bool is_selection(const CheckReport& check) { return check.mismatched_scores >= 0 && !check.compared_values; }

ordered_json to_json(const Operator& op, const OperatorSettings& settings, const TensorMap& inputs, const Outcome& outcome, const Session& session, const Options& options) {
  ordered_json out;
  out["kernel"] = op.name();
  out["device"] = session.device();
  const std::optional<CheckReport>& check = outcome.check;
  out["ok"] = check ? ordered_json(check->ok) : ordered_json(nullptr);
  if (check && check->mismatched_scores >= 0) out["mismatched_scores"] = check->mismatched_scores;
  if (!check || !is_selection(*check)) out["rms_ratio"] = check ? ordered_json(check->rms_ratio) : ordered_json(nullptr);
  out["max_abs"] = check ? ordered_json(check->max_abs) : ordered_json(nullptr);
  out["tolerance"] = check ? ordered_json(check->tolerance) : ordered_json(nullptr);
  const double time_ms = median(outcome.run_ms);
  out["time_ms"] = time_ms;
  out["open_ms"] = outcome.open_ms;
  out["compile_ms"] = outcome.first.compile_ms;
  out["cache"] = outcome.first.compiles > 0 ? "miss" : "hit";
  out["cache_ms"] = outcome.first.cache_ms;
  out["settings"] = settings.all();
  if (!settings.tunables.empty()) out["tunables"] = settings.tunables;
  if (options.input.empty()) out["seed"] = options.seed;
  out["runs"] = outcome.run_ms.size();
  out["launches"] = outcome.first.launches;
  const double flops = op.flops(settings, inputs), bytes = op.bytes(settings, inputs);
  if (flops > 0 && time_ms > 0) out["gflops_per_s"] = flops / time_ms * 1e-6;
  if (bytes > 0 && time_ms > 0) out["gbytes_per_s"] = bytes / time_ms * 1e-6;
  if (check) out["notes"] = check->notes;
  return out;
}

void print_for_people(const Operator& op, const OperatorSettings& settings, const TensorMap& inputs, const Outcome& outcome, const Session& session) {
  fmt::print("{} on {}\n", op.name(), session.device());
  fmt::print("  inputs   {}\n  outputs  {}\n", describe(inputs), describe(outcome.outputs));
  const double time_ms = median(outcome.run_ms), flops = op.flops(settings, inputs), bytes = op.bytes(settings, inputs);
  fmt::print("  time     {:.3f} ms, median of {} ({} launches)\n", time_ms, outcome.run_ms.size(), outcome.first.launches);
  if (flops > 0 && time_ms > 0) fmt::print("  rate     {:.2f} GFLOP/s\n", flops / time_ms * 1e-6);
  if (bytes > 0 && time_ms > 0) fmt::print("  memory   {:.2f} GB/s\n", bytes / time_ms * 1e-6);
  fmt::print("  open     {:.1f} ms\n", outcome.open_ms);
  fmt::print("  compile  {:.1f} ms, {} kernels; {} more from the cache in {:.1f} ms\n", outcome.first.compile_ms, outcome.first.compiles, outcome.first.cache_hits,
             outcome.first.cache_ms);
  if (!outcome.check) return;
  const CheckReport& check = *outcome.check;
  fmt::print("  check    {}", check.ok ? "ok" : "FAILED");
  if (check.mismatched_scores >= 0) fmt::print(", {} scores differ", check.mismatched_scores);
  if (!is_selection(check)) fmt::print(", rms ratio {:.3g} (tolerance {:.3g}), max abs {:.3g}", check.rms_ratio, check.tolerance, check.max_abs);
  fmt::print("\n");
  for (const std::string& note : check.notes) fmt::print("           {}\n", note);
}

ExitCode run(const Options& options) {
  const Operator& op = require_operator(options.op);
  const OperatorSettings settings = make_settings(op, options.op.settings);

  SessionOptions session_options;
  session_options.poison = options.check;
  session_options.threads = options.threads;
  const Stepping stepping = options.step ? Stepping::Step : options.trace ? Stepping::Trace : Stepping::Off;
  if (stepping != Stepping::Off && options.device != "reference")
    throw Error(3507, "--trace and --step show operations one by one, which device '" + options.device + "' does not do").help("use --device reference");
  session_options.interpreter = interpreter(options.json ? stderr : stdout, stepping);
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<Session> session = make_session(options.device, compiler(), session_options);
  const double open_ms = milliseconds_since(start);

  const TensorMap inputs = options.input.empty() ? op.random_inputs(settings, options.seed) : read_safetensors(options.input);
  progress("{} on {}: {}", op.name(), session->device(), describe(inputs));
  op.validate(settings, inputs);
  Outcome outcome = execute(op, settings, inputs, *session, options);
  outcome.open_ms = open_ms;
  if (!options.output.empty()) write_safetensors(options.output, outcome.outputs);
  if (options.json) {
    fmt::print("{}\n", to_json(op, settings, inputs, outcome, *session, options).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    print_for_people(op, settings, inputs, outcome, *session);
  }
  return outcome.check && !outcome.check->ok ? kCheckFailed : kDone;
}

}  // namespace

void add_run(CLI::App& app, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("run", "Run an operator on given or random tensors");
  add_operator_options(*verb, options->op);
  verb->add_option("--device", options->device, "cpu, reference, null or cuda:N")->capture_default_str();
  verb->add_option("--input", options->input, "Tensors to run on; without it random ones")->type_name("F.safetensors");
  verb->add_option("--output", options->output, "Where to write the outputs")->type_name("F.safetensors");
  verb->add_flag("--check", options->check, "Compare with the operator's reference; exit code 1 beyond tolerance. Memory is poisoned first");
  verb->add_flag("--json", options->json, "Print one JSON object");
  verb->add_option("--seed", options->seed, "Seed of random tensors")->capture_default_str();
  verb->add_option("--repeat", options->repeat, "Timed runs after the first; the time is their median. 0: the first itself. Without it as many as fit two seconds, at most five")
      ->check(CLI::Range(0, 1'000'000));
  verb->add_option("--threads", options->threads, "Most threads of the device cpu; without it one a core")->check(CLI::Range(1, 65536));
  verb->add_flag("--trace", options->trace, "Show each operation as it runs, with its values; device reference");
  verb->add_flag("--step", options->step, "Wait for a line of stdin before each operation; device reference");
  verb->callback([options, &code] { code = run(*options); });
}

}  // namespace tilewright::cli
