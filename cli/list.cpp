// `tilewright list [KERNEL]`: the operators, or all of one: settings, kernels, their arguments, constants and tunables.
#include "cli/operators.h"
#include "cli/verbs.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace tilewright::cli {

namespace {

using nlohmann::ordered_json;

constexpr const char* kTargets = "cpu, reference, cuda";

const char* word(program::ParamKind kind) {
  switch (kind) {
    case program::ParamKind::Input: return "in";
    case program::ParamKind::Output: return "out";
    case program::ParamKind::InOut: return "inout";
    case program::ParamKind::Scalar: return "scalar";
  }
  return "";
}

ordered_json describe(const program::TraceableKernel& kernel) {
  ordered_json arguments = ordered_json::array(), constants = ordered_json::array(), tunables = ordered_json::array();
  for (const program::KernelParam& param : kernel.params()) arguments.push_back({{"name", param.name}, {"kind", word(param.kind)}});
  for (const program::KernelSetting& setting : kernel.settings()) {
    ordered_json entry = {{"name", setting.name}};
    if (setting.has_default) entry["default"] = setting.default_value;
    if (setting.is_tunable) entry["candidates"] = setting.candidates;
    (setting.is_tunable ? tunables : constants).push_back(std::move(entry));
  }
  return {{"name", kernel.name()}, {"arguments", arguments}, {"constants", constants}, {"tunables", tunables}};
}

ordered_json describe(const Operator& op) {
  ordered_json settings = ordered_json::array(), kernels = ordered_json::array();
  for (const OperatorSetting& setting : op.settings()) settings.push_back({{"name", setting.name}, {"default", setting.default_value}, {"help", setting.help}});
  for (const program::TraceableKernel* kernel : op.kernels()) kernels.push_back(describe(*kernel));
  return {{"name", op.name()}, {"summary", op.summary()}, {"targets", {"cpu", "reference", "cuda"}}, {"settings", settings}, {"kernels", kernels}};
}

void print_all(const std::vector<const Operator*>& operators) {
  std::size_t width = 0;
  for (const Operator* op : operators) width = std::max(width, op->name().size());
  for (const Operator* op : operators) fmt::print("{:<{}}  {}\n", op->name(), width, op->summary());
  if (operators.empty()) fmt::print(stderr, "no operators are registered; --load adds a library of them\n");
}

void print_kernel(const program::TraceableKernel& kernel) {
  fmt::print("\nkernel {}\n", kernel.name());
  for (const program::KernelParam& param : kernel.params()) fmt::print("  {:<8} {}\n", word(param.kind), param.name);
  for (const program::KernelSetting& setting : kernel.settings()) {
    if (setting.is_tunable) {
      std::string candidates;
      for (std::int64_t candidate : setting.candidates) candidates += (candidates.empty() ? "" : " ") + std::to_string(candidate);
      fmt::print("  tunable  {} = {}\n", setting.name, candidates);
    } else {
      fmt::print("  constant {}{}\n", setting.name, setting.has_default ? " = " + std::to_string(setting.default_value) : "");
    }
  }
}

void print_one(const Operator& op) {
  fmt::print("{}: {}\ntargets: {}\n\nsettings (--set NAME=VALUE)\n", op.name(), op.summary(), kTargets);
  std::size_t width = 0;
  for (const OperatorSetting& setting : op.settings()) width = std::max(width, setting.name.size() + 1 + setting.default_value.size());
  for (const OperatorSetting& setting : op.settings()) fmt::print("  {:<{}}  {}\n", setting.name + "=" + setting.default_value, width, setting.help);
  for (const program::TraceableKernel* kernel : op.kernels()) print_kernel(*kernel);
}

}  // namespace

void add_list(CLI::App& app, ExitCode& code) {
  struct Options {
    OperatorArguments op;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("list", "Show the operators, or all of one");
  verb->add_option("KERNEL", options->op.name, "Show this operator's settings and kernels");
  add_load_option(*verb, options->op);
  verb->add_flag("--json", options->json, "Print JSON");
  verb->callback([options] {
    if (options->op.name.empty()) {
      load_libraries(options->op.libraries);
      const std::vector<const Operator*> operators = all_operators();
      if (!options->json) return print_all(operators);
      ordered_json all = ordered_json::array();
      for (const Operator* op : operators) all.push_back(describe(*op));
      fmt::print("{}\n", ordered_json{{"kernels", all}}.dump(2));
    } else {
      const Operator& op = require_operator(options->op);
      if (!options->json) return print_one(op);
      fmt::print("{}\n", describe(op).dump(2));
    }
  });
}

}  // namespace tilewright::cli
