// The parts of the project put together: the compiler, the reference interpreter, and the devices they serve.
#pragma once

#include "cli/stepper.h"
#include "runtime/session.h"

#include <cstdio>
#include <memory>

namespace tilewright::cli {

// The compiler of this process, made at the first call.
std::shared_ptr<Compiler> compiler();

// The reference interpreter. What kernels print goes to `print_to`. With stepping, one launch at a time, and it may end with Stopped.
InterpreterHook interpreter(std::FILE* print_to, Stepping stepping = Stepping::Off);

}  // namespace tilewright::cli
