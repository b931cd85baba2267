#include "compiler/transforms/passes.h"

#include "mlir/Pass/PassRegistry.h"

namespace tilewright {

void register_transforms() {
  mlir::registerPass(create_shrink_elementwise);
  mlir::registerPass(create_simplify_access);
  mlir::registerPass(create_hoist_loads);
  mlir::registerPass([] { return create_widen_f8_dots(/*to_f16=*/true); });
}

}  // namespace tilewright
