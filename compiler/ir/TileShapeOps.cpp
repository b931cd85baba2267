// Verifiers, folders and canonical forms of the operations that make, move and rearrange elements.
#include "compiler/ir/TileOps.h"

#include "mlir/IR/Matchers.h"

namespace tilewright::tile {

namespace {

using mlir::failure;
using mlir::LogicalResult;
using mlir::success;
using Shape = llvm::ArrayRef<std::int64_t>;

LogicalResult verify_axis(mlir::Operation* op, mlir::Type tile, std::int64_t axis) {
  if (axis < 0 || axis >= static_cast<std::int64_t>(shape_of(tile).size())) return op->emitOpError() << "axis " << axis << " is not one of " << tile;
  return success();
}

LogicalResult verify_same_element(mlir::Operation* op, mlir::Type input, mlir::Type result) {
  if (element_type_of(input) != element_type_of(result))
    return op->emitOpError() << "must not change the element type: " << input << " to " << result;
  return success();
}

// Equal shapes but for `axis`.
bool agree_but_along(Shape a, Shape b, std::int64_t axis) {
  return a.size() == b.size() && a.take_front(axis) == b.take_front(axis) && a.drop_front(axis + 1) == b.drop_front(axis + 1);
}

std::int64_t count(Shape shape) {
  std::int64_t product = 1;
  for (std::int64_t extent : shape) product *= extent;
  return product;
}

// A constant whose elements are all equal, under another shape.
mlir::OpFoldResult resplat(mlir::Attribute constant, mlir::Type result) {
  auto splat = llvm::dyn_cast_if_present<mlir::SplatElementsAttr>(constant);
  if (!splat) return {};
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(result)) return splat.resizeSplat(tensor);
  return splat.getSplatValue<mlir::Attribute>();
}

// An operation that only moves or repeats the elements of a splat is a splat.
template <class OpTy>
LogicalResult splat_through(OpTy op, mlir::PatternRewriter& rewriter) {
  auto splat = op.getInput().template getDefiningOp<SplatOp>();
  if (!splat) return failure();
  if (llvm::isa<mlir::RankedTensorType>(op.getType())) rewriter.replaceOpWithNewOp<SplatOp>(op, op.getType(), splat.getInput());
  else rewriter.replaceOp(op, splat.getInput());
  return success();
}

}  // namespace

// ---- arange, splat

LogicalResult ArangeOp::verify() {
  if (getType().getRank() != 1) return emitOpError() << "must have rank 1, not " << getType();
  const unsigned width = getType().getElementTypeBitWidth();
  if (!llvm::isIntN(width, getStart()) && !llvm::isUIntN(width, getStart()))
    return emitOpError() << "start " << getStart() << " does not fit in " << getType().getElementType();
  return success();
}

mlir::OpFoldResult ArangeOp::fold(FoldAdaptor) {
  if (getType().getNumElements() != 1) return {};
  const llvm::APInt start(64, static_cast<std::uint64_t>(getStart()), /*isSigned=*/true);
  return mlir::DenseElementsAttr::get(getType(), start.trunc(getType().getElementTypeBitWidth()));
}

LogicalResult SplatOp::verify() { return verify_same_element(*this, getInput().getType(), getType()); }

mlir::OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  if (!llvm::isa_and_present<mlir::IntegerAttr, mlir::FloatAttr>(adaptor.getInput())) return {};
  return mlir::SplatElementsAttr::get(getType(), adaptor.getInput());
}

// ---- broadcast

LogicalResult BroadcastOp::verify() {
  const auto input = getInput().getType(), result = getType();
  if (failed(verify_same_element(*this, input, result))) return failure();
  if (input.getRank() != result.getRank()) return emitOpError() << "must not change the rank: " << input << " to " << result;
  for (auto [axis, from, to] : llvm::enumerate(input.getShape(), result.getShape()))
    if (from != to && from != 1)
      return emitOpError() << "axis " << axis << " of " << input << " has extent " << from << ", which is neither 1 nor " << to;
  return success();
}

mlir::OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType()) return getInput();
  return resplat(adaptor.getInput(), getType());
}

// broadcast(splat(x)) is splat(x); broadcast(broadcast(x)) is broadcast(x).
LogicalResult BroadcastOp::canonicalize(BroadcastOp op, mlir::PatternRewriter& rewriter) {
  if (succeeded(splat_through(op, rewriter))) return success();
  auto inner = op.getInput().getDefiningOp<BroadcastOp>();
  if (!inner) return failure();
  rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), inner.getInput());
  return success();
}

// ---- reshape

LogicalResult ReshapeOp::verify() {
  const mlir::Type input = getInput().getType(), result = getType();
  if (failed(verify_same_element(*this, input, result))) return failure();
  if (count(shape_of(input)) != count(shape_of(result)))
    return emitOpError() << "must keep the number of elements: " << input << " has " << count(shape_of(input)) << ", " << result << " has "
                         << count(shape_of(result));
  return success();
}

mlir::OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType()) return getInput();
  if (mlir::OpFoldResult splat = resplat(adaptor.getInput(), getType())) return splat;
  auto dense = llvm::dyn_cast_if_present<mlir::DenseElementsAttr>(adaptor.getInput());
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(getType()); tensor && dense) return dense.reshape(tensor);
  return {};
}

// reshape(splat(x)) is splat(x), or x; reshape(reshape(x)) is reshape(x).
LogicalResult ReshapeOp::canonicalize(ReshapeOp op, mlir::PatternRewriter& rewriter) {
  if (succeeded(splat_through(op, rewriter))) return success();
  auto inner = op.getInput().getDefiningOp<ReshapeOp>();
  if (!inner) return failure();
  rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getInput());
  return success();
}

// ---- transpose

LogicalResult TransposeOp::verify() {
  const auto input = getInput().getType(), result = getType();
  const Shape permutation = getPermutation();
  if (failed(verify_same_element(*this, input, result))) return failure();
  if (static_cast<std::int64_t>(permutation.size()) != input.getRank())
    return emitOpError() << "the permutation has " << permutation.size() << " entries for " << input;
  llvm::SmallVector<bool> seen(permutation.size(), false);
  llvm::SmallVector<std::int64_t> shape;
  for (std::int64_t axis : permutation) {
    if (axis < 0 || axis >= input.getRank()) return emitOpError() << "axis " << axis << " in the permutation is not one of " << input;
    if (seen[axis]) return emitOpError() << "axis " << axis << " appears twice in the permutation";
    seen[axis] = true;
    shape.push_back(input.getDimSize(axis));
  }
  if (result.getShape() != Shape(shape))
    return emitOpError() << "the result must be " << tile_type(shape, input.getElementType()) << ", not " << result;
  return success();
}

mlir::OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  bool identity = true;
  for (auto [axis, from] : llvm::enumerate(getPermutation())) identity &= static_cast<std::int64_t>(axis) == from;
  if (identity) return getInput();
  return resplat(adaptor.getInput(), getType());
}

// transpose(splat(x)) is splat(x); two transposes are one.
LogicalResult TransposeOp::canonicalize(TransposeOp op, mlir::PatternRewriter& rewriter) {
  if (succeeded(splat_through(op, rewriter))) return success();
  auto inner = op.getInput().getDefiningOp<TransposeOp>();
  if (!inner) return failure();
  llvm::SmallVector<std::int64_t> permutation;
  for (std::int64_t axis : op.getPermutation()) permutation.push_back(inner.getPermutation()[axis]);
  rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getInput(), permutation);
  return success();
}

// ---- concat

LogicalResult ConcatOp::verify() {
  const auto result = getType();
  if (getInputs().empty()) return emitOpError("needs at least one operand");
  if (failed(verify_axis(*this, result, getAxis()))) return failure();
  std::int64_t extent = 0;
  for (auto [position, value] : llvm::enumerate(getInputs())) {
    const auto input = llvm::cast<mlir::RankedTensorType>(value.getType());
    if (input.getElementType() != result.getElementType() || !agree_but_along(input.getShape(), result.getShape(), getAxis()))
      return emitOpError() << "operand #" << position << ", " << input << ", differs from the result, " << result << ", in more than axis "
                           << getAxis();
    extent += input.getDimSize(getAxis());
  }
  if (extent != result.getDimSize(getAxis()))
    return emitOpError() << "the operands have " << extent << " elements along axis " << getAxis() << ", the result has "
                         << result.getDimSize(getAxis());
  return success();
}

mlir::OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getInputs().size() == 1) return getInputs().front();
  const mlir::Attribute first = adaptor.getInputs().front();
  auto splat = llvm::dyn_cast_if_present<mlir::SplatElementsAttr>(first);
  if (!splat) return {};
  for (mlir::Attribute input : adaptor.getInputs()) {
    auto other = llvm::dyn_cast_if_present<mlir::SplatElementsAttr>(input);
    if (!other || other.getSplatValue<mlir::Attribute>() != splat.getSplatValue<mlir::Attribute>()) return {};
  }
  return splat.resizeSplat(getType());
}

// ---- slice

LogicalResult SliceOp::verify() {
  const auto input = getInput().getType(), result = getType();
  if (failed(verify_same_element(*this, input, result)) || failed(verify_axis(*this, input, getAxis()))) return failure();
  if (!agree_but_along(input.getShape(), result.getShape(), getAxis()))
    return emitOpError() << "the result, " << result << ", differs from the operand, " << input << ", in more than axis " << getAxis();
  const std::int64_t start = getStart(), extent = result.getDimSize(getAxis());
  if (start < 0 || start > input.getDimSize(getAxis()) - extent)
    return emitOpError() << "[" << start << ", " << start + extent << ") is not inside axis " << getAxis() << " of " << input;
  return success();
}

mlir::OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType()) return getInput();
  return resplat(adaptor.getInput(), getType());
}

// Looks through a splat, another slice along the same axis, an arange, and a concatenation one of whose operands has the whole part.
LogicalResult SliceOp::canonicalize(SliceOp op, mlir::PatternRewriter& rewriter) {
  if (succeeded(splat_through(op, rewriter))) return success();
  const std::int64_t axis = op.getAxis(), start = op.getStart(), extent = op.getType().getDimSize(axis);
  if (auto inner = op.getInput().getDefiningOp<SliceOp>(); inner && static_cast<std::int64_t>(inner.getAxis()) == axis) {
    rewriter.replaceOpWithNewOp<SliceOp>(op, op.getType(), inner.getInput(), axis, static_cast<std::int64_t>(inner.getStart()) + start);
    return success();
  }
  if (auto arange = op.getInput().getDefiningOp<ArangeOp>()) {
    const unsigned width = op.getType().getElementTypeBitWidth();
    const llvm::APInt first = llvm::APInt(64, static_cast<std::uint64_t>(arange.getStart()) + static_cast<std::uint64_t>(start)).trunc(width);
    rewriter.replaceOpWithNewOp<ArangeOp>(op, op.getType(), first.getSExtValue());
    return success();
  }
  auto concat = op.getInput().getDefiningOp<ConcatOp>();
  if (!concat || static_cast<std::int64_t>(concat.getAxis()) != axis) return failure();
  std::int64_t before = 0;
  for (mlir::Value part : concat.getInputs()) {
    const std::int64_t size = llvm::cast<mlir::RankedTensorType>(part.getType()).getDimSize(axis);
    if (start >= before && start + extent <= before + size) {
      rewriter.replaceOpWithNewOp<SliceOp>(op, op.getType(), part, axis, start - before);
      return success();
    }
    before += size;
  }
  return failure();
}

// ---- take

LogicalResult TakeOp::verify() {
  if (failed(verify_axis(*this, getInput().getType(), getAxis()))) return failure();
  if (getIndex().getType().getShape() != getType().getShape())
    return emitOpError() << "the result, " << getType() << ", does not have the shape of the index, " << getIndex().getType();
  if (!agree_but_along(getInput().getType().getShape(), getType().getShape(), getAxis()))
    return emitOpError() << "the index, " << getIndex().getType() << ", differs from the operand, " << getInput().getType() << ", in more than axis "
                         << getAxis();
  return success();
}

}  // namespace tilewright::tile
