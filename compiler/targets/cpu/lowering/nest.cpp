// Loop nests over the extents of a tile, and the small vocabulary the other files emit with.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

// Rows of at most this many vectors are unrolled.
constexpr std::int64_t kUnrolledVectors = 2;

// "file:line:column: ", or nothing where the position is unknown.
std::string position_text(mlir::Location location) {
  auto where = llvm::dyn_cast<mlir::FileLineColLoc>(location);
  if (!where) return {};
  return where.getFilename().str() + ":" + std::to_string(where.getLine()) + ":" + std::to_string(where.getColumn()) + ": ";
}

}  // namespace

// ---- coordinates

std::int64_t last_extended_axis(llvm::ArrayRef<std::int64_t> shape, std::int64_t except) {
  for (std::int64_t d = static_cast<std::int64_t>(shape.size()) - 1; d >= 0; --d) {
    if (shape[d] != 1 && d != except) return d;
  }
  return -1;
}

bool varies(const Coords& at) {
  return llvm::any_of(at, [](const Coord& coord) { return coord.kind != Coord::Uniform; });
}

Coords without(const Coords& at, std::int64_t axis) {
  Coords rest(at);
  rest.erase(rest.begin() + axis);
  return rest;
}

// ---- loops

void Emitter::loop(std::int64_t from, std::int64_t to, std::int64_t step, Body body) {
  if (from >= to) return;
  if (from + step >= to) return body(i64(from));
  auto op = scf::ForOp::create(b_, i64(from), i64(to), i64(step));
  mlir::OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

llvm::SmallVector<Emitter::Value> Emitter::loop_carrying(std::int64_t from, std::int64_t to, std::int64_t step, mlir::ValueRange inits,
                                                         llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body) {
  if (from >= to) return llvm::SmallVector<Value>(inits);
  if (from + step >= to) return body(i64(from), inits);
  auto op = scf::ForOp::create(b_, i64(from), i64(to), i64(step), inits);
  mlir::OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToEnd(op.getBody());
  scf::YieldOp::create(b_, body(op.getInductionVar(), op.getRegionIterArgs()));
  return llvm::SmallVector<Value>(op.getResults());
}

void Emitter::lane_loop(std::int64_t extent, llvm::function_ref<void(Coord)> body) {
  const std::int64_t whole = extent / lanes_ * lanes_;
  valid_lanes_ = lanes_;
  if (whole / lanes_ <= kUnrolledVectors) {
    for (std::int64_t at = 0; at < whole; at += lanes_) body({Coord::Consecutive, i64(at)});
  } else {
    loop(0, whole, lanes_, [&](Value at) { body({Coord::Consecutive, at}); });
  }
  if (whole < extent) {
    valid_lanes_ = extent - whole;
    body({Coord::Consecutive, i64(whole)});
    valid_lanes_ = lanes_;
  }
}

void Emitter::for_each_scalar(llvm::ArrayRef<std::int64_t> shape, llvm::ArrayRef<std::int64_t> skip, llvm::function_ref<void(Coords)> body) {
  Coords at(shape.size(), Coord{Coord::Uniform, i64(0)});
  const std::function<void(std::size_t)> nest = [&](std::size_t d) {
    if (d == shape.size()) return body(at);
    if (shape[d] == 1 || llvm::is_contained(skip, static_cast<std::int64_t>(d))) return nest(d + 1);
    loop(0, shape[d], 1, [&](Value i) {
      at[d].value = i;
      nest(d + 1);
    });
  };
  nest(0);
}

void Emitter::for_each(llvm::ArrayRef<std::int64_t> shape, llvm::function_ref<void(const Coords&)> body) {
  for_each_but(shape, -1, [&](const Coords& at) { body(at); });
}

void Emitter::for_each_but(llvm::ArrayRef<std::int64_t> shape, std::int64_t axis, llvm::function_ref<void(Coords)> body) {
  const std::int64_t lane_axis = last_extended_axis(shape, axis);
  if (lane_axis < 0) {
    valid_lanes_ = lanes_;
    return body(Coords(shape.size(), Coord{Coord::Uniform, i64(0)}));
  }
  for_each_scalar(shape, {axis, lane_axis}, [&](Coords at) {
    lane_loop(shape[lane_axis], [&](Coord coord) {
      at[lane_axis] = coord;
      body(at);
    });
  });
}

void Emitter::versioned(llvm::ArrayRef<Value> roots, mlir::Operation* store, llvm::function_ref<void()> nest) {
  llvm::SmallVector<tile::LoadOp> loads;
  for (Value root : roots) collect_loads(root, loads);
  Value all_inside;
  bool accesses = false;
  for (tile::LoadOp load : loads) {
    accesses = true;
    const auto type = tile_type(load.getResult());
    all_inside = and_(all_inside, inside(load.getView(), load.getIndices(), load.getMaps(), type ? type.getShape() : llvm::ArrayRef<std::int64_t>()));
  }
  if (auto op = llvm::dyn_cast_or_null<tile::StoreOp>(store)) {
    accesses = true;
    const auto type = tile_type(op.getValue());
    all_inside = and_(all_inside, inside(op.getView(), op.getIndices(), op.getMaps(), type ? type.getShape() : llvm::ArrayRef<std::int64_t>()));
  }
  if (!accesses || !all_inside) {
    check_bounds_ = false;
    nest();
    check_bounds_ = true;
    return;
  }
  auto branch = scf::IfOp::create(b_, all_inside, /*withElseRegion=*/true);
  mlir::OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(branch.thenBlock());
  check_bounds_ = false;
  nest();
  check_bounds_ = true;
  b_.setInsertionPointToStart(branch.elseBlock());
  nest();
}

// ---- types

mlir::Type Emitter::memory_type(mlir::Type element) const {
  if (element.isInteger(1)) return mlir::IntegerType::get(element.getContext(), 8);
  if (element.isF16() || element.isBF16()) return mlir::IntegerType::get(element.getContext(), 16);
  return element;
}

mlir::Type Emitter::scratch_type(mlir::Type element) const {
  if (element.isInteger(1)) return mlir::IntegerType::get(element.getContext(), 8);
  return register_type(element);
}

mlir::Type Emitter::register_type(mlir::Type element) const {
  if (element.isF16() || element.isBF16()) return mlir::Float32Type::get(element.getContext());
  return element;
}

mlir::Type Emitter::with_lanes(mlir::Type element) const { return mlir::VectorType::get({lanes_}, element); }

// ---- values

Emitter::Value Emitter::splat(Value scalar) {
  if (llvm::isa<mlir::VectorType>(scalar.getType())) return scalar;
  return mlir::vector::BroadcastOp::create(b_, with_lanes(scalar.getType()), scalar);
}

Emitter::Value Emitter::i64(std::int64_t value) { return arith::ConstantOp::create(b_, b_.getI64IntegerAttr(value)); }
Emitter::Value Emitter::i32(std::int32_t value) { return arith::ConstantOp::create(b_, b_.getI32IntegerAttr(value)); }

Emitter::Value Emitter::step_vector() {
  llvm::SmallVector<std::int64_t> steps(lanes_);
  for (int i = 0; i < lanes_; ++i) steps[i] = i;
  const auto type = llvm::cast<mlir::VectorType>(with_lanes(b_.getI64Type()));
  return arith::ConstantOp::create(b_, mlir::DenseElementsAttr::get(type, llvm::ArrayRef<std::int64_t>(steps)));
}

Emitter::Value Emitter::constant_like(mlir::Type type, double value) {
  const mlir::Type element = mlir::getElementTypeOrSelf(type);
  if (!llvm::isa<mlir::FloatType>(element)) return int_like(type, static_cast<std::int64_t>(value));
  mlir::TypedAttr attribute = b_.getFloatAttr(element, value);
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(type)) attribute = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attribute));
  return arith::ConstantOp::create(b_, attribute);
}

Emitter::Value Emitter::int_like(mlir::Type type, std::int64_t value) {
  const mlir::Type element = mlir::getElementTypeOrSelf(type);
  const unsigned width = element.getIntOrFloatBitWidth();
  mlir::TypedAttr attribute = mlir::IntegerAttr::get(element, llvm::APInt(64, static_cast<std::uint64_t>(value), true).trunc(width));
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(type)) attribute = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attribute));
  return arith::ConstantOp::create(b_, attribute);
}

Emitter::Value Emitter::valid_mask() {
  if (valid_lanes_ == lanes_) return {};
  llvm::SmallVector<bool> lanes(lanes_);
  for (int i = 0; i < lanes_; ++i) lanes[i] = i < valid_lanes_;
  const auto type = llvm::cast<mlir::VectorType>(with_lanes(b_.getI1Type()));
  return arith::ConstantOp::create(b_, mlir::DenseElementsAttr::get(type, llvm::ArrayRef<bool>(lanes)));
}

Emitter::Value Emitter::lane_positions(const Coord& coord) {
  if (coord.kind == Coord::PerLane) return coord.value;
  Value first = splat(coord.value);
  return coord.kind == Coord::Uniform ? first : arith::AddIOp::create(b_, first, step_vector()).getResult();
}

Emitter::Value Emitter::and_values(Value a, Value b) { return arith::AndIOp::create(b_, a, b); }

Emitter::Value Emitter::gep(Value base, Value offset, mlir::Type element) {
  return LLVM::GEPOp::create(b_, base.getType(), element, base, llvm::ArrayRef<LLVM::GEPArg>{offset});
}

Emitter::Value Emitter::lane_offsets_address(Value base, Value offsets, mlir::Type element) {
  const mlir::Type pointers = mlir::VectorType::get({lanes_}, base.getType());
  return LLVM::GEPOp::create(b_, pointers, element, base, llvm::ArrayRef<LLVM::GEPArg>{offsets});
}

Emitter::Value Emitter::load_vector(Value address, mlir::Type element, Value mask, Value pass_through) {
  const mlir::Type type = with_lanes(element);
  if (!mask) return LLVM::LoadOp::create(b_, type, address, size_in_bytes(element));
  return LLVM::MaskedLoadOp::create(b_, type, address, mask, pass_through, static_cast<std::uint32_t>(size_in_bytes(element)), /*nontemporal=*/false);
}

void Emitter::remark(mlir::Operation* op, llvm::StringRef text) {
  std::string line = position_text(op->getLoc()) + text.str();
  if (!llvm::is_contained(remarks_, line)) remarks_.push_back(std::move(line));
}

bool Emitter::fail(mlir::Operation* op, const llvm::Twine& message) {
  if (!failed_) op->emitError(message);
  failed_ = true;
  return false;
}

}  // namespace tilewright::cpu
