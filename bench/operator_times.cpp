// Times one operator on the CPU and prints a JSON object: the first call apart (trace, compile, run), then warm calls.
//   "first_call.kernels"  milliseconds from trace to loaded code, by kernel
//   "run_ms"   time of the kernels of each warm call, memory allocated beforehand by the session
//   "wall_ms" time of the whole call, with copies of inputs and outputs between host tensors and the device
// Usage: tilewright_operator_times OPERATOR [NAME=VALUE ...] [--repeats N]; settings as in `tilewright list OPERATOR`, tunables of its kernels too.
#include "compiler/compiler.h"
#include "runtime/cache/artifact_cache.h"
#include "runtime/make_settings.h"
#include "runtime/operator.h"
#include "runtime/session.h"
#include "runtime/support/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tilewright;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Request {
  const Operator* op = nullptr;
  std::vector<std::string> settings;
  long repeats = 7;
};

Request parse(int argc, char** argv) {
  Request request;
  if (argc < 2 || (request.op = find_operator(argv[1])) == nullptr) throw Error(3501, "the first argument is an operator of `tilewright list`");
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--repeats" && i + 1 < argc) {
      request.repeats = std::strtol(argv[++i], nullptr, 10);
    } else {
      request.settings.emplace_back(argv[i]);
    }
  }
  if (request.repeats < 1) throw Error(3002, "--repeats is at least 1");
  return request;
}

// Passes everything on, and notes what each kernel's compilation took.
class CompileTimes final : public Session {
 public:
  explicit CompileTimes(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  std::string device() const override { return session_->device(); }
  void launch(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    const double before = session_->stats().compile_ms;
    session_->launch(kernel, arguments, settings);
    if (const double taken = session_->stats().compile_ms - before; taken > 0) by_kernel_[kernel.name()] = std::max(by_kernel_[kernel.name()], taken);
  }
  PreparedLaunch prepare(const program::TraceableKernel& kernel, std::span<const Argument> arguments, const KernelSettings& settings) override {
    return session_->prepare(kernel, arguments, settings);
  }
  DeviceTensor allocate(DType dtype, std::span<const std::int64_t> shape) override { return session_->allocate(dtype, shape); }
  DeviceTensor upload(const HostTensor& tensor) override { return session_->upload(tensor); }
  HostTensor download(const TensorView& tensor) override { return session_->download(tensor); }
  LaunchStats& stats() override { return session_->stats(); }

  const std::map<std::string, double>& by_kernel() const { return by_kernel_; }

 private:
  std::unique_ptr<Session> session_;
  std::map<std::string, double> by_kernel_;
};

Json measure(const Request& request) {
  const OperatorSettings settings = make_settings(*request.op, request.settings);
  const TensorMap inputs = request.op->random_inputs(settings, 0);
  SessionOptions options;
  options.cache = std::make_shared<cache::ArtifactCache>(cache::CacheSettings{});  // none: the first call compiles
  CompileTimes session(make_session("cpu", make_compiler(), options));

  const auto call = [&] {
    session.stats() = {};
    const auto start = Clock::now();
    request.op->run(session, settings, inputs);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  const double first_wall = call();
  const LaunchStats first = session.stats();
  Json report = {{"operator", request.op->name()},
                 {"settings", settings.all()},
                 {"flops", request.op->flops(settings, inputs)},
                 {"first_call", {{"wall_ms", first_wall}, {"compiles", first.compiles}, {"compile_ms", first.compile_ms}, {"run_ms", first.run_ms}, {"kernels", session.by_kernel()}}}};
  for (long i = 0; i < request.repeats; ++i) {
    report["wall_ms"].push_back(call());
    report["run_ms"].push_back(session.stats().run_ms);
  }
  report["launches"] = session.stats().launches;
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::printf("%s\n", measure(parse(argc, argv)).dump().c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
