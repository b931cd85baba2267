// tile-simplify-access: loads and stores say as little as they can.
//
// An index tile that counts upwards along one axis becomes the scalar it starts from:
//
//   tile.load %x[%rows along 0 : tensor<64xi64>, ...]      %rows = splat(%row) + arange 0
//   tile.load %x[%row along 0, ...]
//
// A comparison that holds for every element within the bounds of the view, or for every element there is, leaves the mask: elements out of bounds
// are not accessed anyway. With %row along 0 of %x, `%rows < size(%x, 0)` and `%rows >= 0` do.
#include "compiler/analysis/linear.h"
#include "compiler/ir/TileOps.h"
#include "compiler/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <vector>

namespace tilewright {

namespace {

using analysis::Linear;
using analysis::Range;
namespace arith = mlir::arith;

// ---- comparisons

// smaller < greater where strict, else smaller <= greater.
struct Comparison {
  Linear smaller, greater;
  bool strict = false;
};

std::optional<Comparison> comparison_of(arith::CmpIOp op, Linear lhs, Linear rhs) {
  using enum arith::CmpIPredicate;
  switch (op.getPredicate()) {
    case slt: return Comparison{std::move(lhs), std::move(rhs), true};
    case sle: return Comparison{std::move(lhs), std::move(rhs), false};
    case sgt: return Comparison{std::move(rhs), std::move(lhs), true};
    case sge: return Comparison{std::move(rhs), std::move(lhs), false};
    default: return std::nullopt;
  }
}

// One dimension of a view: the coordinate accessed, and the size below which it lies where anything is accessed.
struct Bound {
  Linear coordinate, size;
};

// Constants this small keep sums with coordinates and sizes, which lie below 2^62, from wrapping.
constexpr std::int64_t kSmall = std::int64_t{1} << 32, kSmallStep = std::int64_t{1} << 16;

std::optional<std::int64_t> small_difference(const Linear& a, const Linear& b) {
  const Linear difference = a - b;
  if (!difference.is_constant() || difference.constant <= -kSmall || difference.constant >= kSmall) return std::nullopt;
  return difference.constant;
}

// Whether a side of a comparison is a quantity that cannot wrap while 0 <= coordinate < size: up to a small constant one of 0, the coordinate, where
// the tile starts in the view, the position in the tile, the size, and what is left of the size from either.
bool cannot_wrap(const Linear& side, const Bound& bound) {
  Linear position, start = bound.coordinate;
  if (llvm::any_of(start.axes, [](const auto& term) { return term.second <= -kSmallStep || term.second >= kSmallStep; })) return false;
  position.axes = std::move(start.axes);
  start.axes.clear();
  const Linear known[] = {{}, bound.coordinate, start, position, bound.size, bound.size - bound.coordinate, bound.size - start};
  return llvm::any_of(known, [&](const Linear& quantity) { return small_difference(side, quantity).has_value(); });
}

// 0 <= coordinate <= size - 1 implies smaller < greater, or smaller <= greater.
bool implied_by(const Comparison& comparison, const Bound& bound) {
  if (!cannot_wrap(comparison.smaller, bound) || !cannot_wrap(comparison.greater, bound)) return false;
  const Linear form = comparison.smaller - comparison.greater;
  const std::int64_t limit = comparison.strict ? -1 : 0;
  const std::optional<std::int64_t> above = small_difference(form, bound.coordinate - bound.size);  // form = coordinate - size + above <= above - 1
  if (above && *above - 1 <= limit) return true;
  const std::optional<std::int64_t> below = small_difference(form, Linear() - bound.coordinate);  // form = below - coordinate <= below
  return below && *below <= limit;
}

bool always_holds(const Comparison& comparison, llvm::ArrayRef<std::int64_t> extents) {
  const std::optional<Range> smaller = analysis::range_of(comparison.smaller, extents), greater = analysis::range_of(comparison.greater, extents);
  if (!smaller || !greater) return false;
  if (comparison.strict ? smaller->greatest < greater->least : smaller->greatest <= greater->least) return true;
  for (std::int64_t end : {smaller->least, smaller->greatest, greater->least, greater->greatest})
    if (end <= -kSmall || end >= kSmall) return false;
  const std::optional<Range> form = analysis::range_of(comparison.smaller - comparison.greater, extents);
  return form && (comparison.strict ? form->greatest < 0 : form->greatest <= 0);
}

// ---- masks

// Simplifies the mask of one access. Axes of values on the way are renamed to those of the tile.
class MaskSimplifier {
 public:
  MaskSimplifier(mlir::OpBuilder& builder, llvm::ArrayRef<std::int64_t> extents, llvm::ArrayRef<Bound> bounds)
      : builder_(builder), extents_(extents), bounds_(bounds) {}

  // The mask without what is implied: null if that is all of it, `mask` itself if that is nothing of it.
  mlir::Value run(mlir::Value mask, llvm::ArrayRef<std::int64_t> names) {
    if (auto conjunction = mask.getDefiningOp<arith::AndIOp>()) {
      const mlir::Value lhs = run(conjunction.getLhs(), names), rhs = run(conjunction.getRhs(), names);
      if (!lhs || !rhs) return lhs ? lhs : rhs;
      if (lhs == conjunction.getLhs() && rhs == conjunction.getRhs()) return mask;
      return arith::AndIOp::create(builder_, mask.getLoc(), lhs, rhs);
    }
    if (auto compare = mask.getDefiningOp<arith::CmpIOp>()) return holds(compare, names) ? mlir::Value() : mask;
    if (auto splat = mask.getDefiningOp<tile::SplatOp>()) return rebuilt(splat, {});
    if (auto broadcast = mask.getDefiningOp<tile::BroadcastOp>()) {
      llvm::SmallVector<std::int64_t> inner(names);
      for (auto [axis, extent] : llvm::enumerate(broadcast.getInput().getType().getShape()))
        if (extent == 1) inner[axis] = -1;
      return rebuilt(broadcast, inner);
    }
    if (auto transpose = mask.getDefiningOp<tile::TransposeOp>()) {
      llvm::SmallVector<std::int64_t> inner(names.size());
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation())) inner[from] = names[to];
      return rebuilt(transpose, inner);
    }
    if (auto reshape = mask.getDefiningOp<tile::ReshapeOp>()) {
      const auto after = analysis::axes_after_reshape(tile::shape_of(reshape.getInput().getType()), tile::shape_of(reshape.getType()));
      if (!after) return mask;
      llvm::SmallVector<std::int64_t> inner;
      for (std::int64_t axis : *after) inner.push_back(axis < 0 ? -1 : names[axis]);
      return rebuilt(reshape, inner);
    }
    return mask;
  }

 private:
  template <class OpTy>
  mlir::Value rebuilt(OpTy op, llvm::ArrayRef<std::int64_t> names) {
    const mlir::Value inner = run(op.getInput(), names);
    if (!inner) return {};
    if (inner == op.getInput()) return op.getResult();
    mlir::Operation* clone = builder_.clone(*op);
    clone->setOperand(0, inner);
    return clone->getResult(0);
  }

  bool holds(arith::CmpIOp op, llvm::ArrayRef<std::int64_t> names) {
    std::optional<Linear> lhs = analysis::linear_of(op.getLhs()), rhs = analysis::linear_of(op.getRhs());
    if (!lhs || !rhs) return false;
    const std::optional<Comparison> comparison = comparison_of(op, analysis::rename_axes(*lhs, names), analysis::rename_axes(*rhs, names));
    if (!comparison) return false;
    return always_holds(*comparison, extents_) || llvm::any_of(bounds_, [&](const Bound& bound) { return implied_by(*comparison, bound); });
  }

  mlir::OpBuilder& builder_;
  llvm::ArrayRef<std::int64_t> extents_;
  llvm::ArrayRef<Bound> bounds_;
};

// ---- accesses

// A dimension of a view is that of its parent as long as only others were narrowed.
mlir::Value owner_of_dimension(mlir::Value view, std::int64_t dimension) {
  auto narrow = view.getDefiningOp<tile::NarrowOp>();
  while (narrow && static_cast<std::int64_t>(narrow.getAxis()) != dimension) {
    view = narrow.getView();
    narrow = view.getDefiningOp<tile::NarrowOp>();
  }
  return view;
}

template <class Access>
class AccessSimplifier {
 public:
  AccessSimplifier(Access op, mlir::Value tile) : op_(op), builder_(op), extents_(tile::shape_of(tile.getType())), maps_(op.getMaps()) {}

  void run() {
    for (std::size_t dimension = 0; dimension < maps_.size(); ++dimension) make_contiguous(dimension);
    if (op_.getMask()) simplify_mask();
  }

 private:
  void make_contiguous(std::size_t dimension) {
    const mlir::Value index = op_.getIndices()[dimension];
    if (maps_[dimension] == tile::kMapPoint || index.getType().isInteger()) return;
    std::optional<Linear> form = analysis::linear_of(index);
    if (!form || form->axes.size() != 1) return;
    const bool is_whole = maps_[dimension] == tile::kMapWhole;
    const auto [own_axis, step] = form->axes.front();
    const std::int64_t axis = is_whole ? own_axis : maps_[dimension];
    if (step != 1 || (is_whole && llvm::is_contained(maps_, axis))) return;
    form->axes.clear();
    op_.getIndicesMutable()[dimension].assign(analysis::materialize(*form, builder_, op_.getLoc()));
    maps_[dimension] = axis;
    op_.setMaps(maps_);
  }

  void simplify_mask() {
    std::vector<Bound> bounds;
    for (std::size_t dimension = 0; dimension < maps_.size(); ++dimension) {
      std::optional<Linear> coordinate = analysis::linear_of(op_.getIndices()[dimension]);
      if (!coordinate) continue;
      if (maps_[dimension] >= 0) {
        const std::int64_t axis = maps_[dimension];
        coordinate =
            op_.getIndices()[dimension].getType().isInteger() ? *coordinate + Linear::of_axis(axis) : analysis::rename_axes(*coordinate, {axis});
      }
      for (const Linear& size : sizes_of(static_cast<std::int64_t>(dimension))) bounds.push_back({*coordinate, size});
    }
    const llvm::SmallVector<std::int64_t> names = llvm::to_vector(llvm::seq<std::int64_t>(0, static_cast<std::int64_t>(extents_.size())));
    const mlir::Value mask = MaskSimplifier(builder_, extents_, bounds).run(op_.getMask(), names);
    if (!mask) op_.getMaskMutable().clear();
    else if (mask != op_.getMask()) op_.getMaskMutable().assign(mask);
  }

  // Every tile.size of a dimension of the view, each a value of its own.
  std::vector<Linear> sizes_of(std::int64_t dimension) {
    std::vector<Linear> sizes;
    const mlir::Value owner = owner_of_dimension(op_.getView(), dimension);
    for (mlir::Operation* user : owner.getUsers())
      if (auto size = llvm::dyn_cast<tile::SizeOp>(user); size && static_cast<std::int64_t>(size.getAxis()) == dimension)
        sizes.push_back(Linear::of_scalar(size.getResult()));
    if (sizes.empty()) sizes.push_back(Linear::of_scalar(owner));  // not asked for; stands for itself
    return sizes;
  }

  Access op_;
  mlir::OpBuilder builder_;
  llvm::ArrayRef<std::int64_t> extents_;
  llvm::SmallVector<std::int64_t> maps_;
};

class SimplifyAccess : public mlir::PassWrapper<SimplifyAccess, mlir::OperationPass<>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SimplifyAccess)

  llvm::StringRef getArgument() const override { return "tile-simplify-access"; }
  llvm::StringRef getDescription() const override { return "Make accesses of memory contiguous and drop implied masks"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile::TileDialect, arith::ArithDialect>(); }

  void runOnOperation() override {
    getOperation()->walk([](mlir::Operation* op) {
      if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) AccessSimplifier(load, load.getResult()).run();
      if (auto store = llvm::dyn_cast<tile::StoreOp>(op)) AccessSimplifier(store, store.getValue()).run();
      if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(op)) AccessSimplifier(atomic, atomic.getValue()).run();
    });
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_simplify_access() { return std::make_unique<SimplifyAccess>(); }

}  // namespace tilewright
