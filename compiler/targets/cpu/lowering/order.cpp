// Operations on the order of elements: argmax, argmin, top-k and sort. The order is total: by value, then the lower index first; NaN ranks last.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

namespace tilewright::cpu {

namespace arith = mlir::arith;

Emitter::Value Emitter::ranks_before(Value x, Value y, bool largest, bool is_unsigned) {
  if (llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x.getType()))) {
    Value better = arith::CmpFOp::create(b_, largest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, x, y);
    Value only_y_nan = and_values(arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, y, y), arith::CmpFOp::create(b_, arith::CmpFPredicate::ORD, x, x));
    return arith::OrIOp::create(b_, better, only_y_nan);
  }
  const bool as_unsigned = is_unsigned || mlir::getElementTypeOrSelf(x.getType()).isInteger(1);
  const auto greater = as_unsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt;
  const auto less = as_unsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
  return arith::CmpIOp::create(b_, largest ? greater : less, x, y);
}

void Emitter::emit_arg_extreme(Value result, Value input, std::int64_t axis, bool largest, bool is_unsigned) {
  const llvm::ArrayRef<std::int64_t> shape = tile_type(input).getShape();
  const auto results = mlir::cast<mlir::OpResult>(result).getOwner()->getResults();
  const llvm::SmallVector<Buffer*> out = open_results(results);
  const auto line = [&](Coords at) {
    const bool vector = varies(at);
    const auto value_at = [&](Value i) {
      at[axis] = {Coord::Uniform, i};
      const Lanes lanes = evaluate(input, at);
      return vector ? as_vector(lanes) : lanes.value;
    };
    const mlir::Type index_type = vector ? with_lanes(b_.getI32Type()) : b_.getI32Type();
    const auto best = loop_carrying(1, shape[axis], 1, {value_at(i64(0)), int_like(index_type, 0)}, [&](Value i, mlir::ValueRange state) {
      Value x = value_at(i), index = arith::TruncIOp::create(b_, b_.getI32Type(), i);
      Value better = ranks_before(x, state[0], largest, is_unsigned);
      if (vector) index = splat(index);
      return llvm::SmallVector<Value>{arith::SelectOp::create(b_, better, x, state[0]), arith::SelectOp::create(b_, better, index, state[1])};
    });
    write_buffer(out[0], b_.getI32Type(), without(at, axis), {best[1], !vector});
  };
  if (axis == last_extended_axis(shape)) {
    remark(mlir::cast<mlir::OpResult>(result).getOwner(), "search runs element by element: it goes along the last axis");
    for_each_scalar(shape, {axis}, line);
  } else {
    for_each_but(shape, axis, line);
  }
  close_results(results, out);
}

// Elements of at most 32 bits become i32 keys whose signed order, greatest first, is the order asked for.
Emitter::Value Emitter::sort_key(Value x, bool largest, bool is_unsigned) {
  const auto like = [&](mlir::Type element) -> mlir::Type {
    if (auto vector = llvm::dyn_cast<mlir::VectorType>(x.getType())) return vector.clone(element);
    return element;
  };
  const mlir::Type i32_type = like(b_.getI32Type());
  Value key;
  if (llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x.getType()))) {
    Value positive_zero = arith::AddFOp::create(b_, x, constant_like(x.getType(), 0.0));
    Value bits = arith::BitcastOp::create(b_, i32_type, positive_zero);
    Value flip = and_values(arith::ShRSIOp::create(b_, bits, int_like(i32_type, 31)), int_like(i32_type, 0x7fffffff));
    key = arith::XOrIOp::create(b_, bits, flip);
  } else {
    const unsigned width = mlir::getElementTypeOrSelf(x.getType()).getIntOrFloatBitWidth();
    if (width == 32) key = is_unsigned ? arith::XOrIOp::create(b_, x, int_like(i32_type, std::numeric_limits<std::int32_t>::min())).getResult() : x;
    else if (is_unsigned || width == 1) key = arith::ExtUIOp::create(b_, i32_type, x);
    else key = arith::ExtSIOp::create(b_, i32_type, x);
  }
  if (!largest) key = arith::XOrIOp::create(b_, key, int_like(i32_type, -1));
  if (llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x.getType()))) {
    Value nan = arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, x, x);
    key = arith::SelectOp::create(b_, nan, int_like(i32_type, std::numeric_limits<std::int32_t>::min()), key);
  }
  return key;
}

// Keys and indices are packed into one i64, key above the complement of the index, so that the order is that of integers and no two are equal. Each
// pass finds the greatest one below the last found.
void Emitter::topk_narrow(tile::TopKOp op, Coords at, Buffer* values, Buffer* indices, Buffer* keys) {
  const std::int64_t axis = op.getAxis(), extent = tile_type(op.getInput()).getDimSize(axis);
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  const mlir::Type i64_type = b_.getI64Type();

  lane_loop(extent, [&](Coord coord) {
    at[axis] = coord;
    Value key = arith::ExtSIOp::create(b_, with_lanes(i64_type), sort_key(as_vector(evaluate(op.getInput(), at)), op.getDescending(), op.getIsUnsigned()));
    Value position = arith::SubIOp::create(b_, splat(i64(0xfffffffe)), lane_positions(coord));
    Value packed = arith::OrIOp::create(b_, arith::ShLIOp::create(b_, key, splat(i64(32))), position);
    if (Value valid = valid_mask()) packed = arith::SelectOp::create(b_, valid, packed, splat(i64(kLowest)));
    write_buffer(keys, i64_type, {coord}, {packed, false});
  });
  loop_carrying(0, op.getK(), 1, {i64(std::numeric_limits<std::int64_t>::max())}, [&](Value j, mlir::ValueRange state) {
    Value bound = splat(state[0]);
    const std::int64_t padded = (extent + lanes_ - 1) / lanes_ * lanes_;
    const auto best = loop_carrying(0, padded, lanes_, {splat(i64(kLowest))}, [&](Value start, mlir::ValueRange greatest) {
      Value packed = as_vector(read_buffer(keys, i64_type, {{Coord::Consecutive, start}}));
      Value below = arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, packed, bound);
      packed = arith::SelectOp::create(b_, below, packed, splat(i64(kLowest)));
      return llvm::SmallVector<Value>{arith::MaxSIOp::create(b_, greatest[0], packed)};
    });
    Value found = mlir::vector::ReductionOp::create(b_, mlir::vector::CombiningKind::MAXSI, best[0]);
    Value low = arith::TruncIOp::create(b_, b_.getI32Type(), found);
    Value index = arith::SubIOp::create(b_, arith::XOrIOp::create(b_, low, i32(-1)), i32(1));
    Coords target(at);
    target[axis] = {Coord::Uniform, j};
    write_buffer(indices, b_.getI32Type(), target, {index, true});
    Coords source(at);
    source[axis] = {Coord::Uniform, arith::ExtUIOp::create(b_, i64_type, index)};
    write_buffer(values, tile_type(op.getInput()).getElementType(), target, evaluate(op.getInput(), source));
    return llvm::SmallVector<Value>{found};
  });
}

// 64-bit elements: each pass finds the first of those that rank after the last found.
void Emitter::topk_wide(tile::TopKOp op, Coords at, Buffer* values, Buffer* indices) {
  const std::int64_t axis = op.getAxis(), extent = tile_type(op.getInput()).getDimSize(axis);
  const bool largest = op.getDescending(), is_unsigned = op.getIsUnsigned();
  const auto before = [&](Value x, Value x_index, Value y, Value y_index) -> Value {
    Value tie = and_values(arith::XOrIOp::create(b_, ranks_before(y, x, largest, is_unsigned), int_like(b_.getI1Type(), 1)),
                           arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, x_index, y_index));
    return arith::OrIOp::create(b_, ranks_before(x, y, largest, is_unsigned), tie);
  };
  const auto value_at = [&](Value i) {
    at[axis] = {Coord::Uniform, i};
    return evaluate(op.getInput(), at).value;
  };
  loop_carrying(0, op.getK(), 1, {value_at(i64(0)), i64(-1)}, [&](Value j, mlir::ValueRange last) {
    Value first_pass = arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, last[1], i64(0));
    const auto best = loop_carrying(0, extent, 1, {last[0], i64(-1)}, [&](Value i, mlir::ValueRange state) {
      Value x = value_at(i);
      Value after_last = arith::OrIOp::create(b_, first_pass, before(last[0], last[1], x, i));
      Value none = arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, state[1], i64(0));
      Value take = and_values(after_last, arith::OrIOp::create(b_, none, before(x, i, state[0], state[1])));
      return llvm::SmallVector<Value>{arith::SelectOp::create(b_, take, x, state[0]), arith::SelectOp::create(b_, take, i, state[1])};
    });
    at[axis] = {Coord::Uniform, j};
    write_buffer(values, tile_type(op.getInput()).getElementType(), at, {best[0], true});
    write_buffer(indices, b_.getI32Type(), at, {arith::TruncIOp::create(b_, b_.getI32Type(), best[1]), true});
    return best;
  });
}

void Emitter::emit_topk(tile::TopKOp op) {
  const auto type = tile_type(op.getInput());
  Buffer* values = result_buffer(op.getValues());
  Buffer* indices = result_buffer(op.getIndices());
  const bool narrow = type.getElementTypeBitWidth() <= 32;
  if (!narrow) remark(op, "top-k runs element by element: its elements are wider than 32 bits");
  Buffer* keys = narrow ? arena_.create({type.getDimSize(op.getAxis())}, b_.getI64Type()) : nullptr;
  for_each_scalar(type.getShape(), {static_cast<std::int64_t>(op.getAxis())}, [&](Coords at) {
    if (narrow) topk_narrow(op, at, values, indices, keys);
    else topk_wide(op, at, values, indices);
  });
}

}  // namespace tilewright::cpu
