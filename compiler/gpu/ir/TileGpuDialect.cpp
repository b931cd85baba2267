#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FoldInterfaces.h"

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

namespace {

// Constants that folding makes stay in their role: as tiles they could not enter it.
struct RoleConstants : mlir::DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(mlir::Region* region) const final { return llvm::isa<RolesOp>(region->getParentOp()); }
};

}  // namespace

void TileGpuDialect::initialize() {
  addInterfaces<RoleConstants>();
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

mlir::LogicalResult RolesOp::verifyRegions() {
  for (mlir::Region* role : {&getProducer(), &getConsumers()}) {
    const mlir::WalkResult walked = role->walk([&](mlir::Operation* op) {
      if (role == &getProducer() && llvm::isa<ReceiveOp, ReleaseOp, CopyOutOp, GroupDotOp, GroupWaitOp, TakeTurnOp, PassTurnOp>(op)) return op->emitOpError("is for consumers"), mlir::WalkResult::interrupt();
      if (role == &getConsumers() && llvm::isa<SendOp, SendTileOp>(op)) return op->emitOpError("is for the producer"), mlir::WalkResult::interrupt();
      for (mlir::Value operand : op->getOperands()) {
        if (!llvm::isa<mlir::RankedTensorType>(operand.getType()) || role->isAncestor(operand.getParentRegion())) continue;
        op->emitOpError("takes a tile from outside of its role");
        return mlir::WalkResult::interrupt();
      }
      return mlir::WalkResult::advance();
    });
    if (walked.wasInterrupted()) return mlir::failure();
  }
  return mlir::success();
}

mlir::LogicalResult LocalStoreOp::verify() {
  const auto tile = getValue().getType();
  const SharedType shared = getShared().getType();
  if (shared.getCount() != 1 || shared.getShape() != tile.getShape() || shared.getElementType() != tile.getElementType()) return emitOpError() << "writes " << tile << " to " << shared;
  return mlir::success();
}

mlir::LogicalResult CopyOutOp::verify() {
  const SharedType shared = getShared().getType();
  const auto view = getView().getType();
  if (shared.getCount() != 1 || shared.getShape().size() != 2 || shared.getElementType() != view.getElementType()) return emitOpError() << "copies " << shared << " to " << view;
  llvm::SmallVector<std::int64_t> axes;
  llvm::copy_if(getMaps(), std::back_inserter(axes), [](std::int64_t map) { return map >= 0; });
  if (getMaps().size() != getIndices().size() || static_cast<std::int64_t>(getMaps().size()) != static_cast<std::int64_t>(view.getRank()) || axes != llvm::ArrayRef<std::int64_t>{0, 1} || getMaps().back() != 1)
    return emitOpError("copies a matrix to two dimensions of the view in their order, the last one among them");
  return mlir::success();
}

mlir::LogicalResult GroupDotOp::verify() {
  const int lefts = static_cast<int>(static_cast<bool>(getA())) + static_cast<int>(static_cast<bool>(getAChannel())) + static_cast<int>(static_cast<bool>(getAShared()));
  if (lefts != 1 || static_cast<bool>(getAChannel()) != static_cast<bool>(getASlot())) return emitOpError("takes its left operand from registers, from a channel, or from where it was stored");
  if (static_cast<bool>(getBChannel()) == static_cast<bool>(getBShared()) || static_cast<bool>(getBChannel()) != static_cast<bool>(getBSlot()))
    return emitOpError("takes its right operand from a channel or from where it was stored");
  const auto extents = [](llvm::ArrayRef<std::int64_t> shape, bool transposed) {
    return transposed ? std::pair(shape[1], shape[0]) : std::pair(shape[0], shape[1]);
  };
  const auto shape = [](mlir::Value value) { return llvm::cast<ChannelType>(value.getType()).getShape(); };
  const auto [m, k] = getA()         ? extents(getA().getType().getShape(), false)
                      : getAShared() ? extents(getAShared().getType().getShape(), getATransposed())
                                     : extents(shape(getAChannel()), getATransposed());
  const auto [depth, n] = extents(getBShared() ? getBShared().getType().getShape() : shape(getBChannel()), getBTransposed());
  if (k != depth || getAcc().getType().getShape() != llvm::ArrayRef<std::int64_t>{m, n})
    return emitOpError() << m << "x" << k << " times " << depth << "x" << n << " is no " << getAcc().getType();
  if (!getInFlight()) return mlir::success();
  const bool is_waited_for = getResult().hasOneUse() && llvm::isa<GroupWaitOp>(*getResult().getUsers().begin()) && (*getResult().getUsers().begin())->getBlock() == (*this)->getBlock();
  if (!is_waited_for) return emitOpError("is in flight, and its result is not for one 'tile_gpu.group_wait' of its block alone");
  return mlir::success();
}

mlir::LogicalResult GroupWaitOp::verify() {
  auto dot = getProduct().getDefiningOp<GroupDotOp>();
  if (!dot || !dot.getInFlight()) return emitOpError("waits for something else than a product in flight");
  return mlir::success();
}

mlir::OpFoldResult ConvertLayoutOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType()) return getInput();
  return {};
}

}  // namespace tilewright::tile_gpu
