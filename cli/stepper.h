// Shows a kernel's operations as the reference interpreter runs them, and waits before each if asked to.
#pragma once

#include "compiler/reference/interpreter.h"

#include <optional>

namespace tilewright::cli {

enum class Stepping { Off, Trace, Step };

// What the user asked for by `q`: the end of the process, without results.
struct Stopped {};

// One a launch. Writes to stderr and reads stdin; serves one thread.
class Stepper {
 public:
  explicit Stepper(Stepping mode) : mode_(mode) {}

  // The interpreter's step hook: `op` is about to run. Throws Stopped.
  void before(const reference::Interpreter& at, program::OpId op);

 private:
  void show_results(const reference::Interpreter& at);
  void wait(const reference::Interpreter& at);

  Stepping mode_;
  std::optional<program::OpId> last_;                       // the operation run before, of the same program
  std::optional<reference::GridIndex> program_, skipped_;   // where it was; the program to be passed over
};

}  // namespace tilewright::cli
