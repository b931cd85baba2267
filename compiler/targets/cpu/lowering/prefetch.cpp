// Loops whose author asks for several iterations in flight: while one iteration multiplies, the tiles that the next one loads are brought into the cache.
//
// Rows of a tile are short and far apart in memory, so the prefetchers of the processor do not see them coming, and the loop that copies a tile into scratch would wait for each.
// The requests are spread over the blocks of the first dot of the body: all at once, they would take the places in which its own cache misses wait.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <utility>

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

constexpr std::int64_t kLineBytes = 64;
constexpr std::int32_t kRead = 0, kSecondLevel = 2, kData = 1;  // arguments of llvm.prefetch

}  // namespace

// A scalar of the loop's body as it will be in the next iteration; no value where that cannot be computed from the induction variable.
Emitter::Value Emitter::in_next_iteration(Value value, scf::ForOp loop) {
  if (value == loop.getInductionVar()) return arith::AddIOp::create(b_, scalar(value), scalar(loop.getStep()));
  if (loop.isDefinedOutsideOfLoop(value)) return scalar(value);
  mlir::Operation* op = value.getDefiningOp();
  if (!op || !is_elementwise(op)) return llvm::isa_and_nonnull<arith::ConstantOp>(op) ? scalar(value) : Value();
  llvm::SmallVector<Lanes> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back({in_next_iteration(operand, loop), true});
    if (!operands.back().value) return {};
  }
  return elementwise(op, operands).value;
}

// Where the tile that `load` reads in the next iteration lies; nothing where that is not known, or not rows of consecutive elements.
std::optional<Emitter::NextTile> Emitter::next_tile(tile::LoadOp load, scf::ForOp loop) {
  const auto type = tile_type(load.getResult());
  if (!type || plan_.is_inline(load.getResult()) || !loop.isDefinedOutsideOfLoop(load.getView())) return {};
  const ViewParts& view = views_.find(load.getView())->second;
  const llvm::ArrayRef<std::int64_t> maps = load.getMaps();
  if (!view.unit_inner_stride || maps.empty() || maps.back() < 0) return {};

  NextTile next;
  next.element = memory_type(view.element);
  next.elements = type.getDimSize(maps.back());
  next.row_stride = i64(0);
  Value offset = i64(0);
  bool moves = false;
  for (auto [d, map] : llvm::enumerate(maps)) {
    Value index = load.getIndices()[d];
    if (tile_type(index)) return {};
    moves |= !loop.isDefinedOutsideOfLoop(index);
    Value first = in_next_iteration(index, loop);
    if (!first) return {};
    const bool inner = d + 1 == maps.size();
    offset = arith::AddIOp::create(b_, offset, inner ? first : arith::MulIOp::create(b_, first, view.strides[d]).getResult());
    if (inner || map < 0 || type.getDimSize(map) == 1) continue;
    if (next.rows != 1) return {};
    next.rows = type.getDimSize(map);
    next.row_stride = view.strides[d];
  }
  if (!moves) return {};
  next.address = gep(view.base, offset, next.element);
  return next;
}

Emitter::NextTiles Emitter::next_tiles(scf::ForOp loop) {
  NextTiles next{loop.getBody(), {}};
  const auto stages = loop->getAttrOfType<mlir::IntegerAttr>(tile::kStagesAttr);
  if (!stages || stages.getInt() < 2 || loop.getBody()->getOps<tile::DotOp>().empty()) return next;
  for (auto load : loop.getBody()->getOps<tile::LoadOp>()) {
    if (const std::optional<NextTile> tile = next_tile(load, loop)) next.tiles.push_back(*tile);
  }
  return next;
}

void Emitter::prefetch(const NextTile& tile, Value part, std::int64_t parts) {
  const std::int64_t per_line = std::max<std::int64_t>(1, kLineBytes / size_in_bytes(tile.element));
  const std::int64_t row_lines = (tile.elements + per_line - 1) / per_line, lines = tile.rows * row_lines;
  const std::int64_t share = (lines + parts - 1) / parts, parts_with_lines = (lines + share - 1) / share;
  mlir::OpBuilder::InsertionGuard guard(b_);
  if (parts_with_lines < parts) {
    auto branch = scf::IfOp::create(b_, arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, part, i64(parts_with_lines)), /*withElseRegion=*/false);
    b_.setInsertionPointToStart(branch.thenBlock());
  }
  Value first = arith::MulIOp::create(b_, part, i64(share));
  for (std::int64_t i = 0; i < share; ++i) {
    Value line = arith::AddIOp::create(b_, first, i64(i));
    Value row = arith::DivUIOp::create(b_, line, i64(row_lines)), in_row = arith::RemUIOp::create(b_, line, i64(row_lines));
    Value offset = arith::AddIOp::create(b_, arith::MulIOp::create(b_, row, tile.row_stride), arith::MulIOp::create(b_, in_row, i64(per_line)));
    LLVM::Prefetch::create(b_, gep(tile.address, offset, tile.element), kRead, kSecondLevel, kData);
  }
}

}  // namespace tilewright::cpu
