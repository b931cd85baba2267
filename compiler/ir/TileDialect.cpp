#include "compiler/ir/TileDialect.h"

#include "compiler/ir/TileOps.h"

#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectImplementation.h"

#include "compiler/ir/TileDialect.cpp.inc"
#include "compiler/ir/TileEnums.cpp.inc"

namespace tilewright::tile {

void TileDialect::initialize() {
  register_types();
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/TileOps.cpp.inc"
      >();
}

mlir::Operation* TileDialect::materializeConstant(mlir::OpBuilder& builder, mlir::Attribute value, mlir::Type type, mlir::Location loc) {
  return mlir::arith::ConstantOp::materialize(builder, value, type, loc);
}

mlir::LogicalResult TileDialect::verifyOperationAttribute(mlir::Operation* op, mlir::NamedAttribute attribute) {
  const llvm::StringRef name = attribute.getName().getValue();
  if (name == kKernelAttr) {
    auto function = llvm::dyn_cast<mlir::func::FuncOp>(op);
    if (!function) return op->emitOpError() << "cannot carry '" << name << "': only 'func.func' can";
    if (!llvm::isa<mlir::UnitAttr>(attribute.getValue())) return op->emitOpError() << "'" << name << "' must be a unit attribute";
    if (function.getNumResults() != 0) return op->emitOpError("is a kernel and so must have no results");
    for (mlir::Type type : function.getArgumentTypes())
      if (!llvm::isa<ViewType>(type) && !type.isIntOrFloat())
        return op->emitOpError() << "is a kernel, whose arguments are views and scalars, not " << type;
    return mlir::success();
  }
  if (name == kStagesAttr || name == kWarpsAttr) {
    if (name == kStagesAttr && !llvm::isa<mlir::scf::ForOp>(op)) return op->emitOpError() << "cannot carry '" << name << "': only 'scf.for' can";
    if (name == kWarpsAttr && !op->hasAttr(kKernelAttr)) return op->emitOpError() << "cannot carry '" << name << "': only a kernel can";
    auto count = llvm::dyn_cast<mlir::IntegerAttr>(attribute.getValue());
    if (!count || !count.getType().isInteger(64) || count.getInt() < 1)
      return op->emitOpError() << "'" << name << "' must be an i64 of at least 1";
    return mlir::success();
  }
  if (name == kUniformWarpsAttr) {
    if (!op->hasAttr(kStagesAttr) || !llvm::isa<mlir::UnitAttr>(attribute.getValue())) return op->emitOpError() << "'" << name << "' must be a unit attribute beside '" << kStagesAttr << "'";
    return mlir::success();
  }
  if (name == kNoteAttr) {
    if (!llvm::isa<DotOp>(op) || !llvm::isa<mlir::StringAttr>(attribute.getValue())) return op->emitOpError() << "'" << name << "' must be a string on a tile.dot";
    return mlir::success();
  }
  return op->emitOpError() << "carries '" << name << "', which the tile dialect does not know";
}

mlir::LogicalResult TileDialect::verifyRegionArgAttribute(mlir::Operation* op, unsigned region_index, unsigned argument_index,
                                                          mlir::NamedAttribute attribute) {
  const llvm::StringRef name = attribute.getName().getValue();
  const mlir::Type type = op->getRegion(region_index).getArgument(argument_index).getType();
  auto fail = [&] { return op->emitOpError() << "argument #" << argument_index << ": "; };
  if (name == kNameAttr) {
    if (!llvm::isa<mlir::StringAttr>(attribute.getValue())) return fail() << "'" << name << "' must be a string";
    return mlir::success();
  }
  if (name == kKindAttr) {
    auto kind = llvm::dyn_cast<mlir::StringAttr>(attribute.getValue());
    if (!kind || !llvm::is_contained({"in", "out", "inout", "scalar"}, kind.getValue()))
      return fail() << "'" << name << "' must be \"in\", \"out\", \"inout\" or \"scalar\"";
    if ((kind.getValue() == "scalar") == llvm::isa<ViewType>(type))
      return fail() << "is " << type << ", which '" << name << "' = " << kind << " is not for";
    return mlir::success();
  }
  if (name == kUnitInnerStrideAttr || name == kAligned16Attr || name == kFits32Attr || name == kWholeRows16Attr) {
    if (!llvm::isa<mlir::UnitAttr>(attribute.getValue())) return fail() << "'" << name << "' must be a unit attribute";
    if (!llvm::isa<ViewType>(type)) return fail() << "'" << name << "' is for views, not " << type;
    return mlir::success();
  }
  return fail() << "carries '" << name << "', which the tile dialect does not know";
}

}  // namespace tilewright::tile
