// tile-shrink-elementwise: an elementwise operation whose operands repeat along an axis computes the same along it; compute once, then repeat.
//
//   exp(broadcast(x: 64x1 -> 64x128))            ->   broadcast(exp(x): 64x1 -> 64x128)
//   add(splat(x), splat(y))                      ->   splat(add(x, y))
//   add(broadcast(x: 64x1), splat(y))            ->   broadcast(add(x, splat(y): 64x1))
//   extsi(arange 0 : tensor<64xi32>)             ->   arange 0 : tensor<64xi64>
#include "compiler/ir/TileOps.h"
#include "compiler/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilewright {

namespace {

namespace arith = mlir::arith;

// Where the elements of an operand come from: a scalar, a constant with one value for all, or a tile to be broadcast.
struct Source {
  mlir::Value value;                 // the scalar or the smaller tile; null for a constant
  mlir::SplatElementsAttr constant;  // or null
  llvm::ArrayRef<std::int64_t> shape() const { return value ? tile::shape_of(value.getType()) : llvm::ArrayRef<std::int64_t>(); }
};

std::optional<Source> source_of(mlir::Value operand) {
  mlir::SplatElementsAttr constant;
  if (mlir::matchPattern(operand, mlir::m_Constant(&constant))) return Source{{}, constant};
  if (auto splat = operand.getDefiningOp<tile::SplatOp>()) return Source{splat.getInput(), {}};
  if (auto broadcast = operand.getDefiningOp<tile::BroadcastOp>()) return Source{broadcast.getInput(), {}};
  return std::nullopt;
}

// The source under `shape`, which is empty for a scalar.
mlir::Value resized(const Source& source, llvm::ArrayRef<std::int64_t> shape, mlir::OpBuilder& builder, mlir::Location loc) {
  if (source.constant) {
    mlir::SplatElementsAttr constant = source.constant;
    if (shape.empty()) return arith::ConstantOp::create(builder, loc, constant.getSplatValue<mlir::TypedAttr>());
    return arith::ConstantOp::create(builder, loc, constant.resizeSplat(mlir::RankedTensorType::get(shape, constant.getElementType())));
  }
  if (source.shape() == shape) return source.value;
  const mlir::Type type = tile::tile_type(shape, tile::element_type_of(source.value.getType()));
  if (source.shape().empty()) return tile::SplatOp::create(builder, loc, type, source.value);
  return tile::BroadcastOp::create(builder, loc, type, source.value);
}

class Shrink : public mlir::RewritePattern {
 public:
  explicit Shrink(mlir::MLIRContext* context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  mlir::LogicalResult matchAndRewrite(mlir::Operation* op, mlir::PatternRewriter& rewriter) const override {
    if (!op->hasTrait<mlir::OpTrait::Elementwise>() || op->getNumResults() != 1 || op->getNumOperands() == 0 || !mlir::isMemoryEffectFree(op))
      return mlir::failure();
    auto result = llvm::dyn_cast<mlir::RankedTensorType>(op->getResult(0).getType());
    if (!result) return mlir::failure();

    llvm::SmallVector<Source> sources;
    llvm::SmallVector<std::int64_t> shape;  // the least shape that all sources broadcast to
    bool all_constant = true;
    for (mlir::Value operand : op->getOperands()) {
      if (!llvm::isa<mlir::RankedTensorType>(operand.getType())) return mlir::failure();
      const std::optional<Source> source = source_of(operand);
      if (!source) return mlir::failure();
      all_constant &= static_cast<bool>(source->constant);
      if (!source->shape().empty()) shape.resize(result.getRank(), 1);
      for (auto [axis, extent] : llvm::enumerate(source->shape())) shape[axis] = std::max(shape[axis], extent);
      sources.push_back(*source);
    }
    if (all_constant || result.getShape() == llvm::ArrayRef(shape)) return mlir::failure();

    llvm::SmallVector<mlir::Value> operands;
    for (const Source& source : sources) operands.push_back(resized(source, shape, rewriter, op->getLoc()));
    mlir::Operation* small = rewriter.clone(*op);
    small->setOperands(operands);
    small->getResult(0).setType(tile::tile_type(shape, result.getElementType()));
    if (shape.empty()) rewriter.replaceOpWithNewOp<tile::SplatOp>(op, result, small->getResult(0));
    else rewriter.replaceOpWithNewOp<tile::BroadcastOp>(op, result, small->getResult(0));
    return mlir::success();
  }
};

// Consecutive integers of another width, where extension keeps them consecutive.
template <class Extension>
class ExtendArange : public mlir::OpRewritePattern<Extension> {
 public:
  using mlir::OpRewritePattern<Extension>::OpRewritePattern;

  mlir::LogicalResult matchAndRewrite(Extension op, mlir::PatternRewriter& rewriter) const override {
    auto arange = op.getIn().template getDefiningOp<tile::ArangeOp>();
    if (!arange) return mlir::failure();
    const unsigned width = arange.getType().getElementTypeBitWidth();
    const std::int64_t count = arange.getType().getNumElements();
    const llvm::APInt start = llvm::APInt(64, static_cast<std::uint64_t>(arange.getStart())).trunc(width);
    const std::int64_t first = std::is_same_v<Extension, arith::ExtSIOp> ? start.getSExtValue() : static_cast<std::int64_t>(start.getZExtValue());
    const bool fits = std::is_same_v<Extension, arith::ExtSIOp> ? llvm::isIntN(width, first + count - 1) : llvm::isUIntN(width, first + count - 1);
    if (!fits) return mlir::failure();
    rewriter.replaceOpWithNewOp<tile::ArangeOp>(op, op.getType(), first);
    return mlir::success();
  }
};

class ShrinkElementwise : public mlir::PassWrapper<ShrinkElementwise, mlir::OperationPass<>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ShrinkElementwise)

  llvm::StringRef getArgument() const override { return "tile-shrink-elementwise"; }
  llvm::StringRef getDescription() const override { return "Compute elementwise operations on broadcasts and splats before repeating"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile::TileDialect, arith::ArithDialect>(); }

  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<Shrink, ExtendArange<arith::ExtSIOp>, ExtendArange<arith::ExtUIOp>>(&getContext());
    if (mlir::failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_shrink_elementwise() { return std::make_unique<ShrinkElementwise>(); }

}  // namespace tilewright
