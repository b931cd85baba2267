// The compiler as the runtime sees it. tilewright_compiler implements it with MLIR; a process without it can only load what was compiled before.
#pragma once

#include "runtime/artifact.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

struct CompileOptions {
  std::string target = "host";                                           // one of Compiler::targets()
  std::string dump_after;                                                // pass name or "all"; empty: none
  std::function<void(std::string_view pass, std::string_view ir)> dump;  // receives what dump_after asks for
};

// A stage of the pipeline that can be shown.
struct CompileLevel {
  std::string name;         // "llvm", "ptx"
  std::string comment;      // what begins a comment in its text; empty: a binary level
  bool is_binary = false;   // bytes for a file, no text
  bool runs_passes = true;  // lies behind passes, which CompileOptions::dump_after can show
  bool is_default = false;  // the target's code, as people read it
};

class Compiler {
 public:
  virtual ~Compiler() = default;

  // Devices of this driver ("cuda") are about to be used: begins in the background what compiling for them will need and takes long to find. Thread-safe.
  virtual void expect_devices(std::string_view driver) {}

  // Compiles for options.target. Throws tilewright::Error. Thread-safe.
  virtual Artifact compile(std::shared_ptr<const program::Program> program, const CompileOptions& options) = 0;

  // The names that CompileOptions::target takes: "host", "x86-64-v4", ..., "sm_90a".
  virtual std::vector<std::string> targets() const = 0;

  // The levels that emit() knows for a target, in the order of the pipeline. Throws Error TW2001 for an unknown target.
  virtual std::vector<CompileLevel> levels(std::string_view target) const = 0;

  // The program at one of these levels: text, or the bytes of a binary level. Throws Error, TW2002 for another level.
  virtual std::string emit(const program::Program& program, const CompileOptions& options, std::string_view level) = 0;

  // The compiler's back end and its version, for people: "LLVM 22.1.8".
  virtual std::string version() const = 0;

  // What decides about the code for a target beyond its name, such as what "host" means here; part of the content key.
  virtual std::string describe_target(std::string_view target) const = 0;

  // The build of everything that has a part in compiling; equal builds make equal code. Empty: its code is not kept beyond this process.
  virtual std::string build_id() const { return {}; }

  // Whether code for a target holds the positions of its operations, for profilers and debuggers; they are then part of the content key.
  virtual bool keeps_positions(std::string_view target) const { return true; }
};

}  // namespace tilewright
