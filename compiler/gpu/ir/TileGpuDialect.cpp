#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

#include "compiler/gpu/ir/TileGpuDialect.cpp.inc"
#include "compiler/gpu/ir/TileGpuEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/gpu/ir/TileGpuAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/gpu/ir/TileGpuTypes.cpp.inc"

#define GET_OP_CLASSES
#include "compiler/gpu/ir/TileGpuOps.cpp.inc"

namespace tilewright::tile_gpu {

void TileGpuDialect::initialize() {
  register_attributes();
  register_types();
  addOperations<
#define GET_OP_LIST
#include "compiler/gpu/ir/TileGpuOps.cpp.inc"
      >();
}

void TileGpuDialect::register_attributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/gpu/ir/TileGpuAttrs.cpp.inc"
      >();
}

void TileGpuDialect::register_types() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/gpu/ir/TileGpuTypes.cpp.inc"
      >();
}

bool has_layout(mlir::Type type) {
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  return tensor && llvm::isa_and_present<LayoutAttr>(tensor.getEncoding());
}

layout::Layout layout_of(mlir::Type tile) { return llvm::cast<LayoutAttr>(llvm::cast<mlir::RankedTensorType>(tile).getEncoding()).layout(); }

mlir::RankedTensorType with_layout(mlir::Type type, const layout::Layout& layout) {
  auto tensor = llvm::cast<mlir::RankedTensorType>(type);
  return mlir::RankedTensorType::get(tensor.getShape(), tensor.getElementType(), LayoutAttr::get(type.getContext(), layout));
}

mlir::LogicalResult ConvertLayoutOp::verify() {
  for (mlir::Type type : {getInput().getType(), getType()}) {
    if (!has_layout(type)) return emitOpError() << type << " has no layout";
    if (llvm::ArrayRef(layout_of(type).extents()) != llvm::cast<mlir::RankedTensorType>(type).getShape())
      return emitOpError() << "the layout of " << type << " is of other extents";
  }
  if (getInput().getType().getNumElements() != getType().getNumElements()) return emitOpError("must keep the number of elements");
  const layout::Layout from = layout_of(getInput()), to = layout_of(getType());
  if (from.lanes() != to.lanes() || from.warps() != to.warps()) return emitOpError("the layouts are of different numbers of threads");
  return mlir::success();
}

mlir::OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType()) return getInput();
  return {};
}

}  // namespace tilewright::tile_gpu
