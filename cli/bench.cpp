// `tilewright bench CASE...`: operators timed on a device, beside other libraries if wanted.
#include "cli/devices.h"
#include "cli/operators.h"
#include "cli/peers.h"
#include "cli/progress.h"
#include "cli/replay.h"
#include "cli/statistics.h"
#include "cli/verbs.h"
#include "runtime/drivers/cuda/cuda_driver.h"
#include "runtime/make_settings.h"
#include "runtime/support/error.h"
#include "runtime/support/process.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>

namespace tilewright::cli {

namespace {

using nlohmann::ordered_json;

struct Options {
  std::vector<std::string> cases, libraries, settings;
  std::string suite, device = "cpu", against, output;
  PeerOptions peers;
  bool check = false, json = false;
  double budget_ms = 500;
  std::size_t flush_mebibytes = 0;  // 0: what suits the device
  int threads = 0, rounds = 2;
  std::uint64_t seed = 0;
};

// One line of the result.
struct Timed {
  std::string name;
  std::vector<double> ms;
};

struct CaseReport {
  const Operator* op = nullptr;
  OperatorSettings settings{{}};
  double flops = 0, bytes = 0;
  Timed ours;
  std::vector<Timed> peers;
  std::map<std::string, std::string> absent;
  LaunchStats first;
  std::optional<CheckReport> check;
  double copy_gbytes_per_s = 0;
  ordered_json peer_versions;
};

constexpr std::size_t kGpuFlushBytes = std::size_t{256} << 20, kHostFlushBytes = std::size_t{64} << 20;

std::size_t flush_bytes(const Options& options, const Device& device) {
  if (options.flush_mebibytes > 0) return options.flush_mebibytes << 20;
  return device.properties().host_memory ? kHostFlushBytes : kGpuFlushBytes;
}

void append(std::vector<double>& all, const std::vector<double>& more) { all.insert(all.end(), more.begin(), more.end()); }

// "matmul m=512 n=512" from the command line or a suite, with --set behind it.
CaseReport run_case(const std::string& text, const Options& options, const std::shared_ptr<Device>& device, Session& session, Peers* peers) {
  std::istringstream words(text);
  OperatorArguments arguments;
  words >> arguments.name;
  for (std::string word; words >> word;) arguments.settings.push_back(word);
  arguments.settings.insert(arguments.settings.end(), options.settings.begin(), options.settings.end());

  CaseReport report;
  report.op = &require_operator(arguments);
  report.settings = make_settings(*report.op, arguments.settings);
  const TensorMap inputs = report.op->random_inputs(report.settings, options.seed);
  report.op->validate(report.settings, inputs);
  report.flops = report.op->flops(report.settings, inputs);
  report.bytes = report.op->bytes(report.settings, inputs);
  progress("{} on {}", text, session.device());
  Recorded recorded = record(*report.op, report.settings, inputs, session);
  report.first = recorded.first;
  report.ours.name = "tilewright";
  if (recorded.launches.empty())
    throw Error(3511, "operator '" + report.op->name() + "' launches no kernel with these settings: there is nothing to time");
  if (options.check) report.check = report.op->check(report.settings, inputs, recorded.outputs);

  TimingOptions timing;
  timing.budget_ms = options.budget_ms;
  timing.flush_bytes = flush_bytes(options, *device);
  const PeerRequest request{report.op->name(),
                            report.settings.all(),
                            session.device(),
                            timing.flush_bytes,
                            options.budget_ms,
                            device->properties().host_memory ? device->properties().parallelism : 0};
  for (int round = 0; round < options.rounds; ++round) {
    append(report.ours.ms, time_runs(session, *device, recorded, timing));
    if (peers == nullptr) continue;
    progress("  {}, round {} of {}", options.against, round + 1, options.rounds);
    PeerReport found = peers->run(request);
    for (PeerTimes& peer : found.peers) {
      auto known = std::find_if(report.peers.begin(), report.peers.end(), [&](const Timed& timed) { return timed.name == peer.name; });
      if (known == report.peers.end()) report.peers.push_back({peer.name, std::move(peer.ms)});
      else append(known->ms, peer.ms);
    }
    report.absent = std::move(found.absent);
    report.copy_gbytes_per_s = std::max(report.copy_gbytes_per_s, found.copy_gbytes_per_s);
    report.peer_versions = std::move(found.versions);
  }
  return report;
}

ordered_json to_json(const CaseReport& report, const Timed& timed) {
  const double ms = median(timed.ms);
  ordered_json out = {{"name", timed.name},
                      {"ms", ms},
                      {"ms_p10", quantile(timed.ms, 0.1)},
                      {"ms_p90", quantile(timed.ms, 0.9)},
                      {"ms_min", quantile(timed.ms, 0)},
                      {"runs", timed.ms.size()}};
  if (report.flops > 0) out["gflops_per_s"] = report.flops / ms * 1e-6;
  if (report.bytes > 0) out["gbytes_per_s"] = report.bytes / ms * 1e-6;
  if (report.bytes > 0 && report.copy_gbytes_per_s > 0) out["fraction_of_copy_rate"] = report.bytes / ms * 1e-6 / report.copy_gbytes_per_s;
  return out;
}

ordered_json to_json(const CaseReport& report) {
  ordered_json out = {{"kernel", report.op->name()}, {"settings", report.settings.all()}};
  if (!report.settings.tunables.empty()) out["tunables"] = report.settings.tunables;
  out["flops"] = report.flops;
  out["bytes"] = report.bytes;
  out["launches"] = report.first.launches;
  out["compile_ms"] = report.first.compile_ms;
  if (report.check) out["check"] = {{"ok", report.check->ok}, {"rms_ratio", report.check->rms_ratio}, {"tolerance", report.check->tolerance}};
  out["tilewright"] = to_json(report, report.ours);
  ordered_json peers = ordered_json::array();
  for (const Timed& peer : report.peers) {
    peers.push_back(to_json(report, peer));
    peers.back()["speed_of_peer"] = median(peer.ms) / median(report.ours.ms);
  }
  if (!report.peers.empty() || !report.absent.empty()) {
    out["peers"] = std::move(peers);
    out["absent"] = report.absent;
    out["copy_gbytes_per_s"] = report.copy_gbytes_per_s;
  }
  return out;
}

void print_line(const CaseReport& report, const Timed& timed) {
  const double ms = median(timed.ms), ours = median(report.ours.ms);
  fmt::print("  {:<22} {:>10.4f} ms  ({:.4f} to {:.4f}, {} runs)", timed.name, ms, quantile(timed.ms, 0.1), quantile(timed.ms, 0.9), timed.ms.size());
  if (report.flops > 0) fmt::print("  {:>8.1f} GFLOP/s", report.flops / ms * 1e-6);
  if (report.bytes > 0) fmt::print("  {:>7.1f} GB/s", report.bytes / ms * 1e-6);
  if (&timed != &report.ours) fmt::print("  we run at {:.2f} x", ms / ours);
  fmt::print("\n");
}

void print_for_people(const CaseReport& report) {
  fmt::print("{}", report.op->name());
  for (const auto& [name, value] : report.settings.all()) {
    if (!value.empty()) fmt::print(" {}={}", name, value);
  }
  for (const auto& [name, value] : report.settings.tunables) fmt::print(" {}={}", name, value);
  fmt::print("\n");
  if (report.check)
    fmt::print("  check {}: rms ratio {:.3g}, tolerance {:.3g}\n", report.check->ok ? "ok" : "FAILED", report.check->rms_ratio,
               report.check->tolerance);
  print_line(report, report.ours);
  for (const Timed& peer : report.peers) print_line(report, peer);
  for (const auto& [name, reason] : report.absent) fmt::print("  {}: {}\n", name, reason);
  if (report.copy_gbytes_per_s > 0) fmt::print("  a copy within the device: {:.1f} GB/s\n", report.copy_gbytes_per_s);
}

std::vector<std::string> cases_of(const Options& options) {
  std::vector<std::string> cases = options.cases;
  if (!options.suite.empty()) {
    std::ifstream file(options.suite);
    if (!file) throw Error(3100, "'" + options.suite + "' cannot be opened");
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line[0] != '#') cases.push_back(line);
    }
  }
  if (cases.empty()) throw Error(3511, "there is nothing to time").help("name a kernel, or a file of cases by --suite");
  return cases;
}

std::string first_line(const std::vector<std::string>& command) {
  try {
    const ProcessResult run = run_process(command);
    return run.exit_code == 0 ? run.output.substr(0, run.output.find('\n')) : "";
  } catch (const Error&) {
    return "";  // the tool is not here
  }
}

// The commit this program was built from: noted in an archive, else that of the source tree around it.
std::string commit() {
  std::ifstream file(program_folder() / "../COMMIT");
  std::string text;
  if (std::getline(file, text)) return text;
  return first_line({"/usr/bin/git", "-C", program_folder().string(), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"});
}

ordered_json describe(const Device& device) {
  ordered_json out = {{"name", device.properties().name},
                      {"description", device.properties().description},
                      {"target", device.properties().compile_target},
                      {"memory_bytes", device.properties().memory_bytes}};
  if (const auto* gpu = dynamic_cast<const CudaDevice*>(&device)) {
    const CudaDeviceProperties& properties = gpu->cuda_properties();
    out["cuda_version"] = properties.driver_version;
    const std::string version = first_line({"/usr/bin/nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"});
    if (!version.empty()) out["driver"] = version;
    out["multiprocessors"] = properties.multiprocessors;
    out["l2_bytes"] = properties.l2_bytes;
    out["clock_khz"] = properties.clock_khz;
  } else {
    out["parallelism"] = device.properties().parallelism;
  }
  return out;
}

std::string now() {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&time));
  return text;
}

ExitCode bench(const Options& options) {
  load_libraries(options.libraries);
  const std::vector<std::string> cases = cases_of(options);
  std::optional<Peers> peers;
  if (!options.against.empty()) peers.emplace(options.against, options.peers);
  SessionOptions session_options;
  session_options.threads = options.threads;
  const std::shared_ptr<Device> device = open_device(options.device, session_options);
  const std::unique_ptr<Session> session = make_session(device, compiler(), session_options);

  ordered_json result = {{"date", now()}, {"commit", commit()}, {"device", describe(*device)}};
  result["versions"] = {{"tilewright", TILEWRIGHT_VERSION}, {"compiler", compiler()->version()}};
  result["flush_bytes"] = flush_bytes(options, *device);
  result["cases"] = ordered_json::array();
  ExitCode code = kDone;
  const auto write = [&] {
    if (options.output.empty()) return;
    std::ofstream file(options.output);
    file << result.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    if (!file) throw Error(3100, "'" + options.output + "' cannot be written");
  };
  for (const std::string& text : cases) {
    const CaseReport report = run_case(text, options, device, *session, peers ? &*peers : nullptr);
    if (report.check && !report.check->ok) code = kCheckFailed;
    if (!report.peer_versions.is_null()) result["versions"].update(report.peer_versions);
    result["cases"].push_back(to_json(report));
    if (!options.json) {
      print_for_people(report);
      std::fflush(stdout);
    }
    write();  // after each, so that what was measured is there if a later case fails
  }
  if (options.json) fmt::print("{}\n", result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return code;
}

}  // namespace

void add_bench(CLI::App& app, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("bench", "Time operators on a device, beside other libraries if wanted");
  verb->add_option("CASE", options->cases, "An operator, or one with settings in quotes: \"matmul m=4096 n=4096 k=4096\"");
  verb->add_option("--suite", options->suite, "A file with such a case on each line; lines that begin with # are comments")->type_name("F");
  verb->add_option("--load", options->libraries, "A shared library that registers operators; may be given several times")
      ->type_name("LIB.so")
      ->allow_extra_args(false);
  verb->add_option("--set", options->settings, "A setting for every case; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--device", options->device, "cpu, cuda:N")->capture_default_str();
  CLI::Option* against = verb->add_option("--against", options->against, "Time another library on the same device in turn: torch");
  verb->add_option("--python", options->peers.python, "The interpreter that has it")->capture_default_str()->needs(against);
  verb->add_option("--peers", options->peers.scripts, "The folder of its scripts; without it the one that came with this program")->needs(against);
  verb->add_option("--rounds", options->rounds, "Rounds of ourselves and the others in turn")->check(CLI::Range(1, 100))->capture_default_str();
  verb->add_option("--budget", options->budget_ms, "Milliseconds of timed runs a round; at least ten runs are made")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--flush", options->flush_mebibytes,
                   "MiB of other memory read before each run, so that caches are cold; without it 256 on a GPU, 64 on the CPU")
      ->check(CLI::Range(1, 1 << 20));
  verb->add_flag("--check", options->check, "Compare with the operator's reference too; exit code 1 beyond tolerance");
  verb->add_flag("--json", options->json, "Print one JSON object");
  verb->add_option("-o,--output", options->output, "Where to write the same JSON")->type_name("F");
  verb->add_option("--threads", options->threads, "Most threads of the device cpu; without it one a core")->check(CLI::Range(1, 65536));
  verb->add_option("--seed", options->seed, "Seed of random tensors")->capture_default_str();
  verb->callback([options, &code] { code = bench(*options); });
}

}  // namespace tilewright::cli
