// Tiles into buffers: the general loop nest, and those for concatenation and transposition.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {

namespace arith = mlir::arith;

Buffer* Emitter::result_buffer(Value tile) {
  Buffer*& buffer = buffers_[tile];
  const auto hint = hints_.find(tile);
  if (hint != hints_.end()) {
    buffer = hint->second;
    arena_.touch(buffer);
  } else {
    buffer = arena_.create(tile_type(tile).getShape(), scratch_type(tile_type(tile).getElementType()));
  }
  return buffer;
}

void Emitter::copy_to(Value tile, Buffer* buffer) {
  const mlir::Type element = tile_type(tile).getElementType();
  versioned({tile}, nullptr, [&] {
    for_each(tile_type(tile).getShape(), [&](const Coords& at) { write_buffer(buffer, element, at, evaluate(tile, at)); });
  });
}

// The buffer is bound to the tile only once it is filled: until then evaluating the tile means its definition.
Buffer* Emitter::materialise(Value tile) {
  Buffer* buffer = result_buffer(tile);
  buffers_.erase(tile);
  const mlir::Type element = tile_type(tile).getElementType();
  auto constant = tile.getDefiningOp<arith::ConstantOp>();
  if (constant && !llvm::cast<mlir::DenseElementsAttr>(constant.getValue()).isSplat()) {
    write_elements(llvm::cast<mlir::DenseElementsAttr>(constant.getValue()), buffer);
  } else {
    versioned({tile}, nullptr, [&] {
      for_each(tile_type(tile).getShape(), [&](const Coords& at) { write_buffer(buffer, element, at, evaluate_definition(tile, at)); });
    });
  }
  buffers_[tile] = buffer;
  return buffer;
}

void Emitter::write_elements(mlir::DenseElementsAttr elements, Buffer* buffer) {
  const auto type = llvm::cast<mlir::RankedTensorType>(elements.getType());
  const mlir::Type held = register_type(type.getElementType());
  llvm::SmallVector<std::int64_t> position(type.getRank(), 0);
  for (mlir::Attribute attribute : elements.getValues<mlir::Attribute>()) {
    Coords at;
    for (std::int64_t i : position) at.push_back({Coord::Uniform, i64(i)});
    Value value = llvm::isa<mlir::FloatAttr>(attribute) ? constant_like(held, llvm::cast<mlir::FloatAttr>(attribute).getValueAsDouble())
                                                        : int_like(held, llvm::cast<mlir::IntegerAttr>(attribute).getValue().getSExtValue());
    write_buffer(buffer, type.getElementType(), at, {value, true});
    for (std::int64_t d = type.getRank() - 1; d >= 0 && ++position[d] == type.getDimSize(d); --d) position[d] = 0;
  }
}

void Emitter::emit_concat(tile::ConcatOp op) {
  Buffer* buffer = result_buffer(op.getResult());
  const mlir::Type element = tile_type(op.getResult()).getElementType();
  std::int64_t start = 0;
  for (Value input : op.getInputs()) {
    const llvm::ArrayRef<std::int64_t> shape = tile_type(input).getShape();
    versioned({input}, nullptr, [&] {
      for_each(shape, [&](const Coords& at) {
        const Lanes value = evaluate(input, at);
        Coords target(at);
        Coord& coord = target[op.getAxis()];
        coord.value = arith::AddIOp::create(b_, coord.value, i64(start));
        write_buffer(buffer, element, target, value, /*keep_neighbours=*/true);
      });
    });
    start += shape[op.getAxis()];
  }
}

// Square blocks of lanes x lanes elements are read by rows, transposed in registers, and written by rows.
void Emitter::emit_transpose(tile::TransposeOp op) {
  const auto type = tile_type(op.getResult());
  const llvm::ArrayRef<std::int64_t> shape = type.getShape(), permutation = op.getPermutation();
  const llvm::ArrayRef<std::int64_t> source_shape = tile_type(op.getInput()).getShape();
  const std::int64_t lane_axis = last_extended_axis(shape), source_lane_axis = last_extended_axis(source_shape);
  if (lane_axis < 0 || permutation[lane_axis] == source_lane_axis) {
    materialise(op.getResult());
    return;
  }
  const std::int64_t row_axis = std::distance(permutation.begin(), llvm::find(permutation, source_lane_axis));  // of the result
  Buffer* buffer = result_buffer(op.getResult());
  const mlir::Type element = type.getElementType();

  // One block: `rows` of the source (positions along the result's lane axis) by one vector of its lane axis.
  const auto block = [&](Coords at, Value row_start, std::int64_t row_count, Value lane_start, std::int64_t lane_count) {
    llvm::SmallVector<Value> rows;
    for (int r = 0; r < lanes_; ++r) {
      if (r >= row_count) {
        rows.push_back(rows.back());
        continue;
      }
      at[lane_axis] = {Coord::Uniform, arith::AddIOp::create(b_, row_start, i64(r))};
      at[row_axis] = {Coord::Consecutive, lane_start};
      Coords source(at.size());
      for (auto [i, axis] : llvm::enumerate(permutation)) source[axis] = at[i];
      valid_lanes_ = lane_count;
      rows.push_back(as_vector(evaluate(op.getInput(), source)));
      valid_lanes_ = lanes_;
    }
    transpose_lanes(rows);
    for (int c = 0; c < lane_count; ++c) {
      at[row_axis] = {Coord::Uniform, arith::AddIOp::create(b_, lane_start, i64(c))};
      at[lane_axis] = {Coord::Consecutive, row_start};
      write_buffer(buffer, element, at, {rows[c], false});
    }
  };
  const auto blocks = [&](std::int64_t extent, llvm::function_ref<void(Value, std::int64_t)> body) {
    const std::int64_t whole = extent / lanes_ * lanes_;
    loop(0, whole, lanes_, [&](Value start) { body(start, lanes_); });
    if (whole < extent) body(i64(whole), extent - whole);
  };
  versioned({op.getInput()}, nullptr, [&] {
    for_each_scalar(shape, {lane_axis, row_axis}, [&](Coords at) {
      blocks(shape[lane_axis], [&](Value row_start, std::int64_t rows) {
        blocks(shape[row_axis], [&](Value lane_start, std::int64_t count) { block(at, row_start, rows, lane_start, count); });
      });
    });
  });
}

// A butterfly: after the step of width w, blocks of w x w elements within blocks of 2w x 2w are transposed.
void Emitter::transpose_lanes(llvm::SmallVectorImpl<Value>& rows) {
  for (int width = 1; width < lanes_; width *= 2) {
    llvm::SmallVector<std::int64_t> low(lanes_), high(lanes_);
    for (int i = 0; i < lanes_; ++i) {
      const bool upper = (i & width) != 0;
      low[i] = upper ? lanes_ + i - width : i;
      high[i] = upper ? lanes_ + i : i + width;
    }
    for (int r = 0; r < lanes_; ++r) {
      if (r & width) continue;
      Value a = rows[r], c = rows[r + width];
      rows[r] = mlir::vector::ShuffleOp::create(b_, a, c, low);
      rows[r + width] = mlir::vector::ShuffleOp::create(b_, a, c, high);
    }
  }
}

}  // namespace tilewright::cpu
