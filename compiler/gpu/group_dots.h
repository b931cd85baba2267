// Which dots of a loop groups of warps can carry out from shared memory, and which loads can bring their operands there as boxes that another warp asks for.
#pragma once

#include "compiler/gpu/target.h"
#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

#include <optional>
#include <string>

namespace tilewright::gpu {

// A load that a dot's operand comes from, through conversions of layout and one transposition at most.
struct OperandSource {
  tile::LoadOp load;
  bool transposed = false;
};
std::optional<OperandSource> operand_source(mlir::Value operand);

// A tile that an operand is, but for its layout and one transposition at most.
struct StoredTile {
  mlir::Value tile;
  bool transposed = false;
};

// Of one kernel, before or after layouts are assigned.
class GroupDots {
 public:
  GroupDots(mlir::func::FuncOp kernel, const GpuTarget& target, int warps);

  bool contains(tile::DotOp dot) const { return dots_.contains(dot); }
  bool contains(tile::LoadOp load) const { return loads_.contains(load); }
  bool empty() const { return dots_.empty(); }
  // The tile that is written to shared memory for a dot among them to read its left (0) or right (1) operand there: once, in front of the loop, where it is the same in all turns, else in each of them. Null: it is received, or
  // stays in registers.
  StoredTile stored(tile::DotOp dot, int operand) const { return stored_operands_.lookup({dot.getOperation(), operand}); }
  // In the order of the program.
  llvm::ArrayRef<tile::LoadOp> loads() const { return loads_.getArrayRef(); }
  llvm::ArrayRef<tile::DotOp> dots() const { return dots_.getArrayRef(); }
  // Loads of one axis in the loops of such dots, a scalar for each row or column, that can come the same way.
  llvm::ArrayRef<tile::LoadOp> rows() const { return rows_.getArrayRef(); }
  // Why a dot of a loop that asks for stages is not among them; empty where nothing is to be said.
  std::string reason(tile::DotOp dot) const { return reasons_.lookup(dot.getOperation()); }

 private:
  void visit(mlir::scf::ForOp loop);
  std::string problem_of(tile::DotOp dot, mlir::scf::ForOp loop) const;
  std::string problem_of(tile::LoadOp load, mlir::scf::ForOp loop) const;
  bool may_be_row(tile::LoadOp load) const;
  StoredTile stored_left(tile::DotOp dot, mlir::scf::ForOp loop) const;
  StoredTile stored_right(tile::DotOp dot, mlir::scf::ForOp loop) const;
  bool is_known_ahead(mlir::Value scalar) const;  // by a warp that carries out scalar operations only

  const GpuTarget& target_;
  int warps_;
  llvm::DenseSet<mlir::Value> stored_;
  llvm::SetVector<tile::DotOp> dots_;
  llvm::SetVector<tile::LoadOp> loads_, rows_;
  llvm::DenseMap<std::pair<mlir::Operation*, int>, StoredTile> stored_operands_;
  llvm::DenseMap<mlir::Operation*, std::string> reasons_;
  llvm::SmallVector<tile::FenceOp> acquires_;
};

}  // namespace tilewright::gpu
