// Loads and stores of tiles in tensors: addresses, bounds, masks.
#include "compiler/targets/cpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

void Emitter::collect_loads(Value tile, llvm::SmallVectorImpl<tile::LoadOp>& loads) {
  if (buffers_.contains(tile)) return;
  mlir::Operation* op = tile.getDefiningOp();
  if (!op || !tile_type(tile)) return;
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) loads.push_back(load);
  for (Value operand : op->getOperands()) collect_loads(operand, loads);
}

// Whether a tile lies inside the view along every dimension with a scalar index; no value if no dimension has one. Other dimensions are always checked.
Emitter::Value Emitter::inside(Value view, mlir::OperandRange indices, llvm::ArrayRef<std::int64_t> maps, llvm::ArrayRef<std::int64_t> shape) {
  const ViewParts& parts = views_.find(view)->second;
  Value result;
  for (auto [d, map] : llvm::enumerate(maps)) {
    if (tile_type(indices[d])) continue;
    Value first = scalar(indices[d]);
    const std::int64_t extent = map >= 0 ? shape[map] : 1;
    Value not_below = arith::CmpIOp::create(b_, arith::CmpIPredicate::sge, first, i64(0));
    Value room = arith::SubIOp::create(b_, parts.sizes[d], i64(extent));
    Value not_above = arith::CmpIOp::create(b_, arith::CmpIPredicate::sle, first, room);
    result = and_(result, and_(not_below, not_above));
  }
  return result;
}

Emitter::Access Emitter::access(const ViewParts& view, mlir::OperandRange indices, llvm::ArrayRef<std::int64_t> maps, const Coords& at, bool check) {
  llvm::SmallVector<Coord, 4> coords;
  llvm::SmallVector<bool, 4> checked;
  for (auto [d, map] : llvm::enumerate(maps)) {
    if (!tile_type(indices[d])) {
      Value first = scalar(indices[d]);
      Coord coord{Coord::Uniform, first};
      if (map >= 0) {
        coord = at[map];
        Value base = coord.kind == Coord::PerLane ? splat(first) : first;
        coord.value = arith::AddIOp::create(b_, coord.value, base);
      }
      coords.push_back(coord);
      checked.push_back(check);
      continue;
    }
    Lanes index = map >= 0 ? evaluate(indices[d], Coords{at[map]}) : evaluate(indices[d], at);
    if (!mlir::getElementTypeOrSelf(index.value.getType()).isInteger(64))
      index.value = arith::ExtSIOp::create(b_, index.uniform ? b_.getI64Type() : with_lanes(b_.getI64Type()), index.value);
    coords.push_back({index.uniform ? Coord::Uniform : Coord::PerLane, index.value});
    checked.push_back(true);
  }

  Access result;
  const auto varies = [](const Coord& coord) { return coord.kind != Coord::Uniform; };
  result.uniform = llvm::none_of(coords, varies);
  result.consecutive = !result.uniform && llvm::count_if(coords, varies) == 1 && coords.back().kind == Coord::Consecutive && view.unit_inner_stride;

  Value offset = i64(0), uniform_bounds, lane_bounds;
  for (auto [d, coord] : llvm::enumerate(coords)) {
    const bool in_lanes = varies(coord) && !result.consecutive;
    const bool inner = d + 1 == coords.size() && view.unit_inner_stride;
    Value position = in_lanes ? lane_positions(coord) : coord.value;
    Value scaled = position;
    if (!inner) scaled = arith::MulIOp::create(b_, position, in_lanes ? splat(view.strides[d]) : view.strides[d]);
    if (in_lanes) result.offsets = result.offsets ? arith::AddIOp::create(b_, result.offsets, scaled).getResult() : scaled;
    else offset = arith::AddIOp::create(b_, offset, scaled);

    if (!checked[d]) continue;
    // One unsigned comparison tests both ends.
    if (varies(coord)) {
      Value lanes = lane_positions(coord);
      lane_bounds = and_(lane_bounds, arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, lanes, splat(view.sizes[d])));
    } else {
      uniform_bounds = and_(uniform_bounds, arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, coord.value, view.sizes[d]));
    }
  }
  result.base = gep(view.base, offset, memory_type(view.element));
  if (lane_bounds) result.in_bounds = {uniform_bounds ? and_values(lane_bounds, splat(uniform_bounds)) : lane_bounds, false};
  else if (uniform_bounds) result.in_bounds = {uniform_bounds, true};
  return result;
}

// On AVX and AVX2, LLVM 22 reads a whole register where only its instruction selection finds out that no lane of it is wanted, as in the upper half of a mask
// `m & constant` over two registers. So no lane of a computed mask is known to be false; a mask that is all constant is seen early and treated well.
Emitter::Value Emitter::load_mask(Value mask) {
  if (target_.vector_bits != 256) return mask;
  Value never = arith::XOrIOp::create(b_, always_, int_like(b_.getI1Type(), 1));
  return arith::OrIOp::create(b_, mask, splat(never));
}

Lanes Emitter::load_memory(const ViewParts& view, const Access& access, Lanes mask, Lanes other) {
  const mlir::Type memory = memory_type(view.element);
  const auto to_register = [&](Value bits) -> Value {
    if (view.element.isInteger(1)) return arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, bits, int_like(bits.getType(), 0));
    if (view.element.isF16() || view.element.isBF16()) return widen_bits(bits, view.element);
    return bits;
  };

  // Which lanes may be read, and which get `other`.
  Value allowed;
  bool allowed_uniform = true;
  for (const Lanes& condition : {access.in_bounds, mask}) {
    if (!condition.value) continue;
    if (!condition.uniform && allowed_uniform && allowed) allowed = splat(allowed);
    allowed_uniform &= condition.uniform;
    allowed = and_(allowed, allowed_uniform ? condition.value : as_vector(condition));
  }
  const mlir::Type element = register_type(view.element);

  if (access.uniform) {
    // Where reading is not allowed, or only in some lanes, a harmless address stands in; the choice follows after.
    Value address = access.base;
    if (access.in_bounds.value && access.in_bounds.uniform) address = arith::SelectOp::create(b_, access.in_bounds.value, address, scratch_);
    if (mask.value && mask.uniform) address = arith::SelectOp::create(b_, mask.value, address, scratch_);
    if (mask.value && !mask.uniform) {
      // Read if any lane asks for it: such a lane's mask vouches only for coordinates inside the bounds, which are checked.
      Value any = mlir::LLVM::vector_reduce_or::create(b_, b_.getI1Type(), mask.value);
      address = arith::SelectOp::create(b_, any, address, scratch_);
    }
    Value value = to_register(LLVM::LoadOp::create(b_, memory, address, size_in_bytes(memory)));
    if (!allowed) return {value, true};
    const bool uniform = allowed_uniform && (!other.value || other.uniform);
    Value fallback = other.value ? other.value : constant_like(element, 0);
    if (uniform) return {arith::SelectOp::create(b_, allowed, value, fallback), true};
    return {arith::SelectOp::create(b_, splat(allowed), splat(value), splat(fallback)), false};
  }

  Value lanes = and_(allowed ? splat(allowed) : Value(), valid_mask());
  Value value;
  if (access.consecutive) {
    if (allowed) lanes = load_mask(lanes);
    value = load_vector(access.base, memory, lanes, lanes ? splat(constant_like(memory, 0)) : Value());
  } else {
    Value pointers = lane_offsets_address(access.base, access.offsets, memory);
    Value mask_value = lanes ? lanes : splat(int_like(b_.getI1Type(), 1));
    value = LLVM::masked_gather::create(b_, with_lanes(memory), pointers, mask_value, mlir::ValueRange{splat(constant_like(memory, 0))},
                                        static_cast<unsigned>(size_in_bytes(memory)));
  }
  value = to_register(value);
  if (allowed && other.value) value = arith::SelectOp::create(b_, splat(allowed), value, as_vector(other));
  return {value, false};
}

// LLVM 22 makes of a masked store of truncated elements, under a constant mask with one lane, a store of the element before truncation: it overwrites the
// neighbours. So masks of elements that may come from a truncation are never constant.
Emitter::Value Emitter::store_mask(Value mask, mlir::Type memory_element) {
  return size_in_bytes(memory_element) < 8 ? and_values(mask, splat(always_)) : mask;
}

void Emitter::store_memory(const ViewParts& view, const Access& access, Lanes mask, Lanes value) {
  const mlir::Type memory = memory_type(view.element);
  const bool narrow = view.element.isF16() || view.element.isBF16();
  const auto to_memory = [&](Value x) -> Value {
    if (view.element.isInteger(1)) return arith::ExtUIOp::create(b_, llvm::isa<mlir::VectorType>(x.getType()) ? with_lanes(memory) : memory, x);
    return narrow ? narrow_bits(x, view.element) : x;
  };
  // A uniform address takes the value of one lane: of any that is allowed to store, so of a scalar value and mask. Tiles with repeated elements are stored
  // lane by lane through a scatter.
  if (access.uniform && value.uniform && (!mask.value || mask.uniform)) {
    Value allowed = and_(access.in_bounds.value, mask.value);
    const auto store = [&] { LLVM::StoreOp::create(b_, to_memory(value.value), access.base, size_in_bytes(memory)); };
    if (!allowed) return store();
    auto branch = mlir::scf::IfOp::create(b_, allowed, /*withElseRegion=*/false);
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(branch.thenBlock());
    return store();
  }
  Value allowed = valid_mask();
  for (const Lanes& condition : {access.in_bounds, mask}) {
    if (condition.value) allowed = and_(allowed, as_vector(condition));
  }
  Value bits = to_memory(as_vector(value));
  const auto alignment = static_cast<std::uint32_t>(size_in_bytes(memory));
  if (access.consecutive) {
    if (allowed) LLVM::MaskedStoreOp::create(b_, bits, access.base, store_mask(allowed, memory), alignment);
    else LLVM::StoreOp::create(b_, bits, access.base, alignment);
    return;
  }
  Value offsets = access.offsets ? access.offsets : splat(i64(0));
  if (!allowed) allowed = splat(int_like(b_.getI1Type(), 1));
  LLVM::masked_scatter::create(b_, bits, lane_offsets_address(access.base, offsets, memory), store_mask(allowed, memory), alignment);
}

Lanes Emitter::evaluate_load(tile::LoadOp op, const Coords& at) {
  const ViewParts& view = views_.find(op.getView())->second;
  const Access where = access(view, op.getIndices(), op.getMaps(), at, check_bounds_);
  if (!where.uniform && !where.consecutive) remark(op, "load gathers lane by lane: its last axis does not run along a dimension known to have stride 1");
  Lanes mask, other;
  if (op.getMask()) mask = evaluate(op.getMask(), at);
  if (op.getOther()) other = evaluate(op.getOther(), at);
  return load_memory(view, where, mask, other);
}

void Emitter::emit_store(tile::StoreOp op) {
  const ViewParts& view = views_.find(op.getView())->second;
  const auto store_at = [&](const Coords& at) {
    const Access where = access(view, op.getIndices(), op.getMaps(), at, check_bounds_);
    if (!where.uniform && !where.consecutive) remark(op, "store scatters lane by lane: its last axis does not run along a dimension known to have stride 1");
    Lanes mask;
    if (op.getMask()) mask = evaluate(op.getMask(), at);
    store_memory(view, where, mask, evaluate(op.getValue(), at));
  };
  if (!tile_type(op.getValue())) return store_at({});
  llvm::SmallVector<Value> roots = {op.getValue()};
  if (op.getMask()) roots.push_back(op.getMask());
  versioned(roots, op, [&] { for_each(tile_type(op.getValue()).getShape(), store_at); });
}

}  // namespace tilewright::cpu
