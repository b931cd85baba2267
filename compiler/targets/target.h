// What the compiler asks of a target: how its code is made, level by level. One folder here for each vendor implements it.
#pragma once

#include "compiler/targets/phases.h"
#include "runtime/artifact.h"
#include "runtime/compiler.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

// Immutable; may be used by several threads at once, with a module of its own each.
class Target {
 public:
  virtual ~Target() = default;

  // What a user calls it: "x86-64-v4", "sm_90a".
  virtual const std::string& name() const = 0;

  // What of it decides about the generated code, tools beside LLVM included, for keys and `doctor`.
  virtual std::string describe() const = 0;

  // Whether the code holds the positions of the author's operations.
  virtual bool keeps_positions() const { return true; }

  // The languages whose functions a program may call (dsl/program/external.h), beside its own operations.
  virtual std::initializer_list<std::string_view> languages() const { return {}; }

  // Whether its code has roles (dsl/program/roles.h).
  virtual bool has_roles() const { return false; }

  // Begins in the background to look for the tools that fill() needs, where that takes long.
  virtual void start_tools() const {}

  // The levels of this target that can be shown, in the order of the pipeline, after "program" and "tile", which every target has.
  virtual const std::vector<CompileLevel>& levels() const = 0;

  // Adds what the passes and the translation to LLVM IR need.
  virtual void prepare(mlir::MLIRContext& context) const = 0;

  // The passes from the imported program to `level`; levels below the LLVM dialect all take the same.
  virtual void build_pipeline(mlir::OpPassManager& passes, std::string_view level) const = 0;

  // The text or bytes of a level, from a module after its passes. Changes the module. Throws Error TW2xxx where the target's tools refuse.
  virtual std::vector<char> generate(mlir::ModuleOp module, std::string_view level, std::vector<PhaseTime>& phases) const = 0;

  // The code of an artifact and all the target knows of it, from a module after its passes. Kernel, entry and program are set already. Changes the module.
  virtual void fill(Artifact& artifact, mlir::ModuleOp module) const = 0;
};

// "host", "x86-64-v2", ..., "sm_80", ... Throws Error TW2001 for another name, with those there are.
std::unique_ptr<const Target> make_target(std::string_view name);

// Target::start_tools() of the targets of a driver's devices ("cuda").
void start_tools(std::string_view driver);

// The names that make_target() takes.
std::vector<std::string> target_names();

}  // namespace tilewright
