// Verifiers and canonical forms of the operations on views of memory.
#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::tile {

namespace {

mlir::LogicalResult verify_view_axis(mlir::Operation* op, ViewType view, std::int64_t axis) {
  if (axis < 0 || axis >= view.getRank()) return op->emitOpError() << "axis " << axis << " is not one of " << view;
  return mlir::success();
}

// What load, store and atomic operations have in common: one index a dimension, each fitting its map, every axis of the tile at most once.
mlir::LogicalResult verify_access(mlir::Operation* op, ViewType view, mlir::OperandRange indices, llvm::ArrayRef<std::int64_t> maps, mlir::Value mask,
                                  mlir::Type tile) {
  const llvm::ArrayRef<std::int64_t> shape = shape_of(tile);
  if (element_type_of(tile) != view.getElementType())
    return op->emitOpError() << "the elements of the tile, " << tile << ", are not those of " << view;
  if (static_cast<std::int64_t>(indices.size()) != view.getRank())
    return op->emitOpError() << "has " << indices.size() << " indices for " << view << ", which needs " << view.getRank();
  if (maps.size() != indices.size()) return op->emitOpError() << "has " << maps.size() << " maps for " << indices.size() << " indices";
  llvm::SmallVector<bool> seen(shape.size(), false);
  for (auto [position, map] : llvm::enumerate(maps)) {
    const mlir::Type index = indices[position].getType();
    auto fail = [&] { return op->emitOpError() << "index #" << position << ": "; };
    if (map == kMapPoint) {
      if (!index.isInteger()) return fail() << "a coordinate must be a scalar, not " << index;
    } else if (map == kMapWhole) {
      if (shape_of(index) != shape || shape.empty()) return fail() << index << " does not have the shape of the tile, " << tile;
    } else {
      if (map < 0 || map >= static_cast<std::int64_t>(shape.size())) return fail() << "the tile, " << tile << ", has no axis " << map;
      if (seen[map]) return fail() << "axis " << map << " of the tile is taken by an earlier index";
      seen[map] = true;
      if (!index.isInteger() && shape_of(index) != shape.slice(map, 1))
        return fail() << index << " must be a scalar or have rank 1 and extent " << shape[map];
    }
  }
  if (mask && shape_of(mask.getType()) != shape)
    return op->emitOpError() << "the mask, " << mask.getType() << ", does not have the shape of the tile, " << tile;
  return mlir::success();
}

enum class MaskFact { None, AllTrue, AllFalse };

MaskFact mask_fact(mlir::Value mask) {
  mlir::Attribute constant;
  if (!mask || !mlir::matchPattern(mask, mlir::m_Constant(&constant))) return MaskFact::None;
  if (auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(constant)) {
    if (!dense.isSplat()) return MaskFact::None;
    return dense.getSplatValue<bool>() ? MaskFact::AllTrue : MaskFact::AllFalse;
  }
  if (auto scalar = llvm::dyn_cast<mlir::IntegerAttr>(constant)) return scalar.getValue().isZero() ? MaskFact::AllFalse : MaskFact::AllTrue;
  return MaskFact::None;
}

}  // namespace

mlir::LogicalResult SizeOp::verify() { return verify_view_axis(*this, getView().getType(), getAxis()); }

// A narrowed view keeps its parent's size along every other axis.
mlir::LogicalResult SizeOp::canonicalize(SizeOp op, mlir::PatternRewriter& rewriter) {
  auto narrow = op.getView().getDefiningOp<NarrowOp>();
  if (!narrow || narrow.getAxis() == op.getAxis()) return mlir::failure();
  rewriter.modifyOpInPlace(op, [&] { op.getViewMutable().assign(narrow.getView()); });
  return mlir::success();
}

mlir::LogicalResult NarrowOp::verify() { return verify_view_axis(*this, getView().getType(), getAxis()); }

mlir::LogicalResult LoadOp::verify() {
  const mlir::Type tile = getResult().getType();
  if (mlir::failed(verify_access(*this, getView().getType(), getIndices(), getMaps(), getMask(), tile))) return mlir::failure();
  if (mlir::Value other = getOther(); other && other.getType() != tile && other.getType() != element_type_of(tile))
    return emitOpError() << "'other' must be " << tile << " or " << element_type_of(tile) << ", not " << other.getType();
  return mlir::success();
}

// A mask known to be true is dropped, a load under one known to be false reads nothing. `other` is a scalar where it can be, and left out where it
// is zero.
mlir::LogicalResult LoadOp::canonicalize(LoadOp op, mlir::PatternRewriter& rewriter) {
  const mlir::Type type = op.getType(), element = element_type_of(type);
  mlir::Value other = op.getOther();
  switch (mask_fact(op.getMask())) {
    case MaskFact::None: break;
    case MaskFact::AllTrue: rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().clear(); }); return mlir::success();
    case MaskFact::AllFalse:
      if (!other) other = mlir::arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getZeroAttr(element));
      if (other.getType() != type) other = SplatOp::create(rewriter, op.getLoc(), type, other);
      rewriter.replaceOp(op, other);
      return mlir::success();
  }
  if (!other) return mlir::failure();
  if (mlir::matchPattern(other, mlir::m_Zero()) || mlir::matchPattern(other, mlir::m_PosZeroFloat())) {
    rewriter.modifyOpInPlace(op, [&] { op.getOtherMutable().clear(); });
    return mlir::success();
  }
  mlir::SplatElementsAttr constant;
  if (other.getType() != element && mlir::matchPattern(other, mlir::m_Constant(&constant))) {
    const mlir::Value scalar = mlir::arith::ConstantOp::create(rewriter, other.getLoc(), constant.getSplatValue<mlir::TypedAttr>());
    rewriter.modifyOpInPlace(op, [&] { op.getOtherMutable().assign(scalar); });
    return mlir::success();
  }
  if (auto splat = other.getDefiningOp<SplatOp>()) {
    rewriter.modifyOpInPlace(op, [&] { op.getOtherMutable().assign(splat.getInput()); });
    return mlir::success();
  }
  return mlir::failure();
}

mlir::LogicalResult StoreOp::verify() { return verify_access(*this, getView().getType(), getIndices(), getMaps(), getMask(), getValue().getType()); }

// A mask known to be true is dropped; a store under one known to be false is nothing.
mlir::LogicalResult StoreOp::canonicalize(StoreOp op, mlir::PatternRewriter& rewriter) {
  switch (mask_fact(op.getMask())) {
    case MaskFact::None: return mlir::failure();
    case MaskFact::AllTrue: rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().clear(); }); return mlir::success();
    case MaskFact::AllFalse: rewriter.eraseOp(op); return mlir::success();
  }
  return mlir::failure();
}

namespace {

bool takes(AtomicKind kind, mlir::Type element) {
  const bool wide_integer = element.isInteger(32) || element.isInteger(64), wide_float = element.isF32() || element.isF64();
  switch (kind) {
    case AtomicKind::Add: return wide_integer || wide_float || element.isF16() || element.isBF16();
    case AtomicKind::MinF: case AtomicKind::MaxF: return wide_float;
    case AtomicKind::Exchange: case AtomicKind::CompareExchange: return wide_integer || wide_float;
    default: return wide_integer;
  }
}

}  // namespace

mlir::LogicalResult AtomicOp::verify() {
  const mlir::Type tile = getValue().getType();
  if (!takes(getKind(), element_type_of(tile))) return emitOpError() << "'" << stringifyAtomicKind(getKind()) << "' does not take elements of " << element_type_of(tile);
  if (static_cast<bool>(getExpected()) != (getKind() == AtomicKind::CompareExchange))
    return emitOpError() << "'" << stringifyAtomicKind(getKind()) << "' " << (getExpected() ? "has no 'expected'" : "needs 'expected'");
  if (getExpected() && getExpected().getType() != tile) return emitOpError() << "'expected' must be " << tile << ", not " << getExpected().getType();
  return verify_access(*this, getView().getType(), getIndices(), getMaps(), getMask(), tile);
}

// A mask known to be true is dropped; an operation under one known to be false gives zeros.
mlir::LogicalResult AtomicOp::canonicalize(AtomicOp op, mlir::PatternRewriter& rewriter) {
  switch (mask_fact(op.getMask())) {
    case MaskFact::None: return mlir::failure();
    case MaskFact::AllTrue: rewriter.modifyOpInPlace(op, [&] { op.getMaskMutable().clear(); }); return mlir::success();
    case MaskFact::AllFalse: {
      const mlir::Type type = op.getType();
      mlir::Value zero = mlir::arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getZeroAttr(element_type_of(type)));
      if (zero.getType() != type) zero = SplatOp::create(rewriter, op.getLoc(), type, zero);
      rewriter.replaceOp(op, zero);
      return mlir::success();
    }
  }
  return mlir::failure();
}

}  // namespace tilewright::tile
