#include "compiler/analysis/linear.h"

#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::analysis {

namespace {

namespace arith = mlir::arith;

// Sums of forms wrap as the integers they stand for do.
std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

template <class Key>
void drop_zeros(Terms<Key>& terms) {
  llvm::erase_if(terms, [](const auto& term) { return term.second == 0; });
}

template <class Key>
void add_terms(Terms<Key>& sum, const Terms<Key>& terms) {
  for (const auto& [key, coefficient] : terms) {
    auto* known = llvm::find_if(sum, [&key = key](const auto& term) { return term.first == key; });
    if (known == sum.end()) sum.emplace_back(key, coefficient);
    else known->second = wrapping_add(known->second, coefficient);
  }
  drop_zeros(sum);
}

template <class Key>
void multiply_terms(Terms<Key>& terms, std::int64_t factor) {
  for (auto& [key, coefficient] : terms) coefficient = wrapping_multiply(coefficient, factor);
  drop_zeros(terms);
}

std::optional<std::int64_t> constant_of(mlir::Value value) {
  mlir::Attribute attribute;
  if (!mlir::matchPattern(value, mlir::m_Constant(&attribute))) return std::nullopt;
  if (auto scalar = llvm::dyn_cast<mlir::IntegerAttr>(attribute)) return scalar.getValue().getSExtValue();
  auto splat = llvm::dyn_cast<mlir::SplatElementsAttr>(attribute);
  if (!splat || !splat.getElementType().isInteger()) return std::nullopt;
  return splat.getSplatValue<llvm::APInt>().getSExtValue();
}

// Reads forms off the operations that make a value, as many of them as `steps` allows: a value may reach another along very many ways.
class Reader {
 public:
  std::optional<Linear> form_of(mlir::Value value);

 private:
  std::optional<Linear> form_of_arithmetic(mlir::Operation* op);
  std::optional<Linear> form_of_tile(mlir::Operation* op);
  std::optional<Linear> form_of_sum(mlir::Value lhs, mlir::Value rhs, std::int64_t sign);
  std::optional<Linear> form_of_product(mlir::Value lhs, mlir::Value rhs);

  int steps_ = 256;
};

// Forms of narrower integers are kept to those whose values are known and fit, so that none has wrapped and all may be extended.
std::optional<Linear> Reader::form_of(mlir::Value value) {
  const mlir::Type element = tile::element_type_of(value.getType());
  const bool is_scalar = value.getType() == element;
  if (!element.isInteger() || element.isInteger(1)) return std::nullopt;
  if (const std::optional<std::int64_t> constant = constant_of(value)) return Linear::of_constant(*constant);

  std::optional<Linear> form;
  if (mlir::Operation* op = value.getDefiningOp(); op && --steps_ > 0) {
    form = form_of_arithmetic(op);
    if (!form && !is_scalar) form = form_of_tile(op);
  }
  if (element.isInteger(64)) return form || !is_scalar ? form : Linear::of_scalar(value);
  if (!form) return std::nullopt;
  const std::optional<Range> range = range_of(*form, tile::shape_of(value.getType()));
  const unsigned width = element.getIntOrFloatBitWidth();
  return range && llvm::isIntN(width, range->least) && llvm::isIntN(width, range->greatest) ? form : std::nullopt;
}

std::optional<Linear> Reader::form_of_arithmetic(mlir::Operation* op) {
  if (auto add = llvm::dyn_cast<arith::AddIOp>(op)) return form_of_sum(add.getLhs(), add.getRhs(), 1);
  if (auto sub = llvm::dyn_cast<arith::SubIOp>(op)) return form_of_sum(sub.getLhs(), sub.getRhs(), -1);
  if (auto mul = llvm::dyn_cast<arith::MulIOp>(op)) return form_of_product(mul.getLhs(), mul.getRhs());
  if (auto extend = llvm::dyn_cast<arith::ExtSIOp>(op)) return form_of(extend.getIn());
  if (auto extend = llvm::dyn_cast<arith::ExtUIOp>(op)) {
    const std::optional<Linear> form = form_of(extend.getIn());
    if (!form) return std::nullopt;
    const std::optional<Range> range = range_of(*form, tile::shape_of(extend.getType()));
    return range && range->least >= 0 ? form : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Linear> Reader::form_of_sum(mlir::Value lhs, mlir::Value rhs, std::int64_t sign) {
  const std::optional<Linear> a = form_of(lhs), b = form_of(rhs);
  if (!a || !b) return std::nullopt;
  return *a + *b * sign;
}

std::optional<Linear> Reader::form_of_product(mlir::Value lhs, mlir::Value rhs) {
  const std::optional<Linear> a = form_of(lhs), b = form_of(rhs);
  if (!a || !b) return std::nullopt;
  if (b->is_constant()) return *a * b->constant;
  if (a->is_constant()) return *b * a->constant;
  return std::nullopt;
}

std::optional<Linear> Reader::form_of_tile(mlir::Operation* op) {
  if (auto arange = llvm::dyn_cast<tile::ArangeOp>(op)) return Linear::of_constant(static_cast<std::int64_t>(arange.getStart())) + Linear::of_axis(0);
  if (auto splat = llvm::dyn_cast<tile::SplatOp>(op)) return form_of(splat.getInput());
  if (auto broadcast = llvm::dyn_cast<tile::BroadcastOp>(op)) {
    std::optional<Linear> form = form_of(broadcast.getInput());
    if (!form) return std::nullopt;
    const llvm::ArrayRef<std::int64_t> shape = broadcast.getInput().getType().getShape();
    llvm::erase_if(form->axes, [&](const auto& term) { return shape[term.first] == 1; });
    return form;
  }
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
    const std::optional<Linear> form = form_of(transpose.getInput());
    if (!form) return std::nullopt;
    llvm::SmallVector<std::int64_t> names(transpose.getPermutation().size());
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation())) names[from] = static_cast<std::int64_t>(to);
    return rename_axes(*form, names);
  }
  if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(op)) {
    const std::optional<Linear> form = form_of(reshape.getInput());
    const auto names = axes_after_reshape(tile::shape_of(reshape.getInput().getType()), tile::shape_of(reshape.getType()));
    if (!form || !names) return std::nullopt;
    return rename_axes(*form, *names);
  }
  return std::nullopt;
}

}  // namespace

Linear operator+(const Linear& a, const Linear& b) {
  Linear sum = a;
  sum.constant = wrapping_add(a.constant, b.constant);
  add_terms(sum.scalars, b.scalars);
  add_terms(sum.axes, b.axes);
  return sum;
}

Linear operator*(const Linear& a, std::int64_t factor) {
  Linear product = a;
  product.constant = wrapping_multiply(a.constant, factor);
  multiply_terms(product.scalars, factor);
  multiply_terms(product.axes, factor);
  return product;
}

Linear operator-(const Linear& a, const Linear& b) { return a + b * -1; }

std::optional<Linear> linear_of(mlir::Value value) { return Reader().form_of(value); }

std::optional<Range> range_of(const Linear& form, llvm::ArrayRef<std::int64_t> extents) {
  if (!form.scalars.empty()) return std::nullopt;
  Range range{form.constant, form.constant};
  for (const auto& [axis, coefficient] : form.axes) {
    std::int64_t reach = 0;
    std::int64_t& end = coefficient < 0 ? range.least : range.greatest;
    if (__builtin_mul_overflow(coefficient, extents[axis] - 1, &reach) || __builtin_add_overflow(end, reach, &end)) return std::nullopt;
  }
  return range;
}

std::optional<llvm::SmallVector<std::int64_t>> axes_after_reshape(llvm::ArrayRef<std::int64_t> from, llvm::ArrayRef<std::int64_t> to) {
  llvm::SmallVector<std::int64_t> names(from.size(), -1);
  std::size_t next = 0;
  for (auto [axis, extent] : llvm::enumerate(from)) {
    if (extent == 1) continue;
    while (next < to.size() && to[next] == 1) ++next;
    if (next == to.size() || to[next] != extent) return std::nullopt;
    names[axis] = static_cast<std::int64_t>(next++);
  }
  return names;  // equal numbers of elements: what is left of `to` has extent 1
}

Linear rename_axes(const Linear& form, llvm::ArrayRef<std::int64_t> names) {
  Linear renamed = form;
  renamed.axes.clear();
  for (const auto& [axis, coefficient] : form.axes)
    if (names[axis] >= 0) renamed.axes.emplace_back(names[axis], coefficient);
  return renamed;
}

mlir::Value materialize(const Linear& form, mlir::OpBuilder& builder, mlir::Location loc) {
  auto constant = [&](std::int64_t value) -> mlir::Value { return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value)); };
  mlir::Value sum;
  for (const auto& [scalar, coefficient] : form.scalars) {
    mlir::Value term = scalar;
    if (coefficient != 1) term = arith::MulIOp::create(builder, loc, term, constant(coefficient));
    sum = sum ? mlir::Value(arith::AddIOp::create(builder, loc, sum, term)) : term;
  }
  if (!sum) return constant(form.constant);
  return form.constant == 0 ? sum : mlir::Value(arith::AddIOp::create(builder, loc, sum, constant(form.constant)));
}

}  // namespace tilewright::analysis
