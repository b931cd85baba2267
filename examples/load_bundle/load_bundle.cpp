// Runs an operator of the kernel library on the CPU with kernels from a bundle, and checks its results: load_bundle BUNDLE OPERATOR [NAME=VALUE...]
#include <tilewright/runtime/cache/artifact_cache.h>
#include <tilewright/runtime/make_settings.h>
#include <tilewright/runtime/operator.h>
#include <tilewright/runtime/support/error.h>

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace tilewright;
  if (argc < 3) {
    std::fprintf(stderr, "usage: load_bundle BUNDLE OPERATOR [NAME=VALUE...]\n");
    return 2;
  }
  try {
    const Operator* op = find_operator(argv[2]);
    if (op == nullptr) throw Error(3001, std::string("there is no operator '") + argv[2] + "'");
    const OperatorSettings settings = make_settings(*op, std::vector<std::string>(argv + 3, argv + argc));

    SessionOptions options;
    options.cache = std::make_shared<cache::ArtifactCache>(cache::CacheSettings{.directory = {}, .bundles = {argv[1]}});
    const std::unique_ptr<Session> session = make_session("cpu", nullptr, options);  // no compiler: what the bundle does not hold is an error

    const TensorMap inputs = op->random_inputs(settings, 0);
    const TensorMap outputs = op->run(*session, settings, inputs);
    const CheckReport report = op->check(settings, inputs, outputs);
    const LaunchStats& stats = session->stats();
    std::printf("%d launches; %d kernels of the bundle, ready in %.2f ms; ran in %.3f ms; results are %s\n", stats.launches, stats.cache_hits,
                stats.cache_ms, stats.run_ms, report.ok ? "right" : "WRONG");
    return report.ok ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
