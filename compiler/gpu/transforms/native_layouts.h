// Which layout each tile comes in by itself.
//
// A load has the layout in which memory is read best, a dot that of its instruction, a reduction what is left of its operand's. These layouts flow forward, through elementwise operations
// and around loops; where two meet, the one that is dearer to leave wins. What has none is *flexible*: constants, splats, ranges, broadcasts and what is computed from them
// alone can be made in whatever layout their users want. So can loads of a few neighbours in memory beside products by groups of warps: every thread reads what it needs, where a conversion would let all of them wait twice a turn.
#pragma once

#include "compiler/gpu/group_dots.h"
#include "compiler/gpu/layouts.h"
#include "compiler/gpu/target.h"
#include "compiler/ir/TileOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace tilewright::gpu {

class NativeLayouts {
 public:
  NativeLayouts(mlir::func::FuncOp kernel, const GpuTarget& target, BlockThreads threads);

  // Null for flexible tiles.
  const layout::Layout* find(mlir::Value tile) const;
  // The native layout; for flexible tiles the default.
  layout::Layout of(mlir::Value tile) const;

  // The layout in which an operation that is not elementwise wants a tile among its operands; nullopt where any will do.
  layout::Layout for_operand(mlir::OpOperand& operand) const;

 private:
  enum Weight : int { kDefault, kMemory, kDot };  // dearer to leave further down
  struct Native {
    layout::Layout layout;
    Weight weight;
  };

  void visit(mlir::Block& block);
  void visit(mlir::Operation* op);
  void visit_for(mlir::Operation* op);
  void visit_if(mlir::Operation* op);
  void visit_while(mlir::Operation* op);
  const Native* native(mlir::Value tile) const;
  void set(mlir::Value tile, layout::Layout layout, Weight weight);
  // Takes the layout of the heavier of two values that become one; true if that changed it.
  bool merge(mlir::Value into, mlir::Value from);
  void settle(mlir::Value tile);  // gives it a layout if it has none
  layout::Layout for_access(const AccessShape& access, layout::Layout tile, mlir::OpOperand& operand) const;
  layout::Layout stored(tile::StoreOp op) const;
  bool is_flexible(tile::LoadOp load) const;

  const GpuTarget& target_;
  BlockThreads threads_;
  bool rows_together_ = false;
  GroupDots group_dots_;
  llvm::DenseMap<mlir::Value, Native> natives_;
};

// Every element of the results depends on the operands' elements at the same coordinates alone.
bool is_elementwise(mlir::Operation* op);
bool is_tile(mlir::Value value);

}  // namespace tilewright::gpu
