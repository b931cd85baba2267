// simt_fuzz: random programs through the GPU level, on a simulated machine against the reference.
//
//   simt_fuzz --count 1000 --seed 0 --target simt32
//
// Case i has the seed S + i; without --seed, S is drawn anew and printed. A failing case is made smaller and printed. Exits 1 when a case failed.
#include "runtime/support/error.h"
#include "tests/fuzz/generator.h"
#include "tests/fuzz/minimise.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <random>
#include <string>

namespace tilewright::simt {
namespace {

const Configuration& configuration_of(const std::string& name) {
  std::string known;
  for (const Configuration& configuration : configurations()) {
    if (configuration.name == name) return configuration;
    known += (known.empty() ? "" : ", ") + configuration.name;
  }
  throw Error(2001, "unknown machine '" + name + "'").help("known machines: " + known);
}

int run(std::uint64_t seed, std::uint64_t count, const std::string& name, int most_failures, bool minimises) {
  const std::unique_ptr<fuzz::Target> target = simulated_target(configuration_of(name), DeadCode::kSome);
  std::printf("%llu programs from seed %llu on %s\n", static_cast<unsigned long long>(count), static_cast<unsigned long long>(seed), name.c_str());
  std::fflush(stdout);
  int failures = 0;
  std::uint64_t done = 0;
  for (; done < count && failures < most_failures; ++done) {
    const fuzz::Case test = fuzz::generate(seed + done);
    const fuzz::Outcome outcome = fuzz::check(test, *target);
    if (!outcome.failed()) continue;
    ++failures;
    const auto fails = [&](const fuzz::Case& candidate) { return fuzz::check(candidate, *target).kind == outcome.kind; };
    const fuzz::Case small = minimises ? fuzz::minimise(test, fails) : test;
    std::printf("seed %llu: %s\n%s\n%s\n", static_cast<unsigned long long>(seed + done), outcome.text.c_str(), fuzz::check(small, *target).text.c_str(),
                to_text(small.program).c_str());
    std::fflush(stdout);
  }
  std::printf("%llu programs from seed %llu on %s: %d failed\n", static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed), name.c_str(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tilewright::simt

int main(int argc, char** argv) {
  CLI::App app{"Random tile programs through the GPU level against the reference"};
  std::optional<std::uint64_t> seed;
  std::uint64_t count = 1000;
  std::string target = "simt32";
  int failures = 5;
  bool whole = false;
  app.add_option("--seed", seed, "Seed of the first case; drawn anew when not given");
  app.add_option("--count", count, "Number of cases");
  app.add_option("--target", target, "simt32 or simt8");
  app.add_option("--failures", failures, "Stop after so many");
  app.add_flag("--whole", whole, "Do not make failing cases smaller");
  CLI11_PARSE(app, argc, argv);
  try {
    return tilewright::simt::run(seed ? *seed : std::random_device()(), count, target, failures, !whole);
  } catch (const tilewright::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
