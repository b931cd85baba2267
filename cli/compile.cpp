// `tilewright compile KERNEL`: the kernels of an operator, at one level of the pipeline. No device is needed: the operator's host code runs on the null device, which shows the
// kernels it launches and the facts of each call.
#include "cli/devices.h"
#include "cli/operators.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "runtime/cache/bundle.h"
#include "runtime/cache/entry.h"
#include "runtime/drivers/cuda/explicit_levels.h"
#include "runtime/drivers/null/null_driver.h"
#include "runtime/make_settings.h"
#include "runtime/precompile.h"
#include "runtime/safetensors.h"
#include "runtime/support/error.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace tilewright::cli {

namespace {

struct Options {
  OperatorArguments op;
  std::string target = "host", emit, output, dump_after, input, kernel, suite;
  std::uint64_t seed = 0;
  int jobs = 0;
  bool report = false, json = false;
};

using Programs = std::vector<std::shared_ptr<const program::Program>>;

Programs record_programs(const Options& options, const OperatorArguments& arguments) {
  const Operator& op = require_operator(arguments);
  const OperatorSettings settings = make_settings(op, arguments.settings);
  const std::shared_ptr<NullDevice> device = open_null_device(cuda::explicit_levels(options.target));
  const std::unique_ptr<Session> session = make_session(device, nullptr, {.settings_target = options.target});
  const TensorMap inputs = options.input.empty() ? op.random_inputs(settings, options.seed) : read_safetensors(options.input);
  op.validate(settings, inputs);
  op.run(*session, settings, inputs);

  Programs programs;
  std::set<std::string> names;
  for (const auto& program : device->programs()) {
    names.insert(program->name);
    if (options.kernel.empty() || program->name == options.kernel) programs.push_back(program);
  }
  if (!programs.empty()) return programs;
  if (names.empty()) throw Error(3504, "operator '" + op.name() + "' launches no kernel with these settings");
  Error error(3504, "operator '" + op.name() + "' launches no kernel '" + options.kernel + "' with these settings");
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw error.help("it launches: " + known);
}

// The cases of a suite, as `tilewright bench` reads them: one a line, OPERATOR NAME=VALUE..., with --set behind them.
std::vector<OperatorArguments> read_suite(const Options& options) {
  std::ifstream file(options.suite);
  if (!file) throw Error(3100, "'" + options.suite + "' cannot be opened");
  std::vector<OperatorArguments> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    OperatorArguments arguments;
    if (!(words >> arguments.name) || arguments.name[0] == '#') continue;
    for (std::string word; words >> word;) arguments.settings.push_back(word);
    arguments.settings.insert(arguments.settings.end(), options.op.settings.begin(), options.op.settings.end());
    cases.push_back(std::move(arguments));
  }
  if (cases.empty()) throw Error(3506, "'" + options.suite + "' names no operator");
  return cases;
}

// The kernels of the operator named, or of all cases of a suite.
Programs record_programs(const Options& options) {
  if (options.suite.empty() == options.op.name.empty()) throw Error(3506, "either KERNEL or --suite is to be given");
  if (options.suite.empty()) return record_programs(options, options.op);
  if (options.emit != "bundle") throw Error(3506, "--suite is for --emit bundle");
  load_libraries(options.op.libraries);
  Programs programs;
  for (const OperatorArguments& arguments : read_suite(options)) {
    for (auto& program : record_programs(options, arguments)) programs.push_back(std::move(program));
  }
  return programs;
}

// Checks --dump-after against the passes there are, so that a misspelt name is not an empty dump.
void check_pass(const program::Program& program, const CompileOptions& options, const std::string& level) {
  if (options.dump_after.empty() || options.dump_after == "all") return;
  std::string known;
  bool found = false;
  CompileOptions listing = options;
  listing.dump_after = "all";
  listing.dump = [&](std::string_view pass, std::string_view) {
    found |= pass == options.dump_after;
    known += (known.empty() ? "" : ", ") + std::string(pass);
  };
  compiler()->emit(program, listing, level);
  if (!found) throw Error(3505, "there is no pass '" + options.dump_after + "' on this way").help("the passes are: " + known);
}

std::string emit(const program::Program& program, const Options& options, const CompileLevel& level) {
  if (level.name == "program") return program::to_text(program);
  CompileOptions compile;
  compile.target = options.target;
  compile.dump_after = options.dump_after;
  check_pass(program, compile, level.name);
  compile.dump = [&](std::string_view pass, std::string_view ir) { fmt::print(stderr, "// ---- {} after {}\n{}\n", program.name, pass, ir); };
  return compiler()->emit(program, compile, level.name);
}

// A line that the format of the level takes as a comment.
std::string heading(const CompileLevel& level, const program::Program& program, std::size_t number, std::size_t count) {
  std::string bindings;
  for (const auto& [name, value] : program.bindings) bindings += fmt::format(" {}={}", name, value);
  return fmt::format("{} kernel {} of {}: {}{}\n", level.comment, number, count, program.name, bindings);
}

void write_text(const std::string& path, const std::string& text) {
  std::FILE* file = path.empty() || path == "-" ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw Error(3100, "'" + path + "' cannot be opened: " + std::strerror(errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !closed) throw Error(3100, "'" + path + "' cannot be written: " + std::strerror(errno));
}

// The levels of the target, "program" first.
std::vector<CompileLevel> levels_of(const std::string& target) {
  std::vector<CompileLevel> levels = {{.name = "program", .comment = "//", .runs_passes = false}};
  if (target == "reference") {
    levels[0].is_default = true;
    return levels;
  }
  for (CompileLevel& level : compiler()->levels(target)) levels.push_back(std::move(level));
  return levels;
}

CompileLevel require_level(const Options& options) {
  std::string known, passing;
  const std::vector<CompileLevel> levels = levels_of(options.target);
  for (const CompileLevel& level : levels) {
    known += (known.empty() ? "" : ", ") + level.name;
    if (level.runs_passes) passing += (passing.empty() ? "" : ", ") + level.name;
  }
  for (const CompileLevel& level : levels) {
    if (options.emit.empty() ? !level.is_default : level.name != options.emit) continue;
    if (!options.dump_after.empty() && !level.runs_passes)
      throw Error(3506, "--dump-after shows passes, and --emit " + level.name + " runs none")
          .help("levels that do: " + (passing.empty() ? "none" : passing));
    return level;
  }
  throw Error(3506, "target '" + options.target + "' has no level '" + options.emit + "'").help("its levels: " + known);
}

// As many kernels at once as the user wants, with a line about each.
PrecompileOptions parallel(const Options& options) {
  return {options.jobs, [&](const CompileProgress& at) { progress("{} of {}: {} for {}, {:.0f} ms", at.done, at.total, at.kernel, options.target, at.ms); }};
}

// A report alone shows no level. Beside one it goes where that does not.
void report(const Programs& programs, const Options& options) {
  if (options.target == "reference") throw Error(3506, "target 'reference' has no code to report on");
  CompileOptions compile;
  compile.target = options.target;
  std::FILE* file = options.emit.empty() || !options.output.empty() ? stdout : stderr;
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (const Artifact& artifact : compile_all(*compiler(), programs, compile, parallel(options))) {
    if (options.json) kernels.push_back(report_json(artifact));
    else print_report(file, artifact);
  }
  if (options.json) fmt::print(file, "{}\n", kernels.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

// All kernels, compiled, as the sessions of devices of this target look for them.
void write_bundle(const Programs& programs, const Options& options) {
  if (options.target == "reference") throw Error(3506, "target 'reference' has no code for a bundle");
  if (options.output.empty()) throw Error(3506, "a bundle is binary").help("give it a file with -o");
  CompileOptions compile;
  compile.target = options.target;
  const cache::CodeOrigin origin = cache::origin_of(*compiler(), options.target);
  std::map<cache::Hash128, std::string> entries;
  std::vector<cache::ContentKey> keys;
  Programs different;
  for (const auto& program : programs) {
    cache::ContentKey key = cache::content_key(*program, origin);
    if (!entries.try_emplace(key.hash).second) continue;
    keys.push_back(std::move(key));
    different.push_back(program);
  }
  std::vector<Artifact> artifacts = compile_all(*compiler(), different, compile, parallel(options));
  for (std::size_t i = 0; i < different.size(); ++i)
    entries[keys[i].hash] = cache::encode_entry({keys[i], std::move(artifacts[i]), cache::positions_of(*different[i])});
  write_text(options.output, cache::encode_bundle(entries));
  progress("{}: {} kernels", options.output, entries.size());
}

void compile(const Options& options) {
  if (options.emit == "bundle") {
    if (!options.dump_after.empty()) throw Error(3506, "--dump-after shows the passes of one level, and a bundle is none");
    const Programs programs = record_programs(options);
    if (options.report) report(programs, options);
    write_bundle(programs, options);
    return;
  }
  const CompileLevel level = require_level(options);
  const Programs programs = record_programs(options);
  if (options.report) report(programs, options);
  if (options.report && options.emit.empty() && options.output.empty()) return;
  if (level.is_binary && programs.size() > 1)
    throw Error(3506, "level '" + level.name + "' is binary and holds one kernel; these settings give " + std::to_string(programs.size()))
        .help("choose one with --kernel");
  std::string text;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    progress("{} to {}", programs[i]->name, level.name);
    if (programs.size() > 1) text += heading(level, *programs[i], i + 1, programs.size());
    text += emit(*programs[i], options, level);
    if (!level.is_binary && !text.empty() && text.back() != '\n') text += '\n';
  }
  write_text(options.output, text);
}

}  // namespace

void add_compile(CLI::App& app, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("compile", "Show the kernels an operator launches, at one level of the pipeline; needs no device");
  add_operator_options(*verb, options->op);
  verb->get_option("KERNEL")->required(false);
  verb->add_option("--suite", options->suite, "For a bundle: a file of operators with their settings, one a line, instead of KERNEL")->type_name("F");
  verb->add_option("--jobs", options->jobs, "Most kernels to compile at once; without it one a core")->type_name("N")->check(CLI::PositiveNumber);
  verb->add_option("--target", options->target, "What to compile for: host, x86-64-v4, sm_90a, ..., or reference")->capture_default_str();
  verb->add_option("--emit", options->emit,
                   "The level to show: program, tile, llvm, and the target's own; without it the target's code. bundle: all kernels, for TILEWRIGHT_BUNDLES")
      ->type_name("LEVEL");
  verb->add_option("-o,--output", options->output, "Where to write it; without it stdout")->type_name("F");
  verb->add_option("--dump-after", options->dump_after, "Print the IR after this pass, or after `all`, to stderr")->type_name("PASS");
  CLI::Option* report =
      verb->add_flag("--report", options->report, "Compile, and say what the code takes: registers, spills, shared memory, occupancy, time, remarks");
  verb->add_flag("--json", options->json, "The report as JSON")->needs(report);
  verb->add_option("--kernel", options->kernel, "Only the kernel of this name");
  verb->add_option("--input", options->input, "Tensors to take sizes and types from; without it random ones of the settings")
      ->type_name("F.safetensors");
  verb->add_option("--seed", options->seed, "Seed of random tensors")->capture_default_str();
  verb->callback([options] { compile(*options); });
}

}  // namespace tilewright::cli
