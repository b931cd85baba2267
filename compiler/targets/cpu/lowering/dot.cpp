// Matrix products: blocks of the accumulator live in registers while the loop over the contracted axis runs.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <utility>

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

namespace {

struct BlockShape {
  std::int64_t rows, vectors;
};

// As many accumulators as the registers hold beside a row of b and one element of a; fewer, but enough to cover the latency of their updates, if that divides
// the rows: a last block of another height would be slow and one more copy of the code.
BlockShape choose_block(std::int64_t rows, std::int64_t vectors, int registers) {
  constexpr std::int64_t kEnough = 12;
  const std::int64_t wide = vectors % 3 == 0 && registers > 16 ? 3 : std::min<std::int64_t>(vectors, 2);
  const std::int64_t most = std::min<std::int64_t>(rows, (registers - 2 - wide) / wide);
  for (std::int64_t candidate = most; candidate * wide >= std::min(kEnough, most * wide); --candidate) {
    if (rows % candidate == 0) return {candidate, wide};
  }
  return {most, wide};
}

}  // namespace

Emitter::Matrix Emitter::dot_operand(Value tile, Value batch) {
  bool transposed = false;
  if (auto transpose = tile.getDefiningOp<tile::TransposeOp>(); transpose && !buffers_.contains(tile)) {
    transposed = true;
    tile = transpose.getInput();
  }
  Buffer* buffer = buffers_.lookup(tile);
  const std::size_t first = tile_type(tile).getRank() - 2;
  Matrix matrix;
  matrix.element = buffer->element;
  matrix.address = buffer_address(buffer);
  if (batch) matrix.address = gep(matrix.address, arith::MulIOp::create(b_, batch, i64(buffer->strides[0])), matrix.element);
  matrix.row_stride = i64(buffer->strides[first + (transposed ? 1 : 0)]);
  matrix.column_stride = i64(buffer->strides[first + (transposed ? 0 : 1)]);
  return matrix;
}

void Emitter::emit_dot(tile::DotOp op) {
  // Generators (constants, broadcasts) have no buffer yet; the loops below want addresses.
  const auto ensure_buffer = [&](Value operand) {
    if (auto transpose = operand.getDefiningOp<tile::TransposeOp>(); transpose && plan_.is_inline(operand)) operand = transpose.getInput();
    if (buffers_.contains(operand)) return;
    Buffer* buffer = arena_.create(tile_type(operand).getShape(), scratch_type(tile_type(operand).getElementType()));
    copy_to(operand, buffer);
    buffers_[operand] = buffer;
    temporaries_.push_back(operand);
  };
  ensure_buffer(op.getA());
  ensure_buffer(op.getB());

  const auto type = tile_type(op.getResult());
  const std::size_t first = type.getRank() - 2;
  const std::int64_t rows = type.getDimSize(first), columns = type.getDimSize(first + 1);
  const std::int64_t depth = tile_type(op.getA()).getDimSize(first + 1);
  Buffer* out = result_buffer(op.getResult());
  buffers_.erase(op.getResult());

  const int outer_lanes = lanes_;
  const int element_bits = static_cast<int>(type.getElementTypeBitWidth());
  lanes_ = columns == 1 ? 1 : target_.vector_bits / element_bits;
  valid_lanes_ = lanes_;
  const std::int64_t vectors = (columns + lanes_ - 1) / lanes_;
  const BlockShape shape = choose_block(rows, vectors, target_.vector_registers);

  NextTiles next;
  if (next_tiles_.body == op->getBlock()) next = std::exchange(next_tiles_, {});
  const std::int64_t batches = type.getRank() == 3 ? type.getDimSize(0) : 1;
  const std::int64_t row_blocks = (rows + shape.rows - 1) / shape.rows, column_blocks = (vectors + shape.vectors - 1) / shape.vectors;
  const auto prefetch_share = [&](Value batch, Value row, Value column) {
    if (next.tiles.empty()) return;
    Value number = arith::AddIOp::create(b_, arith::MulIOp::create(b_, arith::DivUIOp::create(b_, column, i64(shape.vectors * lanes_)), i64(row_blocks)),
                                         arith::DivUIOp::create(b_, row, i64(shape.rows)));
    if (batch) number = arith::AddIOp::create(b_, number, arith::MulIOp::create(b_, batch, i64(row_blocks * column_blocks)));
    for (const NextTile& tile : next.tiles) prefetch(tile, number, row_blocks * column_blocks * batches);
  };

  const auto blocks = [&](std::int64_t extent, std::int64_t step, llvm::function_ref<void(Value, std::int64_t)> body) {
    const std::int64_t whole = extent / step * step;
    loop(0, whole, step, [&](Value start) { body(start, step); });
    if (whole < extent) body(i64(whole), extent - whole);
  };
  const auto product = [&](Value batch) {
    const Matrix a = dot_operand(op.getA(), batch), b = dot_operand(op.getB(), batch);
    blocks(columns, shape.vectors * lanes_, [&](Value column, std::int64_t column_count) {
      blocks(rows, shape.rows, [&](Value row, std::int64_t row_count) {
        prefetch_share(batch, row, column);
        dot_block({op, a, b, out, batch, row, column, row_count, column_count, depth});
      });
    });
  };
  versioned({op.getAcc()}, nullptr, [&] {
    if (type.getRank() == 3) loop(0, batches, 1, product);
    else product({});
  });
  lanes_ = outer_lanes;
  valid_lanes_ = lanes_;
  for (Value temporary : temporaries_) buffers_.erase(temporary);
  temporaries_.clear();
  buffers_[op.getResult()] = out;
}

void Emitter::dot_block(DotBlock block) {
  const mlir::Type element = tile_type(block.op.getResult()).getElementType();
  const std::int64_t vectors = (block.columns + lanes_ - 1) / lanes_;
  const auto at = [&](std::int64_t r, std::int64_t v) {
    Coords coords;
    if (block.batch) coords.push_back({Coord::Uniform, block.batch});
    coords.push_back({Coord::Uniform, r == 0 ? block.row : arith::AddIOp::create(b_, block.row, i64(r)).getResult()});
    Value column = v == 0 ? block.column : arith::AddIOp::create(b_, block.column, i64(v * lanes_)).getResult();
    coords.push_back({lanes_ == 1 ? Coord::Uniform : Coord::Consecutive, column});
    valid_lanes_ = std::min<std::int64_t>(lanes_, block.columns - v * lanes_);
    return coords;
  };
  const auto widen = [&](Value x, mlir::Type type) -> Value {
    if (x.getType() == type) return x;
    if (block.op.getIsUnsigned()) return arith::ExtUIOp::create(b_, type, x);
    return arith::ExtSIOp::create(b_, type, x);
  };

  llvm::SmallVector<Value> accumulators;
  for (std::int64_t r = 0; r < block.rows; ++r) {
    for (std::int64_t v = 0; v < vectors; ++v) accumulators.push_back(as_vector(evaluate(block.op.getAcc(), at(r, v))));
  }
  valid_lanes_ = lanes_;
  Value a_rows = gep(block.a.address, arith::MulIOp::create(b_, block.row, block.a.row_stride), block.a.element);
  Value b_columns = gep(block.b.address, block.column, block.b.element);
  const bool is_float = llvm::isa<mlir::FloatType>(element);

  const auto results = loop_carrying(0, block.depth, 1, accumulators, [&](Value k, mlir::ValueRange sums) {
    Value b_row = gep(b_columns, arith::MulIOp::create(b_, k, block.b.row_stride), block.b.element);
    llvm::SmallVector<Value> b_vectors, next;
    for (std::int64_t v = 0; v < vectors; ++v)
      b_vectors.push_back(widen(load_vector(gep(b_row, i64(v * lanes_), block.b.element), block.b.element, {}, {}), with_lanes(element)));
    Value a_column = gep(a_rows, arith::MulIOp::create(b_, k, block.a.column_stride), block.a.element);
    for (std::int64_t r = 0; r < block.rows; ++r) {
      Value address = gep(a_column, arith::MulIOp::create(b_, i64(r), block.a.row_stride), block.a.element);
      Value a = splat(widen(LLVM::LoadOp::create(b_, block.a.element, address, size_in_bytes(block.a.element)), element));
      for (std::int64_t v = 0; v < vectors; ++v) {
        Value sum = sums[r * vectors + v];
        if (is_float && target_.has_fma) next.push_back(mlir::math::FmaOp::create(b_, a, b_vectors[v], sum));
        else if (is_float) next.push_back(arith::AddFOp::create(b_, sum, arith::MulFOp::create(b_, a, b_vectors[v])));
        else next.push_back(arith::AddIOp::create(b_, sum, arith::MulIOp::create(b_, a, b_vectors[v])));
      }
    }
    return next;
  });

  for (std::int64_t r = 0; r < block.rows; ++r) {
    for (std::int64_t v = 0; v < vectors; ++v) {
      const Coords where = at(r, v);
      Value value = results[r * vectors + v];
      if (lanes_ == 1) value = first_lane(value);
      write_buffer(block.out, element, where, {value, lanes_ == 1});
    }
  }
  valid_lanes_ = lanes_;
}

}  // namespace tilewright::cpu
