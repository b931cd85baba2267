// Whether CPU code made elsewhere runs on this machine's processor.
#pragma once

#include <string>
#include <string_view>

namespace tilewright {

// The first instruction set that code for `target` may use and that this processor, or its operating system, lacks; empty: it runs here. `processor` is what Compiler::describe_target() said
// of the target where the code was made: a processor's name, then "+feature" and "-feature" between blanks and commas. A feature that is not known counts as lacking. Thread-safe.
std::string missing_feature(std::string_view target, std::string_view processor);

}  // namespace tilewright
