// Import of contractions, reductions, scans and operations on the order of elements.
#include "compiler/import/importer.h"

namespace tilewright::import {

using program::Opcode;

namespace {

tile::ReduceKind kind_of(program::ReduceKind kind, DType dtype) {
  using From = program::ReduceKind;
  using To = tile::ReduceKind;
  const bool is_signed = is_signed_int(dtype);
  switch (kind) {
    case From::Sum: return To::Sum;
    case From::Prod: return To::Prod;
    case From::Min: return is_float(dtype) ? To::MinF : is_signed ? To::MinS : To::MinU;
    case From::Max: return is_float(dtype) ? To::MaxF : is_signed ? To::MaxS : To::MaxU;
    case From::And: return To::And;
    case From::Or: return To::Or;
    case From::Xor: return To::Xor;
    case From::Custom: return To::Custom;
  }
  return To::Custom;
}

}  // namespace

mlir::Value Importer::dot(const program::Op& op) {
  const mlir::Value acc = operand(op, 2);
  const bool is_unsigned = is_unsigned_int(source_type(op, 0).dtype);
  const auto format = [&](std::size_t i) {
    const DType dtype = source_type(op, i).dtype;
    return is_float8(dtype) ? mlir::TypeAttr::get(float8_format(dtype)) : mlir::TypeAttr();
  };
  return tile::DotOp::create(b_, acc.getType(), operand(op, 0), operand(op, 1), acc, is_unsigned, format(0), format(1));
}

llvm::SmallVector<mlir::Value> Importer::reduce_or_scan(const program::Op& op) {
  const std::int64_t axis = op.ints.at(0);
  const auto kind = static_cast<program::ReduceKind>(op.ints.at(1));
  const bool is_custom = kind == program::ReduceKind::Custom;
  llvm::SmallVector<mlir::Value> inputs = values(op, op.operands);
  if (!is_custom) inputs.front() = widen(inputs.front());

  llvm::SmallVector<mlir::Type> types;
  for (auto [id, input] : llvm::zip_equal(op.results, inputs))
    types.push_back(tile::tile_type(program_.type(id).shape, tile::element_type_of(input.getType())));
  const tile::ReduceKind in_dialect = kind_of(kind, source_type(op, 0).dtype);
  mlir::Operation* made = op.opcode == Opcode::Reduce ? tile::ReduceOp::create(b_, types, inputs, in_dialect, axis).getOperation()
                                                      : tile::ScanOp::create(b_, types, inputs, in_dialect, axis, op.ints.at(2) != 0).getOperation();
  if (!is_custom) return {narrow_to(made->getResult(0), element_type(result_type(op).dtype))};

  const program::Region& combiner = op.regions.at(0);
  llvm::SmallVector<mlir::Type> scalars;
  for (program::ValueId id : combiner.args) scalars.push_back(type_of(program_.type(id)));
  mlir::OpBuilder::InsertionGuard guard(b_);
  mlir::Block* block = b_.createBlock(&made->getRegion(0), {}, scalars, llvm::SmallVector<mlir::Location>(scalars.size(), b_.getLoc()));
  define_arguments(combiner, block->getArguments());
  operations(combiner);
  tile::YieldOp::create(b_, values(op, combiner.yields));
  return llvm::SmallVector<mlir::Value>(made->getResults());
}

llvm::SmallVector<mlir::Value> Importer::order(const program::Op& op) {
  const DType dtype = source_type(op, 0).dtype;
  const mlir::Value input = widen(operand(op, 0));  // keeps the order
  const bool is_unsigned = !is_float(dtype) && !is_signed_int(dtype);
  const std::int64_t axis = op.ints.at(0);
  if (op.opcode == Opcode::ArgMax) return {tile::ArgMaxOp::create(b_, type_of(result_type(op)), input, axis, is_unsigned)};
  if (op.opcode == Opcode::ArgMin) return {tile::ArgMinOp::create(b_, type_of(result_type(op)), input, axis, is_unsigned)};
  const mlir::Type values = tile::tile_type(result_type(op, 0).shape, tile::element_type_of(input.getType()));
  auto sorted = tile::TopKOp::create(b_, values, type_of(result_type(op, 1)), input, op.ints.at(1), axis, op.ints.at(2) != 0, is_unsigned);
  return {narrow_to(sorted.getValues(), element_type(dtype)), sorted.getIndices()};
}

}  // namespace tilewright::import
