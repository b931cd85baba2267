// Which tiles of a kernel are held in scratch and which are recomputed where they are used.
#pragma once

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"

#include "llvm/ADT/DenseMap.h"

namespace tilewright::cpu {

class Plan {
 public:
  // Whether `tile` is an expression evaluated by its users rather than a buffer.
  bool is_inline(mlir::Value tile);

  // Whether the carried tile `yielded` may be computed straight into the buffer of the loop argument `argument` that it replaces: nothing reads the old
  // value after, or while at other coordinates than, the new one is written.
  bool may_overwrite(mlir::Value yielded, mlir::Value argument);

 private:
  bool decide(mlir::Value tile);
  bool no_write_before_use(mlir::Operation* load);
  // The operation at which an inline value is last evaluated; null when it has users in other blocks or several.
  mlir::Operation* last_evaluation(mlir::Operation* user, mlir::Block* block);
  bool reads_same_coordinates(mlir::Value value, mlir::Value from);

  llvm::DenseMap<mlir::Value, bool> inline_;
};

// Elementwise in this target's sense: every element of the result depends on the operands' elements at the same coordinates.
bool is_elementwise(mlir::Operation* op);

}  // namespace tilewright::cpu
