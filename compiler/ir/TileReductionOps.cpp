// Verifiers and canonical forms of contractions, reductions, scans and operations on the order of elements.
#include "compiler/ir/TileOps.h"

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

LogicalResult verify_unsigned(mlir::Operation* op, mlir::Type tile, bool is_unsigned) {
  if (is_unsigned && !element_type_of(tile).isInteger()) return op->emitOpError() << "'unsigned' is for integers, not " << tile;
  return success();
}

mlir::Type drop_axis(mlir::Type tile, std::int64_t axis, mlir::Type element) {
  llvm::SmallVector<std::int64_t> shape(shape_of(tile));
  shape.erase(shape.begin() + axis);
  return tile_type(shape, element);
}

LogicalResult verify_region(mlir::Operation* op, mlir::Region& region, mlir::ValueRange inputs) {
  if (region.empty()) return op->emitOpError("of kind 'custom' needs a region");
  mlir::Block& block = region.front();
  const std::size_t n = inputs.size();
  if (block.getNumArguments() != 2 * n) return op->emitOpError() << "the region must take " << 2 * n << " scalars, not " << block.getNumArguments();
  for (auto [position, argument] : llvm::enumerate(block.getArguments())) {
    const mlir::Type element = element_type_of(inputs[position % n].getType());
    if (argument.getType() != element)
      return op->emitOpError() << "argument #" << position << " of the region must be " << element << ", not " << argument.getType();
  }
  auto yield = block.empty() ? YieldOp() : llvm::dyn_cast<YieldOp>(block.back());
  if (!yield) return op->emitOpError("the region must end with 'tile.yield'");
  if (yield.getValues().size() != n) return op->emitOpError() << "the region must yield " << n << " scalars, not " << yield.getValues().size();
  for (auto [position, value] : llvm::enumerate(yield.getValues())) {
    const mlir::Type element = element_type_of(inputs[position].getType());
    if (value.getType() != element) return op->emitOpError() << "yield #" << position << " must be " << element << ", not " << value.getType();
  }
  const mlir::WalkResult pure = region.walk([&](mlir::Operation* inner) {
    if (mlir::isMemoryEffectFree(inner) || inner->hasTrait<mlir::OpTrait::HasRecursiveMemoryEffects>()) return mlir::WalkResult::advance();
    op->emitOpError("the region must have no side effects").attachNote(inner->getLoc()) << "'" << inner->getName() << "' has some";
    return mlir::WalkResult::interrupt();
  });
  return success(!pure.wasInterrupted());
}

// What reduce and scan have in common; the shape of results is theirs.
LogicalResult verify_combining(mlir::Operation* op, mlir::ValueRange inputs, ReduceKind kind, std::int64_t axis, mlir::Region& region) {
  if (inputs.empty()) return op->emitOpError("needs at least one operand");
  if (op->getNumResults() != inputs.size())
    return op->emitOpError() << "has " << inputs.size() << " operands and " << op->getNumResults() << " results";
  for (auto [position, input] : llvm::enumerate(inputs))
    if (shape_of(input.getType()) != shape_of(inputs.front().getType()))
      return op->emitOpError() << "operand #" << position << ", " << input.getType() << ", does not have the shape of the first, "
                               << inputs.front().getType();
  if (failed(verify_axis(op, inputs.front().getType(), axis))) return failure();
  if (kind == ReduceKind::Custom) return verify_region(op, region, inputs);

  const llvm::StringRef name = stringifyReduceKind(kind);
  if (!region.empty()) return op->emitOpError() << "of kind '" << name << "' has a region, which only 'custom' has";
  if (inputs.size() != 1) return op->emitOpError() << "of kind '" << name << "' takes one operand, not " << inputs.size();
  const mlir::Type element = element_type_of(inputs.front().getType());
  if (is_float_kind(kind) && element.isInteger()) return op->emitOpError() << "kind '" << name << "' is for floats, not " << element;
  if (is_int_kind(kind) && !element.isInteger()) return op->emitOpError() << "kind '" << name << "' is for integers, not " << element;
  return success();
}

LogicalResult verify_arg_extreme(mlir::Operation* op, mlir::Type input, std::int64_t axis, bool is_unsigned, mlir::Type result) {
  if (failed(verify_axis(op, input, axis)) || failed(verify_unsigned(op, input, is_unsigned))) return failure();
  const mlir::Type expected = drop_axis(input, axis, mlir::IntegerType::get(op->getContext(), 32));
  if (!same_tile(result, expected)) return op->emitOpError() << "the result must be " << expected << ", not " << result;
  return success();
}

// Along an axis of one element there is nothing to combine, custom combiner or not.
template <class OpTy>
bool is_trivial(OpTy op) {
  return shape_of(op.getInputs().front().getType())[op.getAxis()] == 1;
}

// Along an axis of one element every index is 0.
mlir::TypedAttr zero_index(mlir::Type type) { return mlir::Builder(type.getContext()).getZeroAttr(type); }

template <class OpTy>
mlir::OpFoldResult fold_arg_extreme(OpTy op) {
  if (op.getInput().getType().getDimSize(op.getAxis()) != 1) return {};
  return mlir::OpFoldResult(zero_index(op.getType()));
}

}  // namespace

LogicalResult DotOp::verify() {
  const auto a = getA().getType(), b = getB().getType(), acc = getAcc().getType();
  const std::int64_t rank = acc.getRank();
  if ((rank != 2 && rank != 3) || a.getRank() != rank || b.getRank() != rank)
    return emitOpError() << "takes three tiles of rank 2, or three of rank 3, not " << a << ", " << b << " and " << acc;
  const std::int64_t batch = rank - 2;
  if (batch && (a.getDimSize(0) != acc.getDimSize(0) || b.getDimSize(0) != acc.getDimSize(0)))
    return emitOpError() << "the batch extents of " << a << ", " << b << " and " << acc << " differ";
  if (a.getDimSize(batch + 1) != b.getDimSize(batch))
    return emitOpError() << "the inner extents of " << a << " and " << b << " differ: " << a.getDimSize(batch + 1) << " and " << b.getDimSize(batch);
  if (a.getDimSize(batch) != acc.getDimSize(batch) || b.getDimSize(batch + 1) != acc.getDimSize(batch + 1))
    return emitOpError() << "the accumulator, " << acc << ", does not have the outer extents of " << a << " and " << b;

  const mlir::Type element = a.getElementType();
  if (element != b.getElementType()) return emitOpError() << "the element types of " << a << " and " << b << " differ";
  mlir::Builder builder(getContext());
  mlir::Type expected;
  if (element.isF16() || element.isBF16() || element.isF32()) expected = builder.getF32Type();
  if (element.isF64()) expected = builder.getF64Type();
  if (element.isInteger(8)) expected = builder.getI32Type();
  if (static_cast<bool>(getAFormatAttr()) != static_cast<bool>(getBFormatAttr())) return emitOpError() << "says the format of one operand only";
  if (getAFormatAttr()) {
    if (!element.isInteger(8) || getIsUnsigned()) return emitOpError() << "has formats of 8-bit floats, which go with i8, not " << (getIsUnsigned() ? "unsigned " : "") << element;
    expected = builder.getF32Type();
  }
  if (!expected) return emitOpError() << "is not defined for elements of type " << element;
  if (acc.getElementType() != expected) return emitOpError() << "accumulates " << element << " in " << expected << ", not " << acc.getElementType();
  return verify_unsigned(*this, a, getIsUnsigned());
}

LogicalResult ReduceOp::verify() {
  if (failed(verify_combining(*this, getInputs(), getKind(), getAxis(), getCombiner()))) return failure();
  for (auto [position, input, result] : llvm::enumerate(getInputs(), getResults())) {
    const mlir::Type expected = drop_axis(input.getType(), getAxis(), element_type_of(input.getType()));
    if (!same_tile(result.getType(), expected)) return emitOpError() << "result #" << position << " must be " << expected << ", not " << result.getType();
  }
  return success();
}

LogicalResult ReduceOp::canonicalize(ReduceOp op, mlir::PatternRewriter& rewriter) {
  if (!is_trivial(op)) return failure();
  llvm::SmallVector<mlir::Value> results;
  for (auto [input, result] : llvm::zip_equal(op.getInputs(), op.getResults()))
    results.push_back(ReshapeOp::create(rewriter, op.getLoc(), result.getType(), input));
  rewriter.replaceOp(op, results);
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verify_combining(*this, getInputs(), getKind(), getAxis(), getCombiner()))) return failure();
  for (auto [position, input, result] : llvm::enumerate(getInputs(), getResults()))
    if (result.getType() != input.getType())
      return emitOpError() << "result #" << position << " must be " << input.getType() << ", not " << result.getType();
  return success();
}

LogicalResult ScanOp::canonicalize(ScanOp op, mlir::PatternRewriter& rewriter) {
  if (!is_trivial(op)) return failure();
  rewriter.replaceOp(op, op.getInputs());
  return success();
}

LogicalResult ArgMaxOp::verify() { return verify_arg_extreme(*this, getInput().getType(), getAxis(), getIsUnsigned(), getType()); }

LogicalResult ArgMinOp::verify() { return verify_arg_extreme(*this, getInput().getType(), getAxis(), getIsUnsigned(), getType()); }

mlir::OpFoldResult ArgMaxOp::fold(FoldAdaptor) { return fold_arg_extreme(*this); }

mlir::OpFoldResult ArgMinOp::fold(FoldAdaptor) { return fold_arg_extreme(*this); }

LogicalResult TopKOp::fold(FoldAdaptor, llvm::SmallVectorImpl<mlir::OpFoldResult>& results) {
  if (getInput().getType().getDimSize(getAxis()) != 1) return failure();
  results.push_back(getInput());
  results.push_back(mlir::OpFoldResult(zero_index(getIndices().getType())));
  return success();
}

LogicalResult TopKOp::verify() {
  const auto input = getInput().getType();
  if (failed(verify_axis(*this, input, getAxis())) || failed(verify_unsigned(*this, input, getIsUnsigned()))) return failure();
  const std::int64_t k = getK(), extent = input.getDimSize(getAxis());
  if (k < 1 || k > extent) return emitOpError() << "k = " << k << " is not between 1 and the extent " << extent << " of axis " << getAxis();
  llvm::SmallVector<std::int64_t> shape(input.getShape());
  shape[getAxis()] = k;
  if (getValues().getType().getShape() != Shape(shape))
    return emitOpError() << "the values must be " << tile_type(shape, input.getElementType()) << ", not " << getValues().getType();
  return success();
}

}  // namespace tilewright::tile
