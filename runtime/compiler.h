// The compiler as the runtime sees it. tilewright_compiler implements it with MLIR; a process without it can only load what was compiled before.
#pragma once

#include "runtime/artifact.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tilewright {

struct CompileOptions {
  std::string target = "host";       // "host", "x86-64-v2", "x86-64-v3", "x86-64-v4"
  std::string dump_after;            // pass name or "all"; empty: none
  std::function<void(std::string_view pass, std::string_view ir)> dump;  // receives what dump_after asks for
};

class Compiler {
 public:
  virtual ~Compiler() = default;

  // Compiles for options.target. Throws tilewright::Error. Thread-safe.
  virtual Artifact compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) = 0;

  // The program at one level of the pipeline, as text: "tile", "llvm", "asm".
  virtual std::string emit(const program::Program& program, const CompileOptions& options, std::string_view level) = 0;

  // The compiler's back end and its version, for people: "LLVM 22.1.8".
  virtual std::string version() const = 0;

  // What "host" means here: a level and the features beyond it; part of the content key.
  virtual std::string describe_target(std::string_view target) const = 0;

  // Makes the code of a CPU artifact callable in this process; the entry stays valid as long as the returned handle lives.
  virtual std::shared_ptr<void> load_cpu(const Artifact& artifact, CpuEntry& entry) = 0;
};

}  // namespace tilewright
