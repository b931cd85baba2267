// Linking of AMD code objects.
#pragma once

#include <vector>

namespace tilewright::amd {

// A shared object that the driver loads, of one relocatable object, by the linker LLD within this process. The same object gives the same bytes. Thread-safe: one call links at a time.
// Throws Error TW2321 where the linker refuses, TW3311 where no temporary file can be written.
std::vector<char> link_code_object(const std::vector<char>& object);

}  // namespace tilewright::amd
