// Runs a case on the reference and on a target, and compares.
#pragma once

#include "runtime/compiler.h"
#include "tests/fuzz/case.h"
#include "tests/fuzz/memory.h"

#include <functional>
#include <memory>
#include <string>

namespace tilewright::fuzz {

// What is tested against the reference.
class Target {
 public:
  virtual ~Target() = default;
  // Makes the case's program ready to run. Throws tilewright::Error.
  virtual void prepare(const Case& test) = 0;
  // Whether there is nothing here that could run it.
  virtual bool only_prepares() const { return false; }
  // Whether this target's result can be compared with the reference's, which runs the grid in order; `memory` is as the case's program finds it, and is so again afterwards.
  virtual bool can_judge(const Case& test, const Memory& memory) { return true; }
  // Runs the prepared program over its grid, in order unless can_judge() has seen to it that order does not matter. Returns what went wrong: a fault, an assertion that failed; empty when nothing did.
  virtual std::string run(const Case& test, const Memory& memory) = 0;
};

// Code made by a compiler for one of its CPU targets. The compiler must outlive it.
std::unique_ptr<Target> compiled_target(Compiler& compiler, std::string name);

// A compiler's code for any of its targets, which is not run. The compiler must outlive it.
std::unique_ptr<Target> compiling_target(Compiler& compiler, std::string name);

// The reference on a program made from the case's by `transform`, which must keep parameters and results.
std::unique_ptr<Target> transformed_reference(std::function<program::Program(const program::Program&)> transform);

struct Outcome {
  // Skipped: the result depends on the order of the grid, or the program needs more shared memory than a block has.
  enum Kind { Agrees, Skipped, Refused, Faulted, Differs } kind = Agrees;
  std::string text;
  bool failed() const { return kind != Agrees && kind != Skipped; }
};

Outcome check(const Case& test, Target& target);

}  // namespace tilewright::fuzz
