// The functions of ops.h and operators.h: dtypes are unified, shapes broadcast, then the builder appends.
#include "dsl/ops.h"

#include "dsl/program/infer.h"
#include "dsl/tracer.h"

#include <numeric>

namespace tilewright {

using detail::Tracer;
using program::Builder;
using program::Opcode;
using program::Shape;
using program::Type;
using program::ValueId;

namespace {

Shape shape_of(Extents extents) {
  Shape shape;
  for (const Extent& extent : extents) shape.push_back(extent.value);
  return shape;
}

// The tracer standing at a tile operand, and the operand.
struct At {
  explicit At(const TileArg& x) : tracer(Tracer::get(x.at)), build(tracer.build()), value(tracer.id(x.ref)) {}
  const Type& type() const { return build.type(value); }
  Tile tile(ValueId result) const { return tracer.tile(result); }

  Tracer& tracer;
  Builder& build;
  ValueId value;
};

Tile reduced(const TileArg& x, program::ReduceKind kind, int axis) {
  At at(x);
  return at.tile(at.build.reduce(kind, at.value, axis));
}

Tile reduced(const TileArg& x, program::ReduceKind kind) {
  At at(x);
  return at.tile(at.build.reduce(kind, at.build.reshape(at.value, {at.type().elements()}), 0));
}

Tile scanned(const TileArg& x, program::ReduceKind kind, int axis, bool reverse) {
  At at(x);
  return at.tile(at.build.scan(kind, at.value, axis, reverse));
}

TileArg expect_bool(TileArg x, const char* what) {
  const Type& type = At(x).type();
  if (type.dtype != DType::Bool) detail::fail(1201, std::string("'") + what + "' takes bools, not " + to_string(type), x.at, "compare first: x != 0");
  return x;
}

}  // namespace

namespace detail {

Tile binary(Opcode opcode, const Arg& a, const Arg& b) {
  Tracer& tracer = Tracer::get(a.at);
  return tracer.tile(tracer.build().elementwise(opcode, tracer.unify({a, b}, program::spelling_of(opcode))));
}

Tile unary(Opcode opcode, const Arg& x) {
  Tracer& tracer = Tracer::get(x.at);
  return tracer.tile(tracer.build().op(opcode, {tracer.id(x.ref)}));
}

}  // namespace detail

Tile operator!(TileArg x) { return detail::unary(Opcode::Not, expect_bool(x, "!")); }

Tile ceil_div(TileArg a, TileArg b) {
  CallSite here(a.at);
  return (a + b - TileArg(scalar(Tile(b.ref).dtype(), 1))) / b;
}

Tile ceil_div(TileArg a, NumberArg b) {
  CallSite here(a.at);
  if (b.number.kind != detail::Number::Integer || b.number.integer <= 0) detail::fail(1208, "'ceil_div' divides by a positive integer", b.at);
  return (a + NumberArg(b.number.integer - 1)) / b;
}

Tile ceil_div(NumberArg a, TileArg b) {
  CallSite here(a.at);
  return (a + (b - NumberArg(1))) / b;
}

// ---- making values

Index program_id(int axis, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return Index(tracer.ref(tracer.build().op(Opcode::ProgramId, {}, {axis})));
}

Index num_programs(int axis, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return Index(tracer.ref(tracer.build().op(Opcode::NumPrograms, {}, {axis})));
}

Tile arange(Extent count, std::int64_t start, DType dtype, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return tracer.tile(tracer.build().op(Opcode::Arange, {}, {start}, Type{dtype, {count.value}}));
}

Tile full(DType dtype, Extents extents, const Arg& value, Loc at) {
  Tracer& tracer = Tracer::get(at);
  const Shape shape = shape_of(extents);
  if (!value.is_tile) return tracer.tile(tracer.number(value.number, dtype, shape));
  const ValueId scalar = tracer.id(value.ref);
  const Type& type = tracer.build().type(scalar);
  if (!type.is_scalar() || type.dtype != dtype)
    detail::fail(1221, "'full' of " + std::string(name_of(dtype)) + " takes a number or a scalar of that dtype, not " + to_string(type), at);
  return tracer.tile(tracer.build().broadcast(scalar, shape));
}

Tile zeros(DType dtype, Extents shape, Loc at) {
  if (dtype == DType::Bool) return full(dtype, shape, false, at);
  return full(dtype, shape, 0, at);
}

Tile scalar(DType dtype, const NumberArg& value, Loc at) { return full(dtype, {}, value, at); }

Tile full_like(TileArg x, const Arg& value) {
  At at(x);
  const Type type = at.type();
  if (!value.is_tile) return at.tile(at.tracer.number(value.number, type.dtype, type.shape));
  return at.tile(at.build.broadcast(at.tracer.id(value.ref), type.shape));
}

Tile zeros_like(TileArg x) {
  if (At(x).type().dtype == DType::Bool) return full_like(x, false);
  return full_like(x, 0);
}

// ---- elementwise

Tile sigmoid(TileArg x) {
  CallSite here(x.at);
  return 1.0 / (1.0 + exp(-x));
}

Tile fma(const Arg& a, const Arg& b, const Arg& c) {
  Tracer& tracer = Tracer::get(a.at);
  return tracer.tile(tracer.build().elementwise(Opcode::Fma, tracer.unify({a, b, c}, "fma")));
}

Tile where(TileArg condition, const Arg& a, const Arg& b) {
  At at(condition);
  std::vector<ValueId> operands{at.value};
  for (ValueId value : at.tracer.unify({a, b}, "where")) operands.push_back(value);
  return at.tile(at.build.elementwise(Opcode::Select, operands));
}

// ---- dtypes and shapes

Tile cast(TileArg x, DType dtype) {
  At at(x);
  return at.tile(at.build.cast(at.value, dtype));
}

Tile bitcast(TileArg x, DType dtype) {
  At at(x);
  return at.tile(at.build.op(Opcode::Bitcast, {at.value}, {}, Type{dtype, at.type().shape}));
}

Tile broadcast_to(TileArg x, Extents shape) {
  At at(x);
  return at.tile(at.build.broadcast(at.value, shape_of(shape)));
}

Tile reshape(TileArg x, Extents shape) {
  At at(x);
  return at.tile(at.build.reshape(at.value, shape_of(shape)));
}

Tile permute(TileArg x, std::initializer_list<int> order) {
  At at(x);
  const std::vector<std::int64_t> permutation(order.begin(), order.end());
  return at.tile(at.build.transpose(at.value, permutation));
}

Tile trans(TileArg x) {
  At at(x);
  const std::size_t rank = at.type().rank();
  if (rank < 2)
    detail::fail(1211, "'trans' swaps the last two axes, and " + to_string(at.type()) + " has not two", x.at, "x(_, None) makes a column");
  std::vector<std::int64_t> permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return at.tile(at.build.transpose(at.value, permutation));
}

Tile concat(const Tiles& tiles, int axis, Loc loc) {
  Tracer& tracer = Tracer::get(loc);
  return tracer.tile(tracer.build().op(Opcode::Concat, tracer.ids(tiles), {axis}));
}

Tile slice(TileArg x, int axis, std::int64_t start, Extent extent) {
  At at(x);
  return at.tile(at.build.slice(at.value, axis, start, extent.value));
}

Tiles split(TileArg x, int axis, int parts) {
  At at(x);
  const Type type = at.type();
  const std::int64_t whole = type.shape[program::rules::expect_axis(axis, type, "split", at.build.position())];
  if (parts < 1 || parts > Tiles::kMax || whole % parts != 0)
    detail::fail(1213, "'split' of " + std::to_string(whole) + " elements into " + std::to_string(parts) + " parts", x.at,
                 "parts are equal and at most " + std::to_string(Tiles::kMax) + "; use slice for others");
  Tiles pieces;
  for (int i = 0; i < parts; ++i) pieces.add(at.tile(at.build.slice(at.value, axis, i * (whole / parts), whole / parts)));
  return pieces;
}

Tile take(TileArg x, TileArg index, int axis) {
  At at(x);
  return at.tile(at.build.op(Opcode::Take, {at.value, at.tracer.id(index.ref)}, {axis}));
}

// ---- dot

Tile dot(TileArg a, TileArg b) {
  At at(a);
  return at.tile(at.build.dot(at.value, at.tracer.id(b.ref)));
}

Tile dot(TileArg a, TileArg b, TileArg accumulator) {
  At at(a);
  return at.tile(at.build.dot(at.value, at.tracer.id(b.ref), at.tracer.id(accumulator.ref)));
}

// ---- reductions, scans, order

using program::ReduceKind;

Tile sum(TileArg x, int axis) { return reduced(x, ReduceKind::Sum, axis); }
Tile sum(TileArg x) { return reduced(x, ReduceKind::Sum); }
Tile prod(TileArg x, int axis) { return reduced(x, ReduceKind::Prod, axis); }
Tile prod(TileArg x) { return reduced(x, ReduceKind::Prod); }
Tile reduce_max(TileArg x, int axis) { return reduced(x, ReduceKind::Max, axis); }
Tile reduce_max(TileArg x) { return reduced(x, ReduceKind::Max); }
Tile reduce_min(TileArg x, int axis) { return reduced(x, ReduceKind::Min, axis); }
Tile reduce_min(TileArg x) { return reduced(x, ReduceKind::Min); }
Tile any(TileArg x, int axis) { return reduced(expect_bool(x, "any"), ReduceKind::Or, axis); }
Tile any(TileArg x) { return reduced(expect_bool(x, "any"), ReduceKind::Or); }
Tile all(TileArg x, int axis) { return reduced(expect_bool(x, "all"), ReduceKind::And, axis); }
Tile all(TileArg x) { return reduced(expect_bool(x, "all"), ReduceKind::And); }

Tile argmax(TileArg x, int axis) {
  At at(x);
  return at.tile(at.build.op(Opcode::ArgMax, {at.value}, {axis}));
}

Tile argmin(TileArg x, int axis) {
  At at(x);
  return at.tile(at.build.op(Opcode::ArgMin, {at.value}, {axis}));
}

Tile cumsum(TileArg x, int axis, bool reverse) { return scanned(x, ReduceKind::Sum, axis, reverse); }
Tile cumprod(TileArg x, int axis, bool reverse) { return scanned(x, ReduceKind::Prod, axis, reverse); }
Tile cummax(TileArg x, int axis, bool reverse) { return scanned(x, ReduceKind::Max, axis, reverse); }
Tile cummin(TileArg x, int axis, bool reverse) { return scanned(x, ReduceKind::Min, axis, reverse); }

TopK top_k(TileArg x, int k, int axis, bool descending) {
  At at(x);
  const std::vector<ValueId> results = at.build.ops(Opcode::TopK, {at.value}, {axis, k, descending});
  return {at.tile(results[0]), at.tile(results[1])};
}

Tile sort(TileArg x, int axis, bool descending) {
  At at(x);
  const std::int64_t extent = at.type().shape[program::rules::expect_axis(axis, at.type(), "sort", at.build.position())];
  return top_k(x, static_cast<int>(extent), axis, descending).values;
}

// ---- effects

void check(TileArg condition, const char* text) {
  At at(condition);
  at.build.ops(Opcode::Assert, {at.value}, {}, nullptr, text);
}

namespace detail {

void print(const Text& text, std::initializer_list<Tile> values) {
  Tracer& tracer = Tracer::get(text.at);
  std::vector<ValueId> ids;
  for (const Tile& value : values) ids.push_back(tracer.id(value.ref()));
  tracer.build().ops(Opcode::Print, ids, {}, nullptr, text.text);
}

CombinerScope::CombinerScope(Opcode reduce_or_scan, const Tiles& tiles, int axis, bool reverse, Loc at) {
  const auto [left, right] = Tracer::get(at).open_combiner(reduce_or_scan, tiles, axis, reverse, at);
  left_ = left;
  right_ = right;
}

CombinerScope::~CombinerScope() {
  if (open_) Tracer::current()->abandon();
}

Tiles CombinerScope::close(const Tiles& results) {
  open_ = false;
  return Tracer::current()->close_combiner(results);
}

}  // namespace detail

}  // namespace tilewright
