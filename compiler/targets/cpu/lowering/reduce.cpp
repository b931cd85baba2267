// Reductions and scans. Along the last axis lanes are combined among themselves at the end; along another axis every lane has its own result.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

namespace tilewright::cpu {

namespace arith = mlir::arith;

Emitter::Value Emitter::identity(tile::ReduceKind kind, mlir::Type type) {
  const mlir::Type element = mlir::getElementTypeOrSelf(type);
  const unsigned width = element.getIntOrFloatBitWidth();
  const auto extreme = [&](bool high) {
    const llvm::APInt value = high ? llvm::APInt::getSignedMaxValue(width) : llvm::APInt::getSignedMinValue(width);
    return int_like(type, value.getSExtValue());
  };
  switch (kind) {
    case tile::ReduceKind::Sum: case tile::ReduceKind::Or: case tile::ReduceKind::Xor: return constant_like(type, 0);
    case tile::ReduceKind::MaxU: return int_like(type, 0);
    case tile::ReduceKind::Prod: return constant_like(type, 1);
    case tile::ReduceKind::And: case tile::ReduceKind::MinU: return int_like(type, -1);
    case tile::ReduceKind::MinS: return extreme(true);
    case tile::ReduceKind::MaxS: return extreme(false);
    case tile::ReduceKind::MinF: return constant_like(type, std::numeric_limits<double>::infinity());
    case tile::ReduceKind::MaxF: return constant_like(type, -std::numeric_limits<double>::infinity());
    case tile::ReduceKind::Custom: break;
  }
  return {};
}

llvm::SmallVector<Emitter::Value> Emitter::combine(tile::ReduceKind kind, mlir::Region& region, llvm::ArrayRef<Value> left,
                                                   llvm::ArrayRef<Value> right) {
  Value x = left[0], y = right[0];
  const bool is_float = llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(x.getType()));
  switch (kind) {
    case tile::ReduceKind::Sum:
      if (is_float) return {arith::AddFOp::create(b_, x, y)};
      return {arith::AddIOp::create(b_, x, y)};
    case tile::ReduceKind::Prod:
      if (is_float) return {arith::MulFOp::create(b_, x, y)};
      return {arith::MulIOp::create(b_, x, y)};
    case tile::ReduceKind::MinS: return {arith::MinSIOp::create(b_, x, y)};
    case tile::ReduceKind::MinU: return {arith::MinUIOp::create(b_, x, y)};
    case tile::ReduceKind::MinF: return {arith::MinimumFOp::create(b_, x, y)};
    case tile::ReduceKind::MaxS: return {arith::MaxSIOp::create(b_, x, y)};
    case tile::ReduceKind::MaxU: return {arith::MaxUIOp::create(b_, x, y)};
    case tile::ReduceKind::MaxF: return {arith::MaximumFOp::create(b_, x, y)};
    case tile::ReduceKind::And: return {arith::AndIOp::create(b_, x, y)};
    case tile::ReduceKind::Or: return {arith::OrIOp::create(b_, x, y)};
    case tile::ReduceKind::Xor: return {arith::XOrIOp::create(b_, x, y)};
    case tile::ReduceKind::Custom: break;
  }

  const bool vector = llvm::isa<mlir::VectorType>(x.getType());
  mlir::Block& block = region.front();
  llvm::DenseMap<Value, Lanes> values;
  for (auto [i, argument] : llvm::enumerate(block.getArguments()))
    values[argument] = {i < left.size() ? left[i] : right[i - left.size()], !vector};
  const auto value_of = [&](Value value) {
    const auto found = values.find(value);
    return found != values.end() ? found->second : Lanes{scalar(value), true};
  };
  llvm::SmallVector<Value> results;
  for (mlir::Operation& op : block) {
    if (llvm::isa<arith::ConstantOp>(op)) continue;
    if (llvm::isa<tile::YieldOp>(op)) {
      for (Value yielded : op.getOperands()) {
        const Lanes lanes = value_of(yielded);
        results.push_back(vector ? as_vector(lanes) : lanes.value);
      }
      continue;
    }
    if (op.getNumRegions() != 0 || op.getNumResults() != 1) {
      fail(&op, "control flow inside a combiner is not supported on the CPU: use select");
      return llvm::SmallVector<Value>(left);
    }
    llvm::SmallVector<Lanes> operands;
    for (Value operand : op.getOperands()) operands.push_back(value_of(operand));
    values[op.getResult(0)] = elementwise(&op, operands);
  }
  return results;
}

// Halves the vectors until one lane is left.
llvm::SmallVector<Emitter::Value> Emitter::combine_lanes(tile::ReduceKind kind, mlir::Region& region, llvm::SmallVector<Value> values) {
  const int whole = lanes_;
  while (lanes_ > 1) {
    const int half = lanes_ / 2;
    llvm::SmallVector<Value> low, high;
    for (Value value : values) {
      low.push_back(mlir::vector::ExtractStridedSliceOp::create(b_, value, llvm::ArrayRef<std::int64_t>{0}, llvm::ArrayRef<std::int64_t>{half},
                                                                llvm::ArrayRef<std::int64_t>{1}));
      high.push_back(mlir::vector::ExtractStridedSliceOp::create(b_, value, llvm::ArrayRef<std::int64_t>{half}, llvm::ArrayRef<std::int64_t>{half},
                                                                 llvm::ArrayRef<std::int64_t>{1}));
    }
    lanes_ = half;
    values = combine(kind, region, low, high);
  }
  lanes_ = whole;
  for (Value& value : values) value = first_lane(value);
  return values;
}

Emitter::Value Emitter::first_lane(Value vector) {
  if (!llvm::isa<mlir::VectorType>(vector.getType())) return vector;
  return mlir::vector::ExtractOp::create(b_, vector, llvm::ArrayRef<std::int64_t>{0});
}

// Scalar results leave the nest through scratch: the nest may be emitted in two versions.
llvm::SmallVector<Buffer*> Emitter::open_results(mlir::ResultRange results) {
  llvm::SmallVector<Buffer*> buffers;
  for (Value result : results) {
    if (!tile_type(result)) buffers.push_back(arena_.create({}, scratch_type(result.getType())));
    else buffers.push_back(result_buffer(result));
  }
  return buffers;
}

void Emitter::close_results(mlir::ResultRange results, llvm::ArrayRef<Buffer*> buffers) {
  for (auto [result, buffer] : llvm::zip(results, buffers)) {
    if (!tile_type(result)) scalars_[result] = read_buffer(buffer, result.getType(), {}).value;
  }
}

void Emitter::emit_reduce(tile::ReduceOp op) {
  const llvm::ArrayRef<std::int64_t> shape = tile_type(op.getInputs()[0]).getShape();
  const std::int64_t axis = op.getAxis(), extent = shape[axis];
  const tile::ReduceKind kind = op.getKind();
  const bool custom = kind == tile::ReduceKind::Custom;
  const bool along_lanes = axis == last_extended_axis(shape) && (!custom || extent % lanes_ == 0);
  const bool by_element = axis == last_extended_axis(shape) && !along_lanes;
  if (by_element) remark(op, "reduction runs element by element: the extent of its axis, the last, is no multiple of the vector's for a combiner of the author");
  const llvm::SmallVector<Buffer*> out = open_results(op.getResults());

  const auto values_at = [&](const Coords& at, bool vector) {
    llvm::SmallVector<Value> values;
    for (Value input : op.getInputs()) {
      const Lanes lanes = evaluate(input, at);
      values.push_back(vector ? as_vector(lanes) : lanes.value);
    }
    return values;
  };
  const auto write = [&](const Coords& at, llvm::ArrayRef<Value> values, bool uniform) {
    for (auto [i, result] : llvm::enumerate(op.getResults()))
      write_buffer(out[i], mlir::getElementTypeOrSelf(result.getType()), at, {values[i], uniform});
  };

  const auto lanes_of_row = [&](Coords at) {
    const auto vector_at = [&](Value start) {
      at[axis] = {Coord::Consecutive, start};
      return values_at(at, true);
    };
    constexpr std::int64_t kChains = 4;  // independent sums hide the latency of an addition
    const std::int64_t whole = extent / lanes_, chains = std::min(kChains, whole), rest = extent % lanes_;
    llvm::SmallVector<llvm::SmallVector<Value>> chain;
    for (std::int64_t c = 0; c < chains; ++c) chain.push_back(vector_at(i64(c * lanes_)));
    if (chains > 0) {
      llvm::SmallVector<Value> carried;
      for (auto& values : chain) carried.append(values.begin(), values.end());
      const std::size_t n = op.getInputs().size();
      carried = loop_carrying(chains * lanes_, whole / chains * chains * lanes_, chains * lanes_, carried, [&](Value start, mlir::ValueRange sums) {
        llvm::SmallVector<Value> next;
        for (std::int64_t c = 0; c < chains; ++c) {
          const llvm::SmallVector<Value> left(sums.slice(c * n, n));
          next.append(combine(kind, op.getCombiner(), left, vector_at(arith::AddIOp::create(b_, start, i64(c * lanes_)))));
        }
        return next;
      });
      for (std::int64_t c = 0; c < chains; ++c) chain[c].assign(carried.begin() + c * n, carried.begin() + (c + 1) * n);
      for (std::int64_t v = whole / chains * chains; v < whole; ++v) chain[0] = combine(kind, op.getCombiner(), chain[0], vector_at(i64(v * lanes_)));
    }
    if (rest != 0) {
      valid_lanes_ = rest;
      llvm::SmallVector<Value> last = vector_at(i64(whole * lanes_));
      last[0] = arith::SelectOp::create(b_, valid_mask(), last[0], identity(kind, last[0].getType()));
      valid_lanes_ = lanes_;
      chain.push_back(last);
    }
    while (chain.size() > 1) {
      const llvm::SmallVector<Value> last = chain.pop_back_val();
      chain[(chain.size() - 1) / 2] = combine(kind, op.getCombiner(), chain[(chain.size() - 1) / 2], last);
    }
    write(without(at, axis), combine_lanes(kind, op.getCombiner(), chain[0]), true);
  };
  const auto lane_by_lane = [&](Coords at) {
    const bool vector = varies(at);
    const auto values_along = [&](Value i) {
      at[axis] = {Coord::Uniform, i};
      return values_at(at, vector);
    };
    const auto results = loop_carrying(1, extent, 1, values_along(i64(0)), [&](Value i, mlir::ValueRange sums) {
      return combine(kind, op.getCombiner(), llvm::SmallVector<Value>(sums), values_along(i));
    });
    write(without(at, axis), results, !vector);
  };
  versioned(llvm::SmallVector<Value>(op.getInputs()), nullptr, [&] {
    if (along_lanes) for_each_scalar(shape, {axis}, lanes_of_row);
    else if (by_element) for_each_scalar(shape, {axis}, lane_by_lane);
    else for_each_but(shape, axis, lane_by_lane);
  });
  close_results(op.getResults(), out);
}

void Emitter::emit_scan(tile::ScanOp op) {
  const llvm::ArrayRef<std::int64_t> shape = tile_type(op.getInputs()[0]).getShape();
  const std::int64_t axis = op.getAxis(), extent = shape[axis];
  const bool by_element = axis == last_extended_axis(shape) && extent > 1;
  if (by_element) remark(op, "scan runs element by element: it goes along the last axis");
  const llvm::SmallVector<Buffer*> out = open_results(op.getResults());

  const auto line = [&](Coords at) {
    const bool vector = varies(at);
    const auto values_along = [&](Value i) {
      if (op.getReverse()) i = arith::SubIOp::create(b_, i64(extent - 1), i);
      at[axis] = {Coord::Uniform, i};
      llvm::SmallVector<Value> values;
      for (Value input : op.getInputs()) {
        const Lanes lanes = evaluate(input, at);
        values.push_back(vector ? as_vector(lanes) : lanes.value);
      }
      return values;
    };
    const auto write = [&](llvm::ArrayRef<Value> values) {
      for (auto [i, result] : llvm::enumerate(op.getResults())) write_buffer(out[i], tile_type(result).getElementType(), at, {values[i], !vector});
    };
    const llvm::SmallVector<Value> first = values_along(i64(0));
    write(first);
    loop_carrying(1, extent, 1, first, [&](Value i, mlir::ValueRange sums) {
      const auto next = combine(op.getKind(), op.getCombiner(), llvm::SmallVector<Value>(sums), values_along(i));
      write(next);
      return next;
    });
  };
  versioned(llvm::SmallVector<Value>(op.getInputs()), nullptr, [&] {
    if (by_element) for_each_scalar(shape, {axis}, line);
    else for_each_but(shape, axis, line);
  });
}

}  // namespace tilewright::cpu
