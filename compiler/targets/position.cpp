#include "compiler/targets/position.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace tilewright {

SourcePosition position_of(mlir::Location location) {
  SourcePosition position;
  location->walk([&](mlir::Location part) {
    auto file = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file) return mlir::WalkResult::advance();
    position = {file.getFilename().str(), file.getLine(), file.getColumn()};
    return mlir::WalkResult::interrupt();
  });
  return position;
}

}  // namespace tilewright
