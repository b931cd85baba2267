// `tilewright doctor`: what this machine has, which devices work, and what is missing.
#include "cli/devices.h"
#include "cli/probe.h"
#include "cli/processor.h"
#include "cli/verbs.h"
#include "runtime/cache/artifact_cache.h"
#include "runtime/drivers/host_device.h"
#include "runtime/operator.h"
#include "runtime/support/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace tilewright::cli {

namespace {

using nlohmann::ordered_json;

struct DeviceReport {
  DeviceProperties properties;
  ProbeResult probe;
};

std::string why_absent(Driver& driver) {
  try {
    driver.open(0);
  } catch (const Error& error) {
    return error.message();
  }
  return "driver '" + driver.name() + "' lists no device, and yet opens one";
}

struct Devices {
  std::vector<DeviceReport> present;
  std::vector<std::string> absent;  // why a driver has none, a sentence each
};

Devices probe_devices() {
  SessionOptions options;
  options.interpreter = interpreter(stderr);
  options.cache = std::make_shared<cache::ArtifactCache>(cache::CacheSettings{});  // none: the compiler is to be seen at work
  Devices devices;
  for (const std::unique_ptr<Driver>& driver : make_drivers(options)) {
    const std::vector<DeviceProperties> found = driver->enumerate();
    if (found.empty()) devices.absent.push_back(why_absent(*driver));
    for (std::size_t i = 0; i < found.size(); ++i) {
      DeviceReport report{found[i], {}};
      try {
        const auto session = make_session(driver->open(static_cast<int>(i)), compiler(), options);
        report.probe = probe(*session, driver->name() != "null");
      } catch (const std::exception& error) {
        report.probe.problem = error.what();
      }
      devices.present.push_back(std::move(report));
    }
  }
  return devices;
}

// Where compiled kernels are kept, and whether that works.
std::string describe_cache() {
  const cache::CacheSettings settings = cache::settings_of_environment();
  if (settings.directory.empty()) return "off";
  std::string problem;
  const auto store = cache::Store::open(settings.directory, cache::system_files(), problem);
  if (!store) return "DOES NOT WORK: " + problem;
  std::uint64_t bytes = 0;
  const std::vector<cache::StoredFile> files = store->list();
  for (const cache::StoredFile& file : files) bytes += file.bytes;
  return fmt::format("{}: {} kernels, {:.1f} MiB", settings.directory, files.size(), static_cast<double>(bytes) / (1 << 20));
}

double gibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

void print_for_people(const Processor& processor, const Devices& devices) {
  std::string features;
  for (const std::string& feature : processor.features) features += " " + feature;
  fmt::print("tilewright {}\n", TILEWRIGHT_VERSION);
  const std::string host = compiler()->describe_target("host");  // the processor's name, then every feature
  fmt::print("compiler   {}, for host: {}\n", compiler()->version(), host.substr(0, host.find(' ')));
  fmt::print("processor  {}, {} cores, {}\n", processor.model, processor.logical_cores, processor.level.empty() ? "not x86-64" : processor.level);
  fmt::print("features  {}\n", features);
  fmt::print("memory     {:.1f} GiB\n", gibibytes(host_memory_bytes()));
  fmt::print("operators  {}\n", all_operators().size());
  fmt::print("cache      {}\n", describe_cache());
  fmt::print("devices\n");
  for (const DeviceReport& device : devices.present) {
    const std::string state = device.probe.works ? fmt::format("works (first kernel in {:.0f} ms)", device.probe.compile_ms) : "DOES NOT WORK: " + device.probe.problem;
    fmt::print("  {:<10} {}; {}\n", device.properties.name, device.properties.description, state);
  }
  for (const std::string& reason : devices.absent) fmt::print("  {}\n", reason);
}

ordered_json to_json(const Processor& processor, const Devices& devices) {
  ordered_json list = ordered_json::array();
  for (const DeviceReport& device : devices.present) {
    ordered_json entry = {{"name", device.properties.name},
                          {"description", device.properties.description},
                          {"works", device.probe.works},
                          {"parallelism", device.properties.parallelism},
                          {"memory_bytes", device.properties.memory_bytes},
                          {"compile_ms", device.probe.compile_ms}};
    if (!device.probe.works) entry["problem"] = device.probe.problem;
    list.push_back(std::move(entry));
  }
  return {{"version", TILEWRIGHT_VERSION},
          {"compiler", compiler()->version()},
          {"host_target", compiler()->describe_target("host")},
          {"processor", {{"model", processor.model}, {"cores", processor.logical_cores}, {"level", processor.level}, {"features", processor.features}}},
          {"memory_bytes", host_memory_bytes()},
          {"operators", all_operators().size()},
          {"cache", describe_cache()},
          {"devices", list},
          {"absent", devices.absent}};
}

}  // namespace

void add_doctor(CLI::App& app, ExitCode& code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("doctor", "Show what this machine has, which devices work and what is missing");
  verb->add_flag("--json", *json, "Print JSON");
  verb->callback([json, &code] {
    const Processor processor = this_processor();
    const Devices devices = probe_devices();
    if (*json) {
      fmt::print("{}\n", to_json(processor, devices).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      print_for_people(processor, devices);
    }
    for (const DeviceReport& device : devices.present) {
      if (!device.probe.works) code = kOurDefect;
    }
  });
}

}  // namespace tilewright::cli
