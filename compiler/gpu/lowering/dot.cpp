// Matrix products: by the target's matrix instruction on fragments, or element by element from scratch.
#include "compiler/gpu/dot_layouts.h"
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/lowering/places.h"
#include "compiler/transforms/float8.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <algorithm>
#include <initializer_list>
#include <map>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using layout::Layout;

void Emitter::emit_dot(tile::DotOp op) {
  if (const auto reason = op->getAttrOfType<mlir::StringAttr>(tile_gpu::kReasonAttr)) remark(op, "dot warp by warp, not by groups of warps: " + reason.str());
  if (const auto note = op->getAttrOfType<mlir::StringAttr>(tile::kNoteAttr)) remark(op, note.str());
  const DotLayouts layouts = operand_layouts(target_, op, layout_of(op.getAcc()));
  if (layouts.instruction) return emit_matrix_dot(op, *layouts.instruction);
  if (op.getAcc().getType().getNumElements() >= 1024) remark(op, "dot by scalar instructions: " + target_.name() + " has no matrix instruction for these elements and extents");
  emit_scalar_dot(op);
}

void Emitter::emit_matrix_dot(tile::DotOp op, const MatrixInstruction& instruction) {
  const Layout &a_layout = layout_of(op.getA()), &b_layout = layout_of(op.getB()), &acc_layout = layout_of(op.getAcc());
  Registers acc = registers(op.getAcc());
  const auto a_places = places_of(a_layout), b_places = places_of(b_layout), acc_places = places_of(acc_layout);
  const auto a_fragment = fragment_places(instruction.a), b_fragment = fragment_places(instruction.b), acc_fragment = fragment_places(instruction.acc);
  const std::int64_t depth = a_layout.extents()[1];

  // The registers of an operand's fragment; those of none are held by no thread of any use.
  const auto gather = [&](Value tile, const std::map<Place, int>& places, const std::vector<Place>& fragment, std::int64_t row, std::int64_t column) {
    Registers gathered;
    for (auto [r, c] : fragment) {
      const auto found = places.find({row + r, column + c});
      gathered.push_back(found == places.end() ? zero(tile_type(tile).getElementType()) : fetch(tile, found->second));
    }
    return gathered;
  };
  const auto step = [&](Place corner, std::int64_t k) {
    const auto [row, column] = corner;
    Registers sum;
    for (auto [r, c] : acc_fragment) {
      const auto found = acc_places.find({row + r, column + c});
      sum.push_back(found == acc_places.end() ? zero(acc.front().getType()) : acc[found->second]);
    }
    sum = target_.multiply(b_, instruction, gather(op.getA(), a_places, a_fragment, row, k), gather(op.getB(), b_places, b_fragment, k, column), sum);
    for (auto [i, place] : llvm::enumerate(acc_fragment)) {
      const auto found = acc_places.find({row + place.first, column + place.second});
      if (found != acc_places.end()) acc[found->second] = sum[i];
    }
  };
  llvm::SmallVector<Place> corners;  // of the accumulator's fragments, in thread 0
  for (const auto& [place, reg] : acc_places)
    if (place.first % instruction.m == 0 && place.second % instruction.n == 0) corners.push_back(place);

  // Operands that are still in memory are read step by step along the depth, so that few fragments wait in registers.
  if (loaders_.contains(op.getA()) || loaders_.contains(op.getB())) {
    for (std::int64_t k = 0; k < depth; k += instruction.k)
      for (const Place& corner : corners) step(corner, k);
  } else {
    for (const Place& corner : corners)
      for (std::int64_t k = 0; k < depth; k += instruction.k) step(corner, k);
  }
  bind(op.getResult(), std::move(acc));
}

void Emitter::emit_scalar_dot(tile::DotOp op) {
  const Layout& acc_layout = layout_of(op.getAcc());
  const mlir::Type element = op.getA().getType().getElementType(), held = memory_type(element), sum_type = op.getAcc().getType().getElementType();
  const auto a_shape = op.getA().getType().getShape(), b_shape = op.getB().getType().getShape();
  const std::int64_t size = bytes_of(element), depth = a_shape.back(), columns = b_shape.back(), rows = a_shape[a_shape.size() - 2];
  const bool batched = op.hasBatch();

  // In as few parts of the depth as shared memory has room for.
  constexpr std::int64_t kAlignments = 64;  // bytes that the beginnings of two buffers may leave free
  const std::int64_t batches = batched ? a_shape[0] : 1, depth_bytes = batches * (rows + columns) * size;
  const std::int64_t room = target_.max_shared_bytes() - staged_bytes(op) - kAlignments;
  const std::int64_t parts = llvm::divideCeil(depth, std::clamp<std::int64_t>(room / depth_bytes, 1, depth));
  const std::int64_t part = llvm::divideCeil(depth, parts);

  // Rows of a and columns of b that this thread needs, each read once a step. Coordinates outside the tile are clamped: their sums are not used.
  const int row_axis = batched ? 1 : 0;
  const auto bounded = [&](int axis, int reg) { return bounded_coordinate(acc_layout, axis, reg); };
  std::map<std::vector<std::int64_t>, Value> a_offsets, b_offsets;  // bytes, by coordinates in thread 0
  std::vector<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> of_register;
  for (int reg = 0; reg < acc_layout.registers(); ++reg) {
    const auto at = acc_layout.coordinates({.reg = reg});
    const std::int64_t batch = batched ? at[0] : 0;
    std::vector<std::int64_t> row{batch, at[row_axis]}, column{batch, at[row_axis + 1]};
    if (!a_offsets.contains(row)) {
      Value index = bounded(row_axis, reg);
      if (batched) index = add(arith::MulIOp::create(b_, bounded(0, reg), i32(rows)), index);
      a_offsets[row] = arith::MulIOp::create(b_, index, i32(part * size));
    }
    if (!b_offsets.contains(column)) {
      Value index = bounded(row_axis + 1, reg);
      if (batched) index = add(arith::MulIOp::create(b_, bounded(0, reg), i32(part * columns)), index);
      b_offsets[column] = arith::MulIOp::create(b_, index, i32(size));
    }
    of_register.emplace_back(std::move(row), std::move(column));
  }

  const auto widened = [&](Value value, mlir::TypeAttr format) -> Value {
    if (format) return decode_float8(b_, value, format.getValue());
    if (value.getType() == sum_type) return value;
    if (llvm::isa<mlir::FloatType>(sum_type)) return arith::ExtFOp::create(b_, sum_type, value);
    return op.getIsUnsigned() ? arith::ExtUIOp::create(b_, sum_type, value).getResult() : arith::ExtSIOp::create(b_, sum_type, value).getResult();
  };
  const auto tail = [&](std::initializer_list<std::int64_t> strides) { return llvm::SmallVector<std::int64_t>(batched ? strides.begin() : strides.begin() + 1, strides.end()); };
  Registers sums = registers(op.getAcc());
  for (std::int64_t first = 0; first < depth; first += part) {
    const std::int64_t count = std::min(part, depth - first);
    Value a_base = open_scratch(batches * rows * part * size), b_base = open_scratch(batches * part * columns * size);
    write_strided(registers(op.getA()), layout_of(op.getA()), element, a_base, tail({rows * part, part, 1}), Window{row_axis + 1, first, count});
    write_strided(registers(op.getB()), layout_of(op.getB()), element, b_base, tail({part * columns, columns, 1}), Window{row_axis, first, count});
    publish_scratch();
    auto loop = scf::ForOp::create(b_, i32(0), i32(count), i32(1), sums);
    mlir::OpBuilder::InsertionGuard guard(b_);
    mlir::Block* body = loop.getBody();
    if (!body->empty() && body->back().hasTrait<mlir::OpTrait::IsTerminator>()) body->back().erase();
    b_.setInsertionPointToEnd(body);
    Value a_step = arith::MulIOp::create(b_, loop.getInductionVar(), i32(size));
    Value b_step = arith::MulIOp::create(b_, loop.getInductionVar(), i32(columns * size));
    std::map<std::vector<std::int64_t>, Value> a_values, b_values;
    for (const auto& [key, offset] : a_offsets) a_values[key] = widened(load_shared(held, shared_address(a_base, add(offset, a_step))), op.getAFormatAttr());
    for (const auto& [key, offset] : b_offsets) b_values[key] = widened(load_shared(held, shared_address(b_base, add(offset, b_step))), op.getBFormatAttr());
    Registers next;
    for (auto [reg, sum] : llvm::enumerate(loop.getRegionIterArgs())) {
      Value x = a_values[of_register[reg].first], y = b_values[of_register[reg].second];
      if (llvm::isa<mlir::FloatType>(sum_type)) next.push_back(mlir::math::FmaOp::create(b_, x, y, sum));
      else next.push_back(add(sum, arith::MulIOp::create(b_, x, y)));
    }
    scf::YieldOp::create(b_, next);
    sums = llvm::to_vector(mlir::ValueRange(loop.getResults()));
  }
  bind(op.getResult(), std::move(sums));
}

}  // namespace tilewright::gpu
