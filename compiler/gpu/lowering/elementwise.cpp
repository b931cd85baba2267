// Operations that work register by register, and those that only rename registers.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/layouts.h"
#include "compiler/transforms/float8.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <limits>
#include <map>
#include <vector>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

void Emitter::emit_generator(mlir::Operation* op) {
  Value result = op->getResult(0);
  auto tile = tile_type(result);
  if (auto constant = llvm::dyn_cast<arith::ConstantOp>(op)) {
    if (!tile) {
      scalars_[result] = b_.clone(*op)->getResult(0);
      return;
    }
    auto elements = llvm::cast<mlir::DenseElementsAttr>(constant.getValue());
    const Layout& layout = layout_of(result);
    const auto scalar_of = [&](mlir::TypedAttr value) { return arith::ConstantOp::create(b_, value).getResult(); };
    if (elements.isSplat()) return bind(result, Registers(layout.registers(), scalar_of(elements.getSplatValue<mlir::TypedAttr>())));
    // Each thread picks its elements of the list by comparing positions.
    Registers picked;
    const auto values = llvm::to_vector(elements.getValues<mlir::TypedAttr>());
    for (int reg = 0; reg < layout.registers(); ++reg) {
      Value position = i32(0);
      for (int axis = 0; axis < layout.rank(); ++axis)
        position = add(arith::MulIOp::create(b_, position, i32(layout.extents()[axis])), coordinate(layout, axis, reg));
      Value element = scalar_of(values[0]);
      for (std::size_t i = 1; i < values.size(); ++i) {
        Value here = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, position, i32(static_cast<std::int64_t>(i)));
        element = select(here, scalar_of(values[i]), element);
      }
      picked.push_back(element);
    }
    return bind(result, std::move(picked));
  }
  const Layout& layout = layout_of(result);
  if (auto splat = llvm::dyn_cast<tile::SplatOp>(op)) return bind(result, Registers(layout.registers(), scalar(splat.getInput())));
  auto arange = llvm::cast<tile::ArangeOp>(op);
  const mlir::Type element = tile.getElementType();
  Registers positions;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    Value position = coordinate(layout, 0, reg);
    if (element.getIntOrFloatBitWidth() > 32) position = arith::ExtSIOp::create(b_, element, position);
    else if (element.getIntOrFloatBitWidth() < 32) position = arith::TruncIOp::create(b_, element, position);
    if (arange.getStart() != 0) position = arith::AddIOp::create(b_, position, constant(element, arange.getStart()));
    positions.push_back(position);
  }
  bind(result, std::move(positions));
}

void Emitter::emit_rearranged(mlir::Operation* op) {
  Value input = op->getOperand(0), result = op->getResult(0);
  if (!tile_type(result)) {  // a reshape of one element to a scalar
    Layout everywhere = default_layout({1}, {target_.lanes(), warps_});
    const Layout& layout = layout_of(input);
    Registers one = convert(registers(input), layout, everywhere, tile_type(input).getElementType());
    scalars_[result] = one[0];
    return;
  }
  const Layout& from = layout_of(input);
  const Layout& to = layout_of(result);
  llvm::SmallVector<std::pair<int, int>> axes;
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
    for (auto [to_axis, from_axis] : llvm::enumerate(transpose.getPermutation())) axes.emplace_back(static_cast<int>(to_axis), static_cast<int>(from_axis));
  } else if (llvm::isa<tile::BroadcastOp>(op)) {
    for (int axis = 0; axis < to.rank(); ++axis)
      if (from.extents()[axis] == to.extents()[axis]) axes.emplace_back(axis, axis);
  } else {
    return bind(result, convert(registers(input), from, to, tile_type(result).getElementType()));
  }
  Registers renamed;
  for (int reg : matching_registers(to, from, axes)) {
    if (reg < 0) return void(fail(op, "the layouts of operand and result do not match"));
    renamed.push_back(registers(input)[reg]);
  }
  bind(result, std::move(renamed));
}

void Emitter::emit_elementwise(mlir::Operation* op) {
  for (Value result : op->getResults()) {
    auto tile = tile_type(result);
    if (!tile) {
      llvm::SmallVector<Value> operands;
      for (Value operand : op->getOperands()) operands.push_back(scalar(operand));
      scalars_[result] = elementwise(op, operands, result.getType());
      continue;
    }
    Registers values;
    // Registers that hold the same values give the same result: rows of a broadcast are computed once.
    std::map<std::vector<void*>, Value> computed;
    for (int reg = 0; reg < layout_of(result).registers(); ++reg) {
      llvm::SmallVector<Value> operands;
      std::vector<void*> key;
      for (Value operand : op->getOperands()) {
        operands.push_back(tile_type(operand) ? registers(operand)[reg] : scalar(operand));
        key.push_back(operands.back().getAsOpaquePointer());
      }
      Value& value = computed[key];
      if (!value) value = elementwise(op, operands, tile.getElementType());
      values.push_back(value);
    }
    bind(result, std::move(values));
  }
}

Emitter::Value Emitter::elementwise(mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) {
  if (Value own = target_.elementwise(b_, op, operands, result)) return own;
  if (auto decode = llvm::dyn_cast<tile::DecodeF8Op>(op)) return decode_float8(b_, operands[0], decode.getFormat());
  if (auto encode = llvm::dyn_cast<tile::EncodeF8Op>(op)) return encode_float8(b_, operands[0], encode.getFormat());
  if (llvm::isa<tile::DivSOp, tile::DivUOp, tile::RemSOp, tile::RemUOp>(op)) return divide(op, operands[0], operands[1]);
  if (llvm::isa<tile::FPToSISatOp, tile::FPToUISatOp>(op)) {
    Value x = operands[0];
    if (x.getType().isF16() || x.getType().isBF16()) x = arith::ExtFOp::create(b_, b_.getF32Type(), x);
    const char* name = llvm::isa<tile::FPToSISatOp>(op) ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
    return LLVM::CallIntrinsicOp::create(b_, result, b_.getStringAttr(name), mlir::ValueRange{x}).getResult(0);
  }
  mlir::OperationState state(b_.getLoc(), op->getName());
  state.addOperands(operands);
  state.addTypes(result);
  state.addAttributes(op->getAttrs());
  return b_.create(state)->getResult(0);
}

// The cases that arith leaves undefined are given harmless operands, and their results put in place afterwards.
Emitter::Value Emitter::divide(mlir::Operation* op, Value x, Value y) {
  const mlir::Type type = x.getType();
  const unsigned width = type.getIntOrFloatBitWidth();
  const auto is = [&](Value value, std::int64_t number) { return arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, value, constant(type, number)).getResult(); };
  Value one = constant(type, 1), by_zero = is(y, 0);
  Value safe = select(by_zero, one, y);
  Value quotient;
  if (llvm::isa<tile::DivUOp, tile::RemUOp>(op)) {
    quotient = arith::DivUIOp::create(b_, x, safe);
  } else {
    const std::int64_t lowest = width == 64 ? std::numeric_limits<std::int64_t>::min() : -(std::int64_t{1} << (width - 1));
    Value wraps = and_(is(x, lowest), is(y, -1));
    quotient = arith::DivSIOp::create(b_, x, select(wraps, one, safe));
  }
  quotient = select(by_zero, zero(type), quotient);
  if (llvm::isa<tile::DivSOp, tile::DivUOp>(op)) return quotient;
  return arith::SubIOp::create(b_, x, arith::MulIOp::create(b_, quotient, y));
}

}  // namespace tilewright::gpu
