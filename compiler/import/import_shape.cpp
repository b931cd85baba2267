// Import of the operations that make, move and rearrange elements.
#include "compiler/import/importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

namespace tilewright::import {

using program::Opcode;

mlir::Value Importer::shape_operation(const program::Op& op) {
  const mlir::Type result = type_of(result_type(op));
  if (op.opcode == Opcode::Arange) return tile::ArangeOp::create(b_, result, op.ints.at(0));

  const mlir::Value input = operand(op, 0);
  const bool from_scalar = source_type(op, 0).is_scalar();
  switch (op.opcode) {
    case Opcode::Broadcast:
      if (input.getType() == result) return input;
      return from_scalar ? mlir::Value(tile::SplatOp::create(b_, result, input)) : mlir::Value(tile::BroadcastOp::create(b_, result, input));
    case Opcode::Reshape:
      if (input.getType() == result) return input;
      return from_scalar ? mlir::Value(tile::SplatOp::create(b_, result, input)) : mlir::Value(tile::ReshapeOp::create(b_, result, input));
    case Opcode::Transpose:
      // Matrices in shared memory are read either way, where they were to be read: later they may be given back.
      if (const program::OpId def = program_.values.at(op.operands.at(0)).def; def != program::kNone && program_.ops[def].opcode == Opcode::SharedLoad) {
        mlir::OpBuilder::InsertionGuard guard(b_);
        b_.setInsertionPointAfterValue(input);
        return shared_load(program_.ops[def], result, /*transposed=*/true);
      }
      return from_scalar ? input : mlir::Value(tile::TransposeOp::create(b_, result, input, op.ints));
    case Opcode::Concat: return tile::ConcatOp::create(b_, result, values(op, op.operands), op.ints.at(0));
    case Opcode::Slice: return tile::SliceOp::create(b_, result, input, op.ints.at(0), op.ints.at(1));
    case Opcode::Take: {
      mlir::Value index = operand(op, 1);
      if (source_type(op, 1).dtype == DType::U64)  // clamped as unsigned first, since the dialect's indices are signed
        index = mlir::arith::MinUIOp::create(b_, index, constant(index.getType(), std::numeric_limits<std::int64_t>::max()));
      return tile::TakeOp::create(b_, result, input, index_tile(index, source_type(op, 1).dtype), op.ints.at(0));
    }
    default: fail(op, "it is not an operation on shapes");
  }
}

}  // namespace tilewright::import
