// Where in the author's source an operation was written, for errors.
#pragma once

#include "runtime/support/error.h"

#include "mlir/IR/Location.h"

namespace tilewright {

// The first file position in a location; line 0 where it holds none.
SourcePosition position_of(mlir::Location location);

}  // namespace tilewright
