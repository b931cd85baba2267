// Reductions along an axis: first the registers of a thread, then the lanes of a warp by exchanges, then the warps through scratch.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/layout/queries.h"
#include "compiler/layout/shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
using layout::Place;
using tile::ReduceKind;

namespace {

constexpr std::int64_t kTogether = 8 << 10;  // bytes of scratch that partial results may take at once

}  // namespace

Registers Emitter::combine(ReduceKind kind, mlir::Region& region, mlir::ValueRange left, mlir::ValueRange right) {
  const auto one = [&](Value value) { return Registers{value}; };
  const mlir::Type type = left.front().getType();
  const bool real = llvm::isa<mlir::FloatType>(type);
  Value x = left.front(), y = right.front();
  switch (kind) {
    case ReduceKind::Sum: return one(real ? arith::AddFOp::create(b_, x, y).getResult() : arith::AddIOp::create(b_, x, y).getResult());
    case ReduceKind::Prod: return one(real ? arith::MulFOp::create(b_, x, y).getResult() : arith::MulIOp::create(b_, x, y).getResult());
    case ReduceKind::MinS: return one(arith::MinSIOp::create(b_, x, y));
    case ReduceKind::MinU: return one(arith::MinUIOp::create(b_, x, y));
    case ReduceKind::MaxS: return one(arith::MaxSIOp::create(b_, x, y));
    case ReduceKind::MaxU: return one(arith::MaxUIOp::create(b_, x, y));
    case ReduceKind::MinF: return one(arith::MinimumFOp::create(b_, x, y));
    case ReduceKind::MaxF: return one(arith::MaximumFOp::create(b_, x, y));
    case ReduceKind::And: return one(arith::AndIOp::create(b_, x, y));
    case ReduceKind::Or: return one(arith::OrIOp::create(b_, x, y));
    case ReduceKind::Xor: return one(arith::XOrIOp::create(b_, x, y));
    case ReduceKind::Custom: break;
  }
  // The region's scalars, element by element.
  mlir::Block& block = region.front();
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) scalars_[argument] = i < left.size() ? left[i] : right[i - left.size()];
  emit_block(block);
  Registers yielded;
  for (Value value : block.getTerminator()->getOperands()) yielded.push_back(scalar(value));
  return yielded;
}

Emitter::Value Emitter::identity(ReduceKind kind, mlir::Type element) {
  const auto real = [&](double value) { return arith::ConstantOp::create(b_, b_.getFloatAttr(element, value)).getResult(); };
  const unsigned width = element.getIntOrFloatBitWidth();
  const auto integer = [&](const llvm::APInt& value) { return arith::ConstantOp::create(b_, b_.getIntegerAttr(element, value)).getResult(); };
  switch (kind) {
    case ReduceKind::Sum: return llvm::isa<mlir::FloatType>(element) ? real(-0.0) : zero(element);
    case ReduceKind::Prod: return constant(element, 1);
    case ReduceKind::MinS: return integer(llvm::APInt::getSignedMaxValue(width));
    case ReduceKind::MaxS: return integer(llvm::APInt::getSignedMinValue(width));
    case ReduceKind::MinU: case ReduceKind::And: return integer(llvm::APInt::getAllOnes(width));
    case ReduceKind::MaxU: case ReduceKind::Or: case ReduceKind::Xor: return zero(element);
    case ReduceKind::MinF: return real(std::numeric_limits<double>::infinity());
    case ReduceKind::MaxF: return real(-std::numeric_limits<double>::infinity());
    case ReduceKind::Custom: return {};
  }
  return {};
}

Emitter::AcrossLanes Emitter::across_lanes(tile::ReduceOp op) {
  const mlir::Type element = tile::element_type_of(op.getInputs().front().getType());
  const Layout& layout = layout_of(op.getInputs().front());
  if (op.getKind() == ReduceKind::Custom || op.getInputs().size() != 1 || !element.isIntOrIndex() || element.getIntOrFloatBitWidth() > 32) return {};
  const auto threads = layout::axis_threads(layout, static_cast<int>(op.getAxis()));
  const bool every_lane = 1 << threads.lane_masks.size() == target_.lanes();
  // Where lanes hold copies, of what all lanes reduce together, one of each counts.
  if (threads.lane_masks.empty() || (!every_lane && (layout.rank() != 1 || warps_ != 1))) return {};
  return [this, kind = op.getKind(), element, &layout, every_lane](Value part) -> Value {
    if (!every_lane) part = select(owned(layout), part, identity(kind, element));
    const mlir::Type word_type = b_.getI32Type();
    const bool is_signed = kind == ReduceKind::MinS || kind == ReduceKind::MaxS;
    Value word = element == word_type ? part : is_signed ? arith::ExtSIOp::create(b_, word_type, part).getResult() : arith::ExtUIOp::create(b_, word_type, part).getResult();
    word = target_.combine_lanes(b_, kind, word);
    return !word || element == word_type ? word : arith::TruncIOp::create(b_, element, word).getResult();
  };
}

std::vector<Registers> Emitter::reduce(llvm::ArrayRef<Registers> tiles, const Layout& layout, int axis, llvm::ArrayRef<Value> identity, Combine combine, const AcrossLanes& across) {
  const layout::Sliced sliced = layout::sliced(layout, axis);
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  const std::size_t n = tiles.size();

  // Without a neutral element a further value tells whether there is anything yet: combined only where both sides have something.
  bool partial = false;
  for (const layout::Bounds& bound : bounds) partial |= bound.validity != layout::Validity::kAlways && llvm::is_contained(bound.axes, axis);
  const bool counted = partial && identity.empty();
  const Value truth = counted ? constant(b_.getI1Type(), 1) : Value();
  const auto join = [&](mlir::ValueRange left, mlir::ValueRange right) {
    Registers joined = combine(left.take_front(n), right.take_front(n));
    if (!counted) return joined;
    Value has_left = left[n], has_right = right[n];
    for (std::size_t i = 0; i < n; ++i) joined[i] = select(has_left, select(has_right, joined[i], left[i]), right[i]);
    joined.push_back(arith::OrIOp::create(b_, has_left, has_right));
    return joined;
  };

  // Registers.
  std::vector<Registers> parts(sliced.layout.registers());
  for (int reg = 0; reg < layout.registers(); ++reg) {
    const int into = sliced.register_of[reg];
    if (into < 0 || bounds[reg].validity == layout::Validity::kNever) continue;
    Value there = llvm::is_contained(bounds[reg].axes, axis) ? inside(layout, bounds[reg], reg) : Value();
    Registers own;
    for (std::size_t i = 0; i < n; ++i) own.push_back(there && !counted ? select(there, tiles[i][reg], identity[i]) : tiles[i][reg]);
    if (counted) own.push_back(there ? there : truth);
    parts[into] = parts[into].empty() ? own : join(parts[into], own);
  }
  for (Registers& part : parts) {
    if (!part.empty()) continue;  // nothing of this register lies inside in any thread
    for (std::size_t i = 0; i < n; ++i) part.push_back(identity.empty() ? zero(tiles[i].front().getType()) : identity[i]);
    if (counted) part.push_back(constant(b_.getI1Type(), 0));
  }

  // Lanes.
  const layout::AxisThreads threads = layout::axis_threads(layout, axis);
  const auto at_once = [&](Registers& part) {
    Value all = across && !counted ? across(part.front()) : Value();
    if (all) part = {all};
    return static_cast<bool>(all);
  };
  const bool lanes_done = llvm::all_of(parts, at_once);
  for (std::uint32_t mask : lanes_done ? llvm::ArrayRef<std::uint32_t>() : llvm::ArrayRef<std::uint32_t>(threads.lane_masks)) {
    for (Registers& part : parts) {
      Registers other;
      for (Value value : part)
        llvm::append_range(other, shuffled({value}, [&](Value word) { return target_.shuffle_xor(b_, word, static_cast<int>(mask)); }));
      part = join(part, other);
    }
  }

  // Warps: each publishes its parts, every warp combines all of its partners'.
  std::vector<std::pair<std::uint32_t, std::pair<int, int>>> steps;  // mask, or divisor and count of a digit
  for (std::uint32_t mask : threads.warp_masks) steps.push_back({mask, {0, 0}});
  int divisor = 1 << layout.atom().input_bits(layout::place_name(Place::kWarp));
  for (const layout::Repeat& repeat : layout.repeats()) {
    if (repeat.place != Place::kWarp) continue;
    if (repeat.axis == axis) steps.push_back({0, {divisor, repeat.count}});
    divisor *= repeat.count;
  }
  for (const auto& [mask, digit] : steps) {
    const int lanes = target_.lanes();
    std::int64_t bytes = 0;
    llvm::SmallVector<std::int64_t> offsets;  // of each value of a part
    for (Value value : parts.front()) {
      bytes = llvm::alignTo(bytes, bytes_of(value.getType()));
      offsets.push_back(bytes);
      bytes += bytes_of(value.getType()) * lanes * warps_;
    }
    // All parts in one go, as long as they fit.
    const std::size_t together = std::max<std::size_t>(1, static_cast<std::size_t>(kTogether / bytes));
    for (std::size_t first_part = 0; first_part < parts.size(); first_part += together) {
      const std::size_t end = std::min(parts.size(), first_part + together);
      bytes = llvm::alignTo(bytes, 8);
      Value base = open_scratch(bytes * static_cast<std::int64_t>(end - first_part));
      const auto place = [&](Value warp, std::size_t part, std::size_t i) {
        Value thread = arith::AddIOp::create(b_, arith::MulIOp::create(b_, warp, i32(lanes)), lane_);
        return shared_address(base, arith::MulIOp::create(b_, thread, i32(bytes_of(parts[part][i].getType()))),
                              offsets[i] + bytes * static_cast<std::int64_t>(part - first_part));
      };
      for (std::size_t part = first_part; part < end; ++part)
        for (std::size_t i = 0; i < parts[part].size(); ++i) store_shared(to_memory(parts[part][i]), place(warp_, part, i));
      publish_scratch();
      for (std::size_t part = first_part; part < end; ++part) {
        const auto fetch = [&](Value warp) {
          Registers fetched;
          for (std::size_t i = 0; i < parts[part].size(); ++i) {
            const mlir::Type type = parts[part][i].getType();
            fetched.push_back(from_memory(load_shared(memory_type(type), place(warp, part, i)), type));
          }
          return fetched;
        };
        if (mask != 0) {
          parts[part] = join(parts[part], fetch(arith::XOrIOp::create(b_, warp_, i32(mask))));
          continue;
        }
        // All values of the digit in one order, so that every warp comes to the same bits.
        Value own = arith::RemUIOp::create(b_, arith::DivUIOp::create(b_, warp_, i32(digit.first)), i32(digit.second));
        Value first = arith::SubIOp::create(b_, warp_, arith::MulIOp::create(b_, own, i32(digit.first)));
        Registers all = fetch(first);
        for (int i = 1; i < digit.second; ++i) all = join(all, fetch(add(first, i32(std::int64_t{i} * digit.first))));
        parts[part] = all;
      }
    }
  }

  std::vector<Registers> results(n);
  for (const Registers& part : parts)
    for (std::size_t i = 0; i < n; ++i) results[i].push_back(part[i]);
  return results;
}

Registers Emitter::widened_for(ReduceKind kind, Registers tile) {
  const mlir::Type element = tile.front().getType();
  if (kind == ReduceKind::Custom || !(element.isF16() || element.isBF16())) return tile;
  for (Value& value : tile) value = arith::ExtFOp::create(b_, b_.getF32Type(), value);
  return tile;
}

Registers Emitter::rounded_after(Registers tile, mlir::Type element) {
  if (tile.front().getType() == element) return tile;
  for (Value& value : tile) value = arith::TruncFOp::create(b_, element, value);
  return tile;
}

void Emitter::emit_reduce(tile::ReduceOp op) {
  const ReduceKind kind = op.getKind();
  std::vector<Registers> tiles;
  llvm::SmallVector<Value> neutral;
  for (Value input : op.getInputs()) {
    tiles.push_back(widened_for(kind, registers(input)));
    if (Value value = identity(kind, tiles.back().front().getType())) neutral.push_back(value);
  }
  std::vector<Registers> results =
      reduce(tiles, layout_of(op.getInputs().front()), static_cast<int>(op.getAxis()), neutral,
             [&](mlir::ValueRange left, mlir::ValueRange right) { return combine(kind, op.getCombiner(), left, right); }, across_lanes(op));
  for (auto [result, values] : llvm::zip(op.getResults(), results)) {
    Registers rounded = rounded_after(values, tile::element_type_of(result.getType()));
    if (tile_type(result)) bind(result, std::move(rounded));
    else scalars_[result] = rounded.front();
  }
}

// Among elements and their positions the better element wins, then the lower position. NaN loses to everything.
void Emitter::emit_arg_extreme(mlir::Operation* op, bool largest, bool is_unsigned) {
  Value input = op->getOperand(0), result = op->getResult(0);
  const auto axis = static_cast<int>(op->getAttrOfType<mlir::IntegerAttr>("axis").getInt());
  const Layout& layout = layout_of(input);
  Registers positions;
  for (int reg = 0; reg < layout.registers(); ++reg) positions.push_back(coordinate(layout, axis, reg));
  const auto better = [&](Value x, Value y) -> Value {
    if (llvm::isa<mlir::FloatType>(x.getType())) {
      // An ordered comparison is false on NaN, whatever it is compared with; what is no NaN is better than one.
      Value wins = arith::CmpFOp::create(b_, largest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, x, y);
      Value ordered = arith::CmpFOp::create(b_, arith::CmpFPredicate::ORD, x, x);
      Value nan = arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, y, y);
      return arith::OrIOp::create(b_, wins, arith::AndIOp::create(b_, ordered, nan));
    }
    const auto predicate = is_unsigned ? (largest ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult) : (largest ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt);
    return arith::CmpIOp::create(b_, predicate, x, y);
  };
  const std::vector<Registers> results = reduce({registers(input), positions}, layout, axis, {}, [&](mlir::ValueRange left, mlir::ValueRange right) {
    Value left_wins = better(left[0], right[0]), right_wins = better(right[0], left[0]);
    Value lower = arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, left[1], right[1]);
    Value take_left = arith::OrIOp::create(b_, left_wins, arith::AndIOp::create(b_, arith::XOrIOp::create(b_, right_wins, constant(b_.getI1Type(), 1)), lower));
    return Registers{select(take_left, left[0], right[0]), select(take_left, left[1], right[1])};
  });
  if (tile_type(result)) bind(result, results[1]);
  else scalars_[result] = results[1].front();
}

}  // namespace tilewright::gpu
