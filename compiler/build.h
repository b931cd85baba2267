// Which build of the compiler this process runs.
#pragma once

#include <string>

namespace tilewright {

// The builds of this library, of those it stands on, and of the one that drives the assemblers, in words of hexadecimal digits. Empty when one of them cannot be told.
std::string compiler_build();

}  // namespace tilewright
