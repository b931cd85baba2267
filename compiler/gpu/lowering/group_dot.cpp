// Matrix products by groups of warps, with operands in shared memory.
#include "compiler/gpu/dot_layouts.h"
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/lowering/places.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;

namespace {

bool is_zeros(mlir::Value tile) {
  mlir::DenseElementsAttr constant;
  return mlir::matchPattern(tile, mlir::m_Constant(&constant)) && constant.isSplat() && constant.getSplatValue<llvm::APFloat>().isPosZero();
}

}  // namespace

void Emitter::emit_group_dot(tile_gpu::GroupDotOp op) {
  const auto acc_type = op.getAcc().getType();
  const DotElements elements = DotElements::of(op);
  const auto group = target_.group_product(elements);
  const std::int64_t m = acc_type.getShape()[0], n = acc_type.getShape()[1], depth = op.depth();
  const auto instruction = target_.matrix_instruction(elements, m, n, depth);
  if (!group || !instruction) return void(fail(op, "has no instruction"));
  const std::int64_t rows_at_once = group->m / group->warps * warps_;  // by all groups

  GroupMultiply product;
  product.elements = elements;
  product.n = n;
  product.depth = depth;
  const auto shared = [&](Value channel, Value slot, bool along_rows) {
    return SharedOperand{channel_tile(channel, scalar(slot)), llvm::cast<tile_gpu::ChannelType>(channel.getType()).getShape()[0], along_rows};
  };
  const auto stored = [&](mlir::TypedValue<tile_gpu::SharedType> tile, bool along_rows) { return SharedOperand{shared_tile(tile, {}), tile.getType().getShape()[0], along_rows}; };
  product.b = op.getBShared() ? stored(op.getBShared(), op.getBTransposed()) : shared(op.getBChannel(), op.getBSlot(), op.getBTransposed());
  if (op.getAChannel()) product.a = shared(op.getAChannel(), op.getASlot(), !op.getATransposed());
  if (op.getAShared()) product.a = stored(op.getAShared(), !op.getATransposed());

  // The registers of some fragments of a tile, which all threads have at places as far from each other.
  bool missing = false;
  const auto fragments = [&](Value tile, const layout::LinearMap& atom, std::int64_t row, std::int64_t columns, std::int64_t step) {
    const auto places = places_of(layout_of(tile));
    const auto fragment = fragment_places(atom);
    llvm::SmallVector<int> found;
    for (std::int64_t column = 0; column < columns; column += step) {
      for (auto [r, c] : fragment) {
        const auto at = places.find({row + r, column + c});
        missing |= at == places.end();
        found.push_back(at == places.end() ? 0 : at->second);
      }
    }
    return found;
  };
  std::vector<llvm::SmallVector<int>> acc_registers;
  const bool zeros = is_zeros(op.getAcc());
  for (std::int64_t row = 0; row < m; row += rows_at_once) {
    acc_registers.push_back(fragments(op.getAcc(), instruction->acc, row, n, instruction->n));
    if (!zeros) product.acc.push_back(llvm::map_to_vector(acc_registers.back(), [&](int reg) { return registers(op.getAcc())[reg]; }));
    if (op.getA()) {
      const auto of_a = fragments(op.getA(), instruction->a, row, depth, instruction->k);
      product.a_registers.push_back(llvm::map_to_vector(of_a, [&](int reg) { return fetch(op.getA(), reg); }));
    } else {
      product.a_rows.push_back(add(arith::MulIOp::create(b_, group_, i32(group->m)), row == 0 ? Value() : i32(row)));
    }
  }
  // Warps below each other, and nothing else, or the registers are not where the instruction takes them.
  const Layout& layout = layout_of(op.getAcc());
  for (int warp = 0; warp < warps_; ++warp) missing |= layout.coordinates({.warp = warp}) != std::vector<std::int64_t>{warp * group->m / group->warps, 0};
  if (missing) return void(fail(op, "its layouts are not those of groups of warps"));

  product.waits = !op.getInFlight();
  llvm::SmallVector<llvm::SmallVector<Value>> sums;
  touch_stored(op, [&] { sums = target_.group_multiply(b_, product); });
  Registers result(layout.registers());
  for (auto [block, numbers] : llvm::enumerate(acc_registers))
    for (auto [i, reg] : llvm::enumerate(numbers)) result[reg] = sums[block][i];
  bind(op.getResult(), std::move(result));
}

void Emitter::emit_group_wait(tile_gpu::GroupWaitOp op) {
  Registers sums;
  touch_stored(op.getProduct().getDefiningOp<tile_gpu::GroupDotOp>(), [&] { sums = target_.group_wait(b_, registers(op.getProduct()), static_cast<int>(op.getBegunSince())); });
  bind(op.getResult(), std::move(sums));
}

void Emitter::touch_stored(tile_gpu::GroupDotOp op, llvm::function_ref<void()> emit) {
  llvm::SmallVector<mlir::Attribute> accesses;
  for (Value tile : {Value(op.getAShared()), Value(op.getBShared())})
    if (tile) accesses.push_back(access_of(tile_gpu::AccessKind::Load, shared_tile(tile, {})));
  if (accesses.empty()) return emit();
  marker_.mark(tile_gpu::kAccessAttr, accesses.size() == 1 ? accesses.front() : b_.getArrayAttr(accesses), emit);
}

}  // namespace tilewright::gpu
