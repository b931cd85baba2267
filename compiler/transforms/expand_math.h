// What the expansions of mathematical functions share: constants and types shaped like the operand, and the lists of patterns.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"

namespace tilewright {

// The constant, or a vector of it, where `like` is a vector.
inline mlir::Value splat_constant(mlir::ImplicitLocOpBuilder& b, mlir::Type like, mlir::TypedAttr attribute) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(like)) attribute = mlir::DenseElementsAttr::get(vector.clone(attribute.getType()), mlir::Attribute(attribute));
  return mlir::arith::ConstantOp::create(b, attribute);
}

// `like` with other elements.
inline mlir::Type with_element(mlir::Type like, mlir::Type element) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(like)) return vector.clone(element);
  return element;
}

// sin and cos on f32.
void populate_sine_patterns(mlir::RewritePatternSet& patterns);

// exp, exp2 and tanh; log and log2; sin and cos, on f64.
void populate_f64_exp_patterns(mlir::RewritePatternSet& patterns);
void populate_f64_log_patterns(mlir::RewritePatternSet& patterns);
void populate_f64_sine_patterns(mlir::RewritePatternSet& patterns);

}  // namespace tilewright
