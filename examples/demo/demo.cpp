// The demo: NSA and GSA on activations of a real model, and on a long random sequence. Prints what was attended, the error against the reference in double precision, and times.
// Usage: tilewright_demo FOLDER, the folder with minilm_*.safetensors. Exit 0 when every result is within its tolerance, 1 when one is not, 2 for bad usage or files.
#include "compiler/compiler.h"
#include "examples/demo/attended.h"
#include "examples/demo/progress.h"
#include "runtime/make_settings.h"
#include "runtime/operator.h"
#include "runtime/safetensors.h"
#include "runtime/session.h"
#include "runtime/support/error.h"

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace tilewright::demo {

namespace {

struct Step {
  std::string title;
  std::string op;
  std::vector<std::string> settings;  // name=value
  std::string file;  // of inputs; empty: random ones
  std::function<void(const OperatorSettings&, const TensorMap& inputs, const TensorMap& outputs)> print;
};

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

bool run(const Step& step, int number, int steps, Session& session) {
  const Operator* op = find_operator(step.op);
  if (op == nullptr) throw Error(9001, "the operator '" + step.op + "' is not part of this build");
  const OperatorSettings settings = make_settings(*op, step.settings);

  TensorMap inputs, outputs;
  LaunchStats first, again;
  double first_ms = 0, again_ms = 0;
  CheckReport report;
  {
    Progress progress(number, steps, step.title);
    progress.now("inputs");
    inputs = step.file.empty() ? op->random_inputs(settings, 0) : read_safetensors(step.file);
    op->validate(settings, inputs);
    progress.now("first call: trace, compile, run");
    session.stats() = {};
    first_ms = milliseconds([&] { outputs = op->run(session, settings, inputs); });
    first = session.stats();
    progress.now("second call");
    session.stats() = {};
    again_ms = milliseconds([&] { outputs = op->run(session, settings, inputs); });
    again = session.stats();
    progress.now("comparing with the reference in double precision");
    report = op->check(settings, inputs, outputs);
  }

  std::printf("\n[%d/%d] %s\n", number, steps, step.title.c_str());
  for (const auto& [name, tensor] : inputs) {
    std::printf("    %s %s", name.c_str(), std::string(name_of(tensor.dtype())).c_str());
    for (std::int64_t size : tensor.shape()) std::printf(" %lld", static_cast<long long>(size));
    std::printf(";");
  }
  std::printf("\n");
  step.print(settings, inputs, outputs);
  const double rate = again.run_ms > 0 ? op->flops(settings, inputs) / again.run_ms * 1e-6 : 0;
  std::printf("  time   first call %.0f ms (%d kernels traced and compiled in %.0f ms), again %.1f ms: %d launches in %.1f ms, %.0f GFLOP/s\n", first_ms, first.compiles,
              first.compile_ms, again_ms, again.launches, again.run_ms, rate);
  std::printf("  error  rms ratio %.2e against the reference in double precision (tolerance %.0e): %s\n", report.rms_ratio, report.tolerance, report.ok ? "ok" : "FAILED");
  for (const std::string& note : report.notes) std::printf("         %s\n", note.c_str());
  std::fflush(stdout);
  return report.ok;
}

int run_all(const std::string& folder) {
  const Words words = read_words(folder + "/minilm_tokens.txt");
  const Words none;
  const std::vector<Step> steps = {
      {"nsa_forward on MiniLM's third layer, 482 tokens of text",
       "nsa_forward",
       {"preset=fla", "block_size=16", "slots=6", "window=32"},
       folder + "/minilm_nsa.safetensors",
       [&](const OperatorSettings& settings, const TensorMap& in, const TensorMap& out) {
         print_nsa(in, out, kernels::geometry_of(settings), words, 4, {272, 304, 453});
       }},
      {"gsa_chunk_forward on MiniLM's third layer, 482 tokens of text",
       "gsa_chunk_forward",
       {},
       folder + "/minilm_gsa.safetensors",
       [&](const OperatorSettings&, const TensorMap& in, const TensorMap&) { print_gsa(in, words, 0, {272, 304, 453}); }},
      {"nsa_forward on 4096 random tokens, 64 query and 4 kv heads of 128",
       "nsa_forward",
       {"preset=fla", "seq=4096", "heads=64", "kv_heads=4", "dim=128"},
       "",
       [&](const OperatorSettings& settings, const TensorMap& in, const TensorMap& out) {
         print_nsa(in, out, kernels::geometry_of(settings), none, 0, {4000});
       }},
      {"gsa_chunk_forward on 4096 random tokens, 64 query and 4 kv heads of 128, 64 slots",
       "gsa_chunk_forward",
       {"seq=4096", "heads=64", "kv_heads=4", "dim=128", "slots=64"},
       "",
       [&](const OperatorSettings&, const TensorMap& in, const TensorMap&) { print_gsa(in, none, 0, {4000}); }},
  };

  const std::unique_ptr<Session> session = make_session("cpu", make_compiler());
  bool ok = true;
  double total = milliseconds([&] {
    for (std::size_t i = 0; i < steps.size(); ++i) ok &= run(steps[i], static_cast<int>(i) + 1, static_cast<int>(steps.size()), *session);
  });
  std::printf("\n%s in %.1f s\n", ok ? "Every result is within its tolerance," : "A result is beyond its tolerance,", total / 1000);
  return ok ? 0 : 1;
}

}  // namespace

}  // namespace tilewright::demo

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tilewright_demo FOLDER\n");
    return 2;
  }
  try {
    return tilewright::demo::run_all(argv[1]);
  } catch (const tilewright::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
