// The target-neutral passes of the compiler.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace tilewright {

// "tile-shrink-elementwise": elementwise operations on broadcasts and splats become broadcasts and splats of smaller operations.
std::unique_ptr<mlir::Pass> create_shrink_elementwise();

// "tile-simplify-access": loads and stores by index tiles that count upwards become contiguous; what bounds or static extents imply leaves masks.
std::unique_ptr<mlir::Pass> create_simplify_access();

// "tile-hoist-loads": what is the same in every iteration of a loop moves in front of it, loads included where nothing in the loop writes.
std::unique_ptr<mlir::Pass> create_hoist_loads();

// "expand-math": exp, exp2, log, log2 and their like on f32 and f64, scalars or vectors, as polynomials.
std::unique_ptr<mlir::Pass> create_expand_math();

// Makes the passes known by name.
void register_transforms();

}  // namespace tilewright
