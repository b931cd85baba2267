// Makes the compiler: the one entry of this folder for the rest of the project.
#pragma once

#include "runtime/compiler.h"

#include <memory>

namespace tilewright {

// Any number may exist; each is thread-safe.
std::unique_ptr<Compiler> make_compiler();

}  // namespace tilewright
