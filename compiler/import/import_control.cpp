// Import of loops and branches to scf.
#include "compiler/import/importer.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::import {

namespace scf = mlir::scf;

llvm::SmallVector<mlir::Value> Importer::for_loop(const program::Op& op) {
  llvm::SmallVector<mlir::Value> operands = values(op, op.operands);
  if (operands.size() < 3 || op.regions.size() != 1) fail(op, "it needs bounds, a step and one region");
  auto loop = scf::ForOp::create(b_, operands[0], operands[1], operands[2], mlir::ValueRange(operands).drop_front(3));
  if (op.ints.at(0) > 1) loop->setAttr(tile::kStagesAttr, b_.getI64IntegerAttr(op.ints[0]));
  if (op.ints.at(0) > 1 && !op.ints.at(1)) loop->setAttr(tile::kUniformWarpsAttr, b_.getUnitAttr());

  const program::Region& body = op.regions[0];
  mlir::OpBuilder::InsertionGuard guard(b_);
  loop.getBody()->clear();  // without carried values it comes with a terminator
  b_.setInsertionPointToStart(loop.getBody());
  define_arguments(body, loop.getBody()->getArguments());
  operations(body);
  scf::YieldOp::create(b_, values(op, body.yields));
  return llvm::SmallVector<mlir::Value>(loop.getResults());
}

llvm::SmallVector<mlir::Value> Importer::branch(const program::Op& op) {
  if (op.regions.size() != 2) fail(op, "it needs two regions");
  llvm::SmallVector<mlir::Type> types;
  for (program::ValueId id : op.results) types.push_back(type_of(program_.type(id)));
  const bool has_else = !op.regions[1].ops.empty() || !types.empty();
  auto made = scf::IfOp::create(b_, types, operand(op, 0), /*addThenBlock=*/true, /*addElseBlock=*/has_else);
  for (auto [region, block] : {std::pair(&op.regions[0], made.thenBlock()), std::pair(&op.regions[1], made.elseBlock())}) {
    if (!block) continue;
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(block);
    operations(*region);
    scf::YieldOp::create(b_, values(op, region->yields));
  }
  return llvm::SmallVector<mlir::Value>(made.getResults());
}

llvm::SmallVector<mlir::Value> Importer::while_loop(const program::Op& op) {
  if (op.regions.size() != 2) fail(op, "it needs two regions");
  const llvm::SmallVector<mlir::Value> inits = values(op, op.operands);
  llvm::SmallVector<mlir::Type> types;
  for (mlir::Value init : inits) types.push_back(init.getType());
  const llvm::SmallVector<mlir::Location> locations(types.size(), b_.getLoc());
  auto loop = scf::WhileOp::create(b_, types, inits);

  mlir::OpBuilder::InsertionGuard guard(b_);
  const program::Region &condition = op.regions[0], &body = op.regions[1];
  mlir::Block* before = b_.createBlock(&loop.getBefore(), {}, types, locations);
  define_arguments(condition, before->getArguments());
  operations(condition);
  scf::ConditionOp::create(b_, value(op, condition.yields.at(0)), before->getArguments());

  mlir::Block* after = b_.createBlock(&loop.getAfter(), {}, types, locations);
  define_arguments(body, after->getArguments());
  operations(body);
  scf::YieldOp::create(b_, values(op, body.yields));
  return llvm::SmallVector<mlir::Value>(loop.getResults());
}

}  // namespace tilewright::import
