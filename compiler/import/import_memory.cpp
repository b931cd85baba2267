// Import of what reads the grid and views, of loads, stores, atomic operations and printing.
#include "compiler/import/importer.h"

namespace tilewright::import {

namespace {

tile::AtomicKind kind_of(program::AtomicKind kind, DType dtype) {
  using From = program::AtomicKind;
  using To = tile::AtomicKind;
  const bool is_signed = is_signed_int(dtype);
  switch (kind) {
    case From::Add: return To::Add;
    case From::Min: return is_float(dtype) ? To::MinF : is_signed ? To::MinS : To::MinU;
    case From::Max: return is_float(dtype) ? To::MaxF : is_signed ? To::MaxS : To::MaxU;
    case From::And: return To::And;
    case From::Or: return To::Or;
    case From::Xor: return To::Xor;
    case From::Exchange: return To::Exchange;
    case From::CompareExchange: return To::CompareExchange;
  }
  return To::Exchange;
}

}  // namespace

mlir::Value Importer::grid_or_view(const program::Op& op) {
  const std::int64_t axis = op.ints.at(0);
  switch (op.opcode) {
    case program::Opcode::ProgramId: return tile::ProgramIdOp::create(b_, b_.getI64Type(), axis);
    case program::Opcode::NumPrograms: return tile::NumProgramsOp::create(b_, b_.getI64Type(), axis);
    case program::Opcode::ViewSize: return tile::SizeOp::create(b_, b_.getI64Type(), operand(op, 0), axis);
    default: return tile::NarrowOp::create(b_, type_of(result_type(op)), operand(op, 0), operand(op, 1), operand(op, 2), axis);
  }
}

// The indices of a load or store in the dialect's types, and its maps. `tile` is what is loaded or stored.
Importer::Access Importer::access(const program::Op& op, const program::Type& tile) {
  Access access;
  for (std::size_t d = 0; d < source_type(op, 0).rank(); ++d) {
    const program::Type& type = source_type(op, 1 + d);
    access.indices.push_back(type.is_scalar() ? cast(operand(op, 1 + d), type.dtype, DType::I64) : index_tile(operand(op, 1 + d), type.dtype));
    const std::int64_t map = op.ints.at(2 + d);
    const bool is_point = map == program::kMapPoint || (map == program::kMapFull && tile.is_scalar());
    access.maps.push_back(is_point ? tile::kMapPoint : map == program::kMapFull ? tile::kMapWhole : map);
  }
  return access;
}

mlir::Value Importer::load(const program::Op& op) {
  const Access at = access(op, result_type(op));
  std::size_t next = 1 + at.indices.size();
  const mlir::Value mask = op.ints.at(0) ? operand(op, next++) : mlir::Value();
  const mlir::Value other = op.ints.at(1) ? operand(op, next) : mlir::Value();
  return tile::LoadOp::create(b_, type_of(result_type(op)), operand(op, 0), at.indices, mask, other, at.maps);
}

void Importer::store(const program::Op& op) {
  const std::size_t rank = source_type(op, 0).rank();
  const Access at = access(op, source_type(op, 1 + rank));
  const mlir::Value mask = op.ints.at(0) ? operand(op, 2 + rank) : mlir::Value();
  tile::StoreOp::create(b_, operand(op, 1 + rank), operand(op, 0), at.indices, mask, at.maps);
}

mlir::Value Importer::atomic(const program::Op& op) {
  const Access at = access(op, result_type(op));
  const tile::AtomicKind kind = kind_of(static_cast<program::AtomicKind>(op.ints.at(1)), result_type(op).dtype);
  std::size_t next = 1 + at.indices.size();
  const mlir::Value expected = kind == tile::AtomicKind::CompareExchange ? operand(op, next++) : mlir::Value();
  const mlir::Value value = operand(op, next++);
  const mlir::Value mask = op.ints.at(0) ? operand(op, next) : mlir::Value();
  return tile::AtomicOp::create(b_, value.getType(), kind, value, operand(op, 0), at.indices, expected, mask, at.maps);
}

void Importer::print(const program::Op& op) {
  llvm::SmallVector<bool> unsigned_operands;
  for (program::ValueId id : op.operands) unsigned_operands.push_back(is_unsigned_int(program_.type(id).dtype));
  const bool any = llvm::is_contained(unsigned_operands, true);
  tile::PrintOp::create(b_, values(op, op.operands), b_.getStringAttr(op.text), any ? b_.getDenseBoolArrayAttr(unsigned_operands) : nullptr);
}

}  // namespace tilewright::import
