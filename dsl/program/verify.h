// Checks a whole program: what a builder guarantees, asked again of programs from any source.
#pragma once

#include "dsl/program/program.h"

namespace tilewright::program {

// Structure (every id in range, each operation in one region, each value made once), visibility (a value is used after it was made, in its
// region or one inside), effects (where writes may stand), the interface (parameters, grid) and all types. Throws tilewright::Error: TW9102 for
// broken structure, else what the builder would throw, with the operation's position.
void verify(const Program& program);

}  // namespace tilewright::program
