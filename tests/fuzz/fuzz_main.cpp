// tilewright_fuzz: random programs on a target against the reference.
//
//   tilewright_fuzz --count 1000 --seed 0 --target host
//   tilewright_fuzz --count 1000 --seed 0 --device cuda:0
//   tilewright_fuzz --count 1000 --seed 0 --compile sm_90a
//
// Case i has the seed S + i; without --seed, S is drawn anew and printed. A failing case is made smaller and printed as a listing and as C++ that rebuilds it. Exits 1 when a case failed,
// 3 without the device.
#include "compiler/compiler.h"
#include "dsl/program/canonical.h"
#include "dsl/program/print_cpp.h"
#include "runtime/session.h"
#include "runtime/support/error.h"
#include "tests/fuzz/device_target.h"
#include "tests/fuzz/generator.h"
#include "tests/fuzz/minimise.h"
#include "tests/fuzz/run.h"

#include <CLI/CLI.hpp>

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <random>
#include <string>

namespace tilewright::fuzz {
namespace {

constexpr unsigned kSecondsACase = 120;

char current_case[64];  // named when the process dies in the compiler

void name_current_case(int signal) {
  (void)!write(STDERR_FILENO, current_case, std::char_traits<char>::length(current_case));
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void name_cases_on_death() {
  for (int signal : {SIGABRT, SIGSEGV, SIGALRM}) ::signal(signal, name_current_case);
}

void begin_case(std::uint64_t seed) {
  std::snprintf(current_case, sizeof current_case, "\ndied in the case of seed %llu\n", static_cast<unsigned long long>(seed));
  alarm(kSecondsACase);
}

const char* word_for(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Refused: return "does not compile";
    case Outcome::Faulted: return "fails when run";
    case Outcome::Differs: return "gives other results than the reference";
    default: return "agrees";
  }
}

void report(const Case& test, const Outcome& outcome, Target& target, bool minimises) {
  std::printf("seed %llu %s\n%s\n", static_cast<unsigned long long>(test.seed), word_for(outcome.kind), outcome.text.c_str());
  Case small = test;
  if (minimises) {
    const auto fails = [&](const Case& candidate) {
      alarm(kSecondsACase);
      return check(candidate, target).kind == outcome.kind;
    };
    small = minimise(test, fails);
    std::printf("made smaller, it %s\n%s\n", word_for(outcome.kind), check(small, target).text.c_str());
  }
  std::printf("%s\n%s\n", to_text(small.program).c_str(), program::print_cpp(small.program).c_str());
  std::fflush(stdout);
}

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 16) ^ device();  // short enough to type, wide enough that two runs never meet
}

enum class How { kTarget, kDevice, kCompile };

int run(std::uint64_t seed, std::uint64_t count, const std::string& name, How how, int most_failures, bool minimises) {
  std::shared_ptr<Compiler> compiler;
  std::unique_ptr<Target> target;
  if (how == How::kDevice) {
    compiler = make_compiler();
    target = device_target(compiler, open_device(name));
  } else if (how == How::kCompile) {
    compiler = make_compiler();
    target = compiling_target(*compiler, name);
  } else if (name == "canonical") {
    target = transformed_reference(program::canonicalize);
  } else {
    compiler = make_compiler();
    target = compiled_target(*compiler, name);
  }
  std::printf("%llu programs from seed %llu on %s\n", static_cast<unsigned long long>(count), static_cast<unsigned long long>(seed), name.c_str());
  std::fflush(stdout);
  const auto start = std::chrono::steady_clock::now();
  int failures = 0, skipped = 0;
  std::uint64_t done = 0;
  for (; done < count && failures < most_failures; ++done) {
    begin_case(seed + done);
    const Case test = generate(seed + done);
    const Outcome outcome = check(test, *target);
    skipped += outcome.kind == Outcome::Skipped;
    if (outcome.failed()) {
      ++failures;
      report(test, outcome, *target, minimises);
    }
  }
  alarm(0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%llu programs from seed %llu on %s: %d failed, %d not comparable, %.1f s\n", static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed),
              name.c_str(), failures, skipped, seconds);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tilewright::fuzz

int main(int argc, char** argv) {
  CLI::App app{"Random tile programs on a target against the reference"};
  std::optional<std::uint64_t> seed;
  std::uint64_t count = 1000;
  std::string target = "host", device, compile;
  int failures = 5;
  bool whole = false;
  app.add_option("--seed", seed, "Seed of the first case; drawn anew when not given");
  app.add_option("--count", count, "Number of cases");
  app.add_option("--target", target, "host, x86-64-v2, x86-64-v3, x86-64-v4; canonical: the reference on the canonical form");
  app.add_option("--device", device, "Instead of a target: a device, such as cuda:0, and the target it takes");
  app.add_option("--compile", compile, "Instead of a target: any target, such as sm_90a, for which cases are compiled and not run");
  app.add_option("--failures", failures, "Stop after so many");
  app.add_flag("--whole", whole, "Do not make failing cases smaller");
  CLI11_PARSE(app, argc, argv);
  tilewright::fuzz::name_cases_on_death();
  try {
    using tilewright::fuzz::How;
    const How how = !device.empty() ? How::kDevice : !compile.empty() ? How::kCompile : How::kTarget;
    return tilewright::fuzz::run(seed ? *seed : tilewright::fuzz::draw_seed(), count, device + compile + (how == How::kTarget ? target : ""), how, failures, !whole);
  } catch (const tilewright::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.code() == 3301 ? 3 : 2;
  }
}
