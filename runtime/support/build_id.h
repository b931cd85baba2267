// What identifies a build of a library: for keys of what its code made.
#pragma once

#include <string>

namespace tilewright {

// The build of the library or program that holds `address`, a function or object of it: the build id that its linker wrote into it, in hexadecimal, or without one a hash of
// its file. Empty when neither can be had. Equal for every process that has loaded the same file. Thread-safe.
std::string build_id_of(const void* address);

}  // namespace tilewright
