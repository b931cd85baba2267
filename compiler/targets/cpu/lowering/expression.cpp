// Evaluating tiles at coordinates.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

Emitter::Value Emitter::scalar(Value source) {
  const auto found = scalars_.find(source);
  if (found != scalars_.end()) return found->second;
  mlir::Operation* op = source.getDefiningOp();
  auto constant = llvm::dyn_cast_or_null<arith::ConstantOp>(op);
  if (!constant) {
    fail(op ? op : source_.getOperation(), "scalar used before it is computed");
    return i64(0);
  }
  // Constants are made where they are used: the canonicaliser merges them.
  const mlir::Type type = register_type(source.getType());
  if (auto real = llvm::dyn_cast<mlir::FloatAttr>(constant.getValue())) return constant_like(type, real.getValueAsDouble());
  return int_like(type, llvm::cast<mlir::IntegerAttr>(constant.getValue()).getValue().getSExtValue());
}

Lanes Emitter::evaluate(Value tile, const Coords& at) {
  if (!tile_type(tile)) return {scalar(tile), true};
  const auto buffer = buffers_.find(tile);
  if (buffer != buffers_.end()) return read_buffer(buffer->second, tile_type(tile).getElementType(), at);
  return evaluate_definition(tile, at);
}

Lanes Emitter::evaluate_definition(Value tile, const Coords& at) {
  mlir::Operation* op = tile.getDefiningOp();
  if (!op) {
    fail(source_, "tile argument without a buffer");
    return {i64(0), true};
  }
  const mlir::Type element = register_type(tile_type(tile).getElementType());

  if (auto constant = llvm::dyn_cast<arith::ConstantOp>(op)) {
    auto dense = llvm::cast<mlir::DenseElementsAttr>(constant.getValue());
    if (llvm::isa<mlir::FloatType>(element)) {
      llvm::APFloat value = dense.getSplatValue<llvm::APFloat>();
      bool loses = false;
      value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &loses);
      return {constant_like(element, value.convertToDouble()), true};
    }
    return {int_like(element, dense.getSplatValue<llvm::APInt>().getSExtValue()), true};
  }
  if (auto splat_op = llvm::dyn_cast<tile::SplatOp>(op)) return {scalar(splat_op.getInput()), true};
  if (auto arange = llvm::dyn_cast<tile::ArangeOp>(op)) {
    const Coord& coord = at[0];
    Value position = coord.kind == Coord::Uniform ? coord.value : lane_positions(coord);
    const mlir::Type type = coord.kind == Coord::Uniform ? element : with_lanes(element);
    if (arange.getStart() != 0) position = arith::AddIOp::create(b_, position, int_like(position.getType(), arange.getStart()));
    if (position.getType() != type) position = arith::TruncIOp::create(b_, type, position);
    return {position, coord.kind == Coord::Uniform};
  }
  if (auto broadcast = llvm::dyn_cast<tile::BroadcastOp>(op)) {
    Coords inner(at);
    for (auto [d, extent] : llvm::enumerate(tile_type(broadcast.getInput()).getShape())) {
      if (extent == 1) inner[d] = {Coord::Uniform, i64(0)};
    }
    return evaluate(broadcast.getInput(), inner);
  }
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
    Coords inner(at.size());
    for (auto [i, axis] : llvm::enumerate(transpose.getPermutation())) inner[axis] = at[i];
    return evaluate(transpose.getInput(), inner);
  }
  if (auto slice = llvm::dyn_cast<tile::SliceOp>(op)) {
    Coords inner(at);
    Coord& coord = inner[slice.getAxis()];
    if (slice.getStart() != 0) coord.value = arith::AddIOp::create(b_, coord.value, int_like(coord.value.getType(), slice.getStart()));
    return evaluate(slice.getInput(), inner);
  }
  if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(op)) return evaluate_reshape(reshape, at);
  if (auto take = llvm::dyn_cast<tile::TakeOp>(op)) return evaluate_take(take, at);
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) return evaluate_load(load, at);
  if (is_elementwise(op)) {
    llvm::SmallVector<Lanes> operands;
    for (Value operand : op->getOperands()) operands.push_back(evaluate(operand, at));
    return elementwise(op, operands);
  }
  fail(op, "has no expression on the CPU");
  return {constant_like(element, 0), true};
}

Lanes Emitter::elementwise(mlir::Operation* op, llvm::ArrayRef<Lanes> operands) {
  const bool uniform = llvm::all_of(operands, [](const Lanes& lanes) { return lanes.uniform; });
  llvm::SmallVector<Value> values;
  for (const Lanes& operand : operands) values.push_back(uniform ? operand.value : as_vector(operand));
  const mlir::Type element = register_type(mlir::getElementTypeOrSelf(op->getResult(0).getType()));
  const mlir::Type result = uniform ? element : with_lanes(element);
  if (Value converted = convert(op, values, result)) return {converted, uniform};

  mlir::OperationState state(b_.getLoc(), op->getName());
  state.addOperands(values);
  state.addTypes(result);
  state.addAttributes(op->getAttrs());
  return {b_.create(state)->getResult(0), uniform};
}

Lanes Emitter::evaluate_reshape(tile::ReshapeOp op, const Coords& at) {
  const llvm::ArrayRef<std::int64_t> from = tile_type(op.getInput()).getShape(), to = tile_type(op.getResult()).getShape();
  Coords inner(from.size(), Coord{Coord::Uniform, i64(0)});

  llvm::SmallVector<std::size_t> from_axes, to_axes;
  for (std::size_t d = 0; d < from.size(); ++d) if (from[d] != 1) from_axes.push_back(d);
  for (std::size_t d = 0; d < to.size(); ++d) if (to[d] != 1) to_axes.push_back(d);
  const bool renames = from_axes.size() == to_axes.size() &&
                       llvm::all_of(llvm::zip(from_axes, to_axes), [&](auto axes) { return from[std::get<0>(axes)] == to[std::get<1>(axes)]; });
  if (renames) {
    for (auto [source, result] : llvm::zip(from_axes, to_axes)) inner[source] = at[result];
    return evaluate(op.getInput(), inner);
  }

  // Through the row-major position. Lanes stay consecutive when no vector of the result crosses a row of the operand.
  const std::int64_t last_from = from_axes.empty() ? 1 : from[from_axes.back()], last_to = to_axes.empty() ? 1 : to[to_axes.back()];
  const bool rows_match = last_from == last_to || (last_from % lanes_ == 0 && last_to % lanes_ == 0);
  const bool in_lanes = varies(at);
  const bool per_lane = in_lanes && !(rows_match && llvm::none_of(at, [](const Coord& c) { return c.kind == Coord::PerLane; }));

  Value position = per_lane ? splat(i64(0)) : i64(0);
  std::int64_t stride = 1;
  for (std::size_t d = to.size(); d-- > 0;) {
    if (to[d] == 1) continue;
    Value coord = !per_lane ? at[d].value : at[d].kind == Coord::Uniform ? splat(at[d].value) : lane_positions(at[d]);
    position = arith::AddIOp::create(b_, position, arith::MulIOp::create(b_, coord, int_like(coord.getType(), stride)));
    stride *= to[d];
  }
  for (std::size_t i = from_axes.size(); i-- > 0;) {
    const std::int64_t extent = from[from_axes[i]];
    Value coord = position;
    if (i != 0) {
      Value size = int_like(position.getType(), extent);
      coord = arith::RemUIOp::create(b_, position, size);
      position = arith::DivUIOp::create(b_, position, size);
    }
    const bool lane_axis = i + 1 == from_axes.size() && in_lanes;
    inner[from_axes[i]] = {per_lane ? Coord::PerLane : lane_axis ? Coord::Consecutive : Coord::Uniform, coord};
  }
  return evaluate(op.getInput(), inner);
}

Lanes Emitter::evaluate_take(tile::TakeOp op, const Coords& at) {
  const Lanes index = evaluate(op.getIndex(), at);
  const mlir::Type i64_type = b_.getI64Type();
  Value position = index.value;
  if (mlir::getElementTypeOrSelf(position.getType()) != i64_type)
    position = arith::ExtSIOp::create(b_, index.uniform ? i64_type : with_lanes(i64_type), position);
  const std::int64_t extent = tile_type(op.getInput()).getDimSize(op.getAxis());
  position = arith::MaxSIOp::create(b_, position, int_like(position.getType(), 0));
  position = arith::MinSIOp::create(b_, position, int_like(position.getType(), extent - 1));
  Coords inner(at);
  inner[op.getAxis()] = {index.uniform ? Coord::Uniform : Coord::PerLane, position};
  return evaluate(op.getInput(), inner);
}

Emitter::Value Emitter::buffer_address(Buffer* buffer) {
  return gep(scratch_, arena_.offset_of(b_, buffer), b_.getI8Type());
}

// Whether the address changes from lane to lane, and by one element each.
static void splits(const Buffer& buffer, const Coords& at, bool& in_lanes, bool& consecutive) {
  in_lanes = consecutive = false;
  for (std::size_t d = 0; d < at.size(); ++d) {
    if (buffer.strides[d] == 0 || at[d].kind == Coord::Uniform) continue;
    consecutive = !in_lanes && at[d].kind == Coord::Consecutive && buffer.strides[d] == 1;
    in_lanes = true;
  }
}

Emitter::BufferAddress Emitter::address_in(Buffer* buffer, const Coords& at, bool consecutive) {
  Value uniform_part = i64(0), lane_part;
  for (std::size_t d = 0; d < at.size(); ++d) {
    if (buffer->strides[d] == 0) continue;
    const bool by_lane = at[d].kind != Coord::Uniform && !consecutive;
    Value coord = by_lane ? lane_positions(at[d]) : at[d].value;
    if (buffer->strides[d] != 1) coord = arith::MulIOp::create(b_, coord, int_like(coord.getType(), buffer->strides[d]));
    Value& part = by_lane ? lane_part : uniform_part;
    part = part ? arith::AddIOp::create(b_, part, coord).getResult() : coord;
  }
  return {gep(buffer_address(buffer), uniform_part, buffer->element), lane_part};
}

Lanes Emitter::read_buffer(Buffer* buffer, mlir::Type element, const Coords& at) {
  bool in_lanes, consecutive;
  splits(*buffer, at, in_lanes, consecutive);
  const mlir::Type held = buffer->element;
  const BufferAddress address = address_in(buffer, at, consecutive);
  Value value;
  if (!in_lanes) {
    value = LLVM::LoadOp::create(b_, held, address.base, size_in_bytes(held));
  } else if (consecutive) {
    value = load_vector(address.base, held, {}, {});
  } else {
    Value pointers = lane_offsets_address(address.base, address.offsets, held);
    Value mask = valid_mask();
    if (!mask) mask = splat(int_like(b_.getI1Type(), 1));
    value = LLVM::masked_gather::create(b_, with_lanes(held), pointers, mask, mlir::ValueRange{splat(constant_like(held, 0))},
                                        static_cast<unsigned>(size_in_bytes(held)));
  }
  if (element.isInteger(1)) value = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, value, int_like(value.getType(), 0));
  return {value, !in_lanes};
}

void Emitter::write_buffer(Buffer* buffer, mlir::Type element, const Coords& at, Lanes lanes, bool keep_neighbours) {
  bool in_lanes, consecutive;
  splits(*buffer, at, in_lanes, consecutive);
  Value value = in_lanes ? as_vector(lanes) : lanes.value;
  const mlir::Type held = buffer->element;
  if (element.isInteger(1)) value = arith::ExtUIOp::create(b_, in_lanes ? with_lanes(held) : held, value);
  const BufferAddress address = address_in(buffer, at, consecutive);
  const auto alignment = size_in_bytes(held);
  Value mask = in_lanes && (keep_neighbours || !consecutive) ? valid_mask() : Value();
  if (in_lanes && !consecutive) {
    if (!mask) mask = splat(int_like(b_.getI1Type(), 1));
    LLVM::masked_scatter::create(b_, value, lane_offsets_address(address.base, address.offsets, held), store_mask(mask, held), alignment);
  } else if (mask) {
    LLVM::MaskedStoreOp::create(b_, value, address.base, store_mask(mask, held), alignment);
  } else {
    LLVM::StoreOp::create(b_, value, address.base, alignment);
  }
}

}  // namespace tilewright::cpu
