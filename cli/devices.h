// The parts of the project put together: the compiler, the reference interpreter, and the devices they serve.
#pragma once

#include "runtime/session.h"

#include <memory>
#include <string>

namespace tilewright::cli {

// The compiler of this process, made at the first call.
std::shared_ptr<Compiler> compiler();

// The reference interpreter. What kernels print goes to `print_to`.
InterpreterHook interpreter(std::FILE* print_to);

}  // namespace tilewright::cli
