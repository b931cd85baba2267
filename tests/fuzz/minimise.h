// Makes a failing case smaller while it keeps failing.
#pragma once

#include "tests/fuzz/case.h"

#include <functional>

namespace tilewright::fuzz {

// Drops stores and assertions, puts the body of a control operation in its place, replaces values by operands or constants, drops parameters nothing uses;
// keeps a step when the program is still well formed and `fails` says so. Asks `fails` at most `attempts` times.
Case minimise(Case failing, const std::function<bool(const Case&)>& fails, int attempts = 500);

}  // namespace tilewright::fuzz
