// Operations that take elements from other threads' parts of a tile: by way of scratch.
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;

void Emitter::emit_take(tile::TakeOp op) {
  const Layout &from = layout_of(op.getInput()), &to = layout_of(op.getResult());
  const mlir::Type element = op.getType().getElementType();
  const auto axis = static_cast<int>(op.getAxis());
  const auto strides = mlir::computeStrides(from.extents());
  const Registers& indices = registers(op.getIndex());

  Value base = open_scratch(row_major_bytes(from, element));
  write_row_major(registers(op.getInput()), from, element, base);
  publish_scratch();
  bind(op.getResult(), read_elements(to, element, base, [&](int reg) {
         Registers at;
         for (int other = 0; other < to.rank(); ++other) {
           if (other != axis) {
             at.push_back(bounded_coordinate(to, other, reg));
             continue;
           }
           // An index wider than a position is clamped before it is cut, a narrower one after it is extended.
           Value index = indices[reg];
           if (index.getType().getIntOrFloatBitWidth() < 32) index = arith::ExtSIOp::create(b_, b_.getI32Type(), index);
           const mlir::Type type = index.getType();
           index = arith::MaxSIOp::create(b_, index, zero(type));
           index = arith::MinSIOp::create(b_, index, constant(type, from.extents()[axis] - 1));
           at.push_back(type.isInteger(64) ? arith::TruncIOp::create(b_, b_.getI32Type(), index).getResult() : index);
         }
         return offset_in(strides, at, element);
       }));
}

void Emitter::emit_concat(tile::ConcatOp op) {
  const Layout& to = layout_of(op.getResult());
  const mlir::Type element = op.getType().getElementType();
  const auto axis = static_cast<std::size_t>(op.getAxis());
  const auto strides = mlir::computeStrides(to.extents());

  Value base = open_scratch(row_major_bytes(to, element));
  std::int64_t start = 0;
  for (Value input : op.getInputs()) {
    const Layout& from = layout_of(input);
    write_strided(registers(input), from, element, shared_address(base, {}, start * strides[axis] * bytes_of(element)), strides);
    start += from.extents()[axis];
  }
  publish_scratch();
  bind(op.getResult(), read_elements(to, element, base, [&](int reg) {
         Registers at;
         for (int other = 0; other < to.rank(); ++other) at.push_back(bounded_coordinate(to, other, reg));
         return offset_in(strides, at, element);
       }));
}

void Emitter::emit_slice(tile::SliceOp op) {
  const Layout &from = layout_of(op.getInput()), &to = layout_of(op.getResult());
  const mlir::Type element = op.getType().getElementType();
  const auto strides = mlir::computeStrides(from.extents());

  Value base = open_scratch(row_major_bytes(from, element));
  write_row_major(registers(op.getInput()), from, element, base);
  publish_scratch();
  Value first = shared_address(base, {}, op.getStart() * strides[op.getAxis()] * bytes_of(element));
  bind(op.getResult(), read_elements(to, element, first, [&](int reg) {
         Registers at;
         for (int axis = 0; axis < to.rank(); ++axis) at.push_back(bounded_coordinate(to, axis, reg));
         return offset_in(strides, at, element);
       }));
}

}  // namespace tilewright::gpu
