// Line information: instructions placed at the lines of the author's source they come from, for profilers and debuggers.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace tilewright {

// Gives every function of a module in the LLVM dialect a scope, and every operation with a position a place in it, whatever file it is of. Translated to LLVM IR this gives line
// directives (.loc, .file) alone: no other debug information, and code that is the same as without.
void add_debug_lines(mlir::ModuleOp module);

}  // namespace tilewright
