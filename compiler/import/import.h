// From a traced program to a module of the `tile`, `arith`, `math`, `scf` and `func` dialects.
#pragma once

#include "dsl/program/program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tilewright {

// Loads the dialects an imported module uses.
void load_dialects(mlir::MLIRContext& context);

// A module with one function, named like the program, that is the program's body; the grid is not imported. Every operation is placed at the
// position in the author's source it was traced from. Program and module are verified. Loads the dialects it needs. Throws Error: what
// program::verify throws for a program that breaks the rules, TW92xx for one that cannot be imported all the same. Calls with different contexts
// may run at the same time.
mlir::OwningOpRef<mlir::ModuleOp> import_program(mlir::MLIRContext& context, const program::Program& program);

}  // namespace tilewright
