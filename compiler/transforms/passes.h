// The target-neutral passes of the compiler.
#pragma once

#include "mlir/Pass/Pass.h"

#include <functional>
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

// "tile-widen-f8-dots": dots of 8-bit floats become dots of f16, or of f32, which say the same. Those that `keep` holds for (a tile.dot; null: none) stay. A dot of f16 gets a note for the
// author (kNoteAttr).
std::unique_ptr<mlir::Pass> create_widen_f8_dots(bool to_f16, std::function<bool(mlir::Operation*)> keep = {});

// Makes the passes known by name.
void register_transforms();

}  // namespace tilewright
