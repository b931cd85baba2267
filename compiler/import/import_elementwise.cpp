// Import of elementwise arithmetic. f16 and bf16 are extended to f32, computed there and truncated once.
#include "compiler/import/importer.h"

#include "dsl/program/external.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilewright::import {

namespace arith = mlir::arith;
namespace math = mlir::math;
using program::Opcode;

mlir::Value Importer::unary(const program::Op& op) {
  const DType dtype = source_type(op, 0).dtype;
  mlir::Value x = operand(op, 0);
  if (!is_float(dtype)) {
    switch (op.opcode) {
      case Opcode::Neg: return arith::SubIOp::create(b_, constant(x.getType(), 0), x);
      case Opcode::Abs: return is_signed_int(dtype) ? mlir::Value(math::AbsIOp::create(b_, x)) : x;
      case Opcode::Not: return arith::XOrIOp::create(b_, x, constant(x.getType(), -1));
      default: fail(op, "it is not defined for " + std::string(name_of(dtype)));
    }
  }
  x = widen(x);
  auto compute = [&]() -> mlir::Value {
    switch (op.opcode) {
      case Opcode::Neg: return arith::NegFOp::create(b_, x);
      case Opcode::Abs: return math::AbsFOp::create(b_, x);
      case Opcode::Exp: return math::ExpOp::create(b_, x);
      case Opcode::Exp2: return math::Exp2Op::create(b_, x);
      case Opcode::Log: return math::LogOp::create(b_, x);
      case Opcode::Log2: return math::Log2Op::create(b_, x);
      case Opcode::Sqrt: return math::SqrtOp::create(b_, x);
      case Opcode::Rsqrt: return math::RsqrtOp::create(b_, x);
      case Opcode::Sin: return math::SinOp::create(b_, x);
      case Opcode::Cos: return math::CosOp::create(b_, x);
      case Opcode::Tanh: return math::TanhOp::create(b_, x);
      case Opcode::Floor: return math::FloorOp::create(b_, x);
      case Opcode::Ceil: return math::CeilOp::create(b_, x);
      default: fail(op, "it is not defined for " + std::string(name_of(dtype)));
    }
  };
  if (op.opcode == Opcode::IsNan) return arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, x, x);
  return narrow_to(compute(), element_type(dtype));
}

mlir::Value Importer::binary(const program::Op& op) {
  const DType dtype = source_type(op, 0).dtype;
  mlir::Value x = operand(op, 0), y = operand(op, 1);
  if (is_float(dtype)) {
    x = widen(x), y = widen(y);
    auto compute = [&]() -> mlir::Value {
      switch (op.opcode) {
        case Opcode::Add: return arith::AddFOp::create(b_, x, y);
        case Opcode::Sub: return arith::SubFOp::create(b_, x, y);
        case Opcode::Mul: return arith::MulFOp::create(b_, x, y);
        case Opcode::Div: return arith::DivFOp::create(b_, x, y);
        case Opcode::Min: return arith::MinimumFOp::create(b_, x, y);
        case Opcode::Max: return arith::MaximumFOp::create(b_, x, y);
        default: fail(op, "it is not defined for " + std::string(name_of(dtype)));
      }
    };
    return narrow_to(compute(), element_type(dtype));
  }

  const bool is_signed = is_signed_int(dtype);
  auto pick = [&]<class Signed, class Unsigned>(Signed*, Unsigned*) {
    return is_signed ? mlir::Value(Signed::create(b_, x, y)) : mlir::Value(Unsigned::create(b_, x, y));
  };
#define TW_PICK(Signed, Unsigned) pick(static_cast<Signed*>(nullptr), static_cast<Unsigned*>(nullptr))
  switch (op.opcode) {
    case Opcode::Add: return arith::AddIOp::create(b_, x, y);
    case Opcode::Sub: return arith::SubIOp::create(b_, x, y);
    case Opcode::Mul: return arith::MulIOp::create(b_, x, y);
    case Opcode::Div: return TW_PICK(tile::DivSOp, tile::DivUOp);
    case Opcode::Rem: return TW_PICK(tile::RemSOp, tile::RemUOp);
    case Opcode::Min: return TW_PICK(arith::MinSIOp, arith::MinUIOp);
    case Opcode::Max: return TW_PICK(arith::MaxSIOp, arith::MaxUIOp);
    case Opcode::And: return arith::AndIOp::create(b_, x, y);
    case Opcode::Or: return arith::OrIOp::create(b_, x, y);
    case Opcode::Xor: return arith::XOrIOp::create(b_, x, y);
    default: break;
  }
  const std::int64_t width = tile::element_type_of(y.getType()).getIntOrFloatBitWidth();
  y = arith::AndIOp::create(b_, y, constant(y.getType(), width - 1));  // amounts count modulo the width, a power of two
  if (op.opcode == Opcode::Shl) return arith::ShLIOp::create(b_, x, y);
  return TW_PICK(arith::ShRSIOp, arith::ShRUIOp);
#undef TW_PICK
}

mlir::Value Importer::ternary(const program::Op& op) {
  if (op.opcode == Opcode::Select) return arith::SelectOp::create(b_, operand(op, 0), operand(op, 1), operand(op, 2));
  const mlir::Value x = widen(operand(op, 0)), y = widen(operand(op, 1)), z = widen(operand(op, 2));
  return narrow_to(math::FmaOp::create(b_, x, y, z), element_type(result_type(op).dtype));
}

mlir::Value Importer::compare(const program::Op& op) {
  const DType dtype = source_type(op, 0).dtype;
  const mlir::Value x = widen(operand(op, 0)), y = widen(operand(op, 1));
  if (is_float(dtype)) {
    using enum arith::CmpFPredicate;
    auto predicate = [&] {
      switch (op.opcode) {
        case Opcode::Eq: return OEQ;
        case Opcode::Ne: return UNE;
        case Opcode::Lt: return OLT;
        case Opcode::Le: return OLE;
        case Opcode::Gt: return OGT;
        default: return OGE;
      }
    };
    return arith::CmpFOp::create(b_, predicate(), x, y);
  }
  using enum arith::CmpIPredicate;
  const bool is_signed = is_signed_int(dtype);
  auto predicate = [&] {
    switch (op.opcode) {
      case Opcode::Eq: return eq;
      case Opcode::Ne: return ne;
      case Opcode::Lt: return is_signed ? slt : ult;
      case Opcode::Le: return is_signed ? sle : ule;
      case Opcode::Gt: return is_signed ? sgt : ugt;
      default: return is_signed ? sge : uge;
    }
  };
  return arith::CmpIOp::create(b_, predicate(), x, y);
}

// Arguments go as they are: what narrow floats are computed in is the function's business.
mlir::Value Importer::external(const program::Op& op) {
  const program::External function = program::external_of(op.text);
  llvm::SmallVector<mlir::Attribute> dtypes;
  const auto add = [&](DType dtype) { dtypes.push_back(b_.getStringAttr(name_of(dtype))); };
  for (std::size_t i = 0; i < op.operands.size(); ++i) add(source_type(op, i).dtype);
  add(result_type(op).dtype);
  return tile::ExternOp::create(b_, type_of(result_type(op)), values(op, op.operands), function.language, function.name, function.source, b_.getArrayAttr(dtypes));
}

}  // namespace tilewright::import
