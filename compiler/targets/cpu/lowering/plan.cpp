#include "compiler/targets/cpu/lowering/plan.h"

#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llvm/ADT/STLExtras.h"

namespace tilewright::cpu {

namespace {

bool is_tile(mlir::Value value) { return llvm::isa<mlir::RankedTensorType>(value.getType()); }

// The only extents other than 1, in order.
llvm::SmallVector<std::int64_t> squeezed(mlir::Value value) {
  llvm::SmallVector<std::int64_t> extents;
  for (std::int64_t extent : llvm::cast<mlir::RankedTensorType>(value.getType()).getShape()) {
    if (extent != 1) extents.push_back(extent);
  }
  return extents;
}

// A reshape that only adds or drops extents of 1 renames coordinates.
bool is_renaming(tile::ReshapeOp op) {
  return is_tile(op.getResult()) && squeezed(op.getInput()) == squeezed(op.getResult());
}

bool is_generator(mlir::Operation* op) { return llvm::isa<mlir::arith::ConstantOp, tile::SplatOp, tile::ArangeOp>(op); }

bool is_renaming(mlir::Operation* op) {
  if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(op)) return is_renaming(reshape);
  return llvm::isa<tile::SliceOp>(op);
}

bool enlarges(mlir::Operation* op) { return llvm::isa<tile::BroadcastOp>(op); }

}  // namespace

bool is_elementwise(mlir::Operation* op) {
  if (llvm::isa<mlir::arith::ConstantOp>(op)) return false;
  return op->hasTrait<mlir::OpTrait::Elementwise>();
}

bool Plan::is_inline(mlir::Value tile) {
  const auto found = inline_.find(tile);
  if (found != inline_.end()) return found->second;
  const bool result = decide(tile);
  inline_[tile] = result;
  return result;
}

bool Plan::decide(mlir::Value tile) {
  mlir::Operation* op = tile.getDefiningOp();
  if (!op || !is_tile(tile)) return false;
  if (is_generator(op)) return true;
  if (enlarges(op) || is_renaming(op)) return true;  // their operand is in a buffer, or cheap, by the rule for users below

  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) {
    // The left operand of a dot is read element by element: any order serves.
    return llvm::all_of(op->getUses(), [](mlir::OpOperand& use) {
      return llvm::isa<tile::DotOp>(use.getOwner()) && use.getOperandNumber() == 0 &&
             llvm::cast<mlir::RankedTensorType>(use.get().getType()).getRank() == 2;
    });
  }

  const bool load = llvm::isa<tile::LoadOp>(op);
  if (!load && !is_elementwise(op) && !llvm::isa<tile::TakeOp>(op)) return false;
  if (!op->hasOneUse()) return false;

  mlir::Operation* user = *op->getUsers().begin();
  if (user->getBlock() != op->getBlock()) return false;
  // These read elements more than once, in an order of their own, or need an address.
  if (enlarges(user) || llvm::isa<tile::TopKOp, tile::ArgMaxOp, tile::ArgMinOp, mlir::scf::ForOp, mlir::scf::WhileOp, mlir::scf::IfOp,
                                  mlir::scf::YieldOp, mlir::scf::ConditionOp>(user))
    return false;
  // A renaming may itself be evaluated by several users.
  if (is_renaming(user) && !user->hasOneUse()) return false;
  if (is_renaming(user)) {
    mlir::Operation* next = *user->getUsers().begin();
    if (enlarges(next) || next->getBlock() != op->getBlock() || is_renaming(next)) return false;
  }
  if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(user); reshape && !is_renaming(reshape)) return false;
  if (auto take = llvm::dyn_cast<tile::TakeOp>(user); take && take.getInput() == tile) return false;
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(user); transpose && is_inline(transpose.getResult())) return false;
  if (auto dot = llvm::dyn_cast<tile::DotOp>(user); dot && dot.getAcc() != tile) return false;
  if (auto dot = llvm::dyn_cast<tile::DotOp>(user); dot && dot.getAcc() == tile && (dot.getA() == tile || dot.getB() == tile)) return false;
  // Several operands are reduced or scanned together, element by element.
  if (auto reduce = llvm::dyn_cast<tile::ReduceOp>(user); reduce && reduce.getKind() == tile::ReduceKind::Custom) return false;
  if (auto scan = llvm::dyn_cast<tile::ScanOp>(user); scan && scan.getKind() == tile::ReduceKind::Custom) return false;
  // Index tiles and masks of memory operations are read at other coordinates than the tile's.
  if (llvm::isa<tile::LoadOp>(user)) return false;
  if (auto store = llvm::dyn_cast<tile::StoreOp>(user); store && store.getValue() != tile) return false;
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(user); atomic && atomic.getValue() != tile) return false;
  if (llvm::isa<tile::PrintOp, tile::AssertOp>(user)) return false;
  return !load || no_write_before_use(op);
}

mlir::Operation* Plan::last_evaluation(mlir::Operation* user, mlir::Block* block) {
  while (user && user->getBlock() != block) user = user->getParentOp();
  if (!user) return nullptr;
  mlir::Operation* last = user;
  for (mlir::Value result : user->getResults()) {
    if (!is_tile(result) || !is_inline(result)) continue;
    for (mlir::Operation* next : result.getUsers()) {
      mlir::Operation* evaluation = last_evaluation(next, block);
      if (!evaluation) return nullptr;
      if (last->isBeforeInBlock(evaluation)) last = evaluation;
    }
  }
  return last;
}

// The argument a view is a part of.
static mlir::Value root_of(mlir::Value view) {
  while (auto narrow = view.getDefiningOp<tile::NarrowOp>()) view = narrow.getView();
  return view;
}

bool Plan::no_write_before_use(mlir::Operation* load) {
  mlir::Operation* end = last_evaluation(*load->getUsers().begin(), load->getBlock());
  if (!end) return false;
  // A store to the tensor that is read would overwrite elements before they are read.
  const mlir::Value read = root_of(llvm::cast<tile::LoadOp>(load).getView());
  if (auto store = llvm::dyn_cast<tile::StoreOp>(end); store && root_of(store.getView()) == read) return false;
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(end); atomic && root_of(atomic.getView()) == read) return false;
  for (mlir::Operation* op = load->getNextNode(); op && op != end; op = op->getNextNode()) {
    const bool writes = op->walk([](mlir::Operation* inner) {
                            return llvm::isa<tile::StoreOp, tile::AtomicOp, tile::FenceOp>(inner) ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
                          }).wasInterrupted();
    if (writes) return false;
  }
  return true;
}

bool Plan::reads_same_coordinates(mlir::Value value, mlir::Value from) {
  if (value == from) return true;
  mlir::Operation* op = value.getDefiningOp();
  if (!op || !is_inline(value)) return true;  // another buffer
  if (is_elementwise(op)) {
    return llvm::all_of(op->getOperands(), [&](mlir::Value operand) { return !is_tile(operand) || reads_same_coordinates(operand, from); });
  }
  // Whatever else: not a path to `from`.
  llvm::SmallVector<mlir::Value> work(op->getOperands());
  while (!work.empty()) {
    mlir::Value operand = work.pop_back_val();
    if (operand == from) return false;
    mlir::Operation* def = operand.getDefiningOp();
    if (def && is_tile(operand) && is_inline(operand)) work.append(def->operand_begin(), def->operand_end());
  }
  return true;
}

bool Plan::may_overwrite(mlir::Value yielded, mlir::Value argument) {
  mlir::Operation* def = yielded.getDefiningOp();
  mlir::Block* block = argument.getParentBlock();
  if (!def || def->getBlock() != block || is_inline(yielded) || yielded.getType() != argument.getType()) return false;
  const bool elementwise = is_elementwise(def);
  auto dot = llvm::dyn_cast<tile::DotOp>(def);
  if (!elementwise && !dot) return false;
  for (mlir::Operation* user : argument.getUsers()) {
    mlir::Operation* last = last_evaluation(user, block);
    if (!last || def->isBeforeInBlock(last)) return false;
    // Readers inside regions, or evaluated at several places, end before `def` unless they are `def` itself.
    if (last == def && user->getBlock() != block) return false;
  }
  if (elementwise) {
    return llvm::all_of(def->getOperands(), [&](mlir::Value operand) { return !is_tile(operand) || reads_same_coordinates(operand, argument); });
  }
  return dot.getA() != argument && dot.getB() != argument && reads_same_coordinates(dot.getAcc(), argument) &&
         reads_same_coordinates(dot.getA(), argument) && reads_same_coordinates(dot.getB(), argument);
}

}  // namespace tilewright::cpu
