// Many kernels compiled at once, on the cores of this machine, before they are first launched.
#pragma once

#include "runtime/session.h"

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tilewright {

// What is told after each kernel, by one thread at a time, whichever it is.
struct CompileProgress {
  std::string kernel;
  std::size_t done = 0, total = 0;  // kernels that are ready or failed, this one among them; all of them
  double ms = 0;                    // that this one took
  std::string problem;              // why it failed; empty: it is ready
};
using ProgressCallback = std::function<void(const CompileProgress&)>;

struct PrecompileOptions {
  int threads = 0;  // most at once; 0: one a core
  ProgressCallback progress;
};

// A launch to come: what Session::compile() takes. The kernel must live until it is compiled.
struct LaunchRequest {
  const program::TraceableKernel* kernel = nullptr;
  std::vector<Argument> arguments;
  KernelSettings settings;
};

// Session::compile() for each request. All are tried; then what the first of them that failed has thrown is thrown. What `progress` throws counts as a failure of its kernel.
void precompile(Session& session, std::span<const LaunchRequest> requests, const PrecompileOptions& options = {});

// The same without waiting: the future is ready, or throws, when precompile() would have. The session must live until then; the future's destructor waits. Launches of the kernels meanwhile wait for
// theirs alone.
std::future<void> precompile_async(Session& session, std::vector<LaunchRequest> requests, PrecompileOptions options = {});

// Programs compiled for one target, in their order. Throws as precompile() does.
std::vector<Artifact> compile_all(Compiler& compiler, std::span<const std::shared_ptr<const program::Program>> programs,
                                  const CompileOptions& compile, const PrecompileOptions& options = {});

}  // namespace tilewright
