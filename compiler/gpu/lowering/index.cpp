// Coordinates and offsets of what a thread holds.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/layout/queries.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

namespace tilewright::gpu {

namespace arith = mlir::arith;
using layout::IndexExpression;
using layout::Place;

Emitter::Value Emitter::thread_part(const IndexExpression& expression) {
  const auto place = [&](Place where) { return where == Place::kLane ? lane_ : warp_; };
  Value sum;
  for (const IndexExpression::Word& word : expression.words) {
    Value bits;
    for (const layout::BitField& field : word.fields()) {
      if (field.place != Place::kLane && field.place != Place::kWarp) continue;
      Value part = place(field.place);
      if (field.from != 0) part = arith::ShRUIOp::create(b_, part, i32(field.from));
      part = arith::AndIOp::create(b_, part, i32((std::int64_t{1} << field.count) - 1));
      if (field.to != 0) part = arith::ShLIOp::create(b_, part, i32(field.to));
      bits = bits ? arith::XOrIOp::create(b_, bits, part).getResult() : part;
    }
    if (bits && word.stride != 1) bits = arith::MulIOp::create(b_, bits, i32(word.stride));
    sum = add(sum, bits);
  }
  for (const IndexExpression::Digit& digit : expression.digits) {
    Value number = warp_;
    if (digit.divisor != 1) number = arith::DivUIOp::create(b_, number, i32(digit.divisor));
    number = arith::RemUIOp::create(b_, number, i32(digit.count));
    sum = add(sum, arith::MulIOp::create(b_, number, i32(digit.stride)));
  }
  return sum;
}

// The words of an expression, the constant of the register xored to each.
Emitter::Value Emitter::evaluate(const IndexExpression& expression, int reg) {
  if (expression.register_adds()) {
    Value thread = thread_part(expression);
    const std::int64_t offset = expression.register_offset(reg);
    if (!thread) return i32(offset);
    return offset == 0 ? thread : add(thread, i32(offset));
  }
  Value sum = i32(expression.registers.empty() ? 0 : expression.registers[reg]);
  for (const IndexExpression::Word& word : expression.words) sum = add(sum, xored(word, word.registers.empty() ? 0 : word.registers[reg]));
  return add(sum, digits_part(expression));
}

Emitter::Position Emitter::position(const IndexExpression& expression, int reg) {
  if (expression.register_adds()) return {thread_part(expression), expression.register_offset(reg)};
  Position at{digits_part(expression), expression.registers.empty() ? 0 : expression.registers[reg]};
  for (const IndexExpression::Word& word : expression.words) {
    const std::uint32_t own = word.registers.empty() ? 0 : word.registers[reg], meets = own & word.thread_mask();
    at.variable = add(at.variable, xored(word, meets));
    at.constant += static_cast<std::int64_t>(own - meets) * word.stride;
  }
  return at;
}

Emitter::Value Emitter::xored(const IndexExpression::Word& word, std::uint32_t constant) {
  IndexExpression single;
  single.words = {word};
  single.words[0].stride = 1;
  Value bits = thread_part(single);
  if (!bits) return constant == 0 ? Value() : i32(constant * word.stride);
  if (constant != 0) bits = arith::XOrIOp::create(b_, bits, i32(constant));
  return word.stride == 1 ? bits : arith::MulIOp::create(b_, bits, i32(word.stride)).getResult();
}

Emitter::Value Emitter::digits_part(const IndexExpression& expression) {
  IndexExpression digits;
  digits.digits = expression.digits;
  return thread_part(digits);
}

Emitter::Value Emitter::coordinate(const Layout& layout, int axis, int reg) { return evaluate(layout::coordinate_expression(layout, axis), reg); }

Emitter::Value Emitter::bounded_coordinate(const Layout& layout, int axis, int reg) {
  Value at = coordinate(layout, axis, reg);
  if (layout.covered_extent(axis) > layout.extents()[axis]) at = arith::MinSIOp::create(b_, at, i32(layout.extents()[axis] - 1));
  return at;
}

Emitter::Value Emitter::inside(const Layout& layout, const layout::Bounds& bounds, int reg) {
  Value all;
  for (int axis : bounds.axes) {
    Value within = arith::CmpIOp::create(b_, arith::CmpIPredicate::slt, coordinate(layout, axis, reg), i32(layout.extents()[axis]));
    all = and_(all, within);
  }
  return all;
}

Emitter::Value Emitter::owned(const Layout& layout) {
  const layout::Owners owners = layout::owners(layout);
  Value all;
  const auto is_zero = [&](Value number) { all = and_(all, arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, number, i32(0))); };
  if (owners.lane_mask != 0) is_zero(arith::AndIOp::create(b_, lane_, i32(owners.lane_mask)));
  if (owners.warp_mask != 0) is_zero(arith::AndIOp::create(b_, warp_, i32(owners.warp_mask)));
  for (const layout::Owners::Digit& digit : owners.digits) {
    if (digit.place != Place::kWarp) continue;
    Value number = digit.divisor == 1 ? warp_ : arith::DivUIOp::create(b_, warp_, i32(digit.divisor)).getResult();
    is_zero(arith::RemUIOp::create(b_, number, i32(digit.count)));
  }
  return all;
}

std::vector<int> Emitter::matching_registers(const Layout& to, const Layout& from, llvm::ArrayRef<std::pair<int, int>> axes) {
  // Equal in thread 0 means equal in every thread, for both layouts distribute threads in the same way along these axes.
  std::map<std::vector<std::int64_t>, int> places;
  const auto key = [&](const Layout& layout, int reg, bool is_target) {
    const std::vector<std::int64_t> at = layout.coordinates({.reg = reg});
    std::vector<std::int64_t> coordinates;
    for (auto [target_axis, source_axis] : axes) coordinates.push_back(at[is_target ? target_axis : source_axis]);
    return coordinates;
  };
  for (int reg = 0; reg < from.registers(); ++reg) places.try_emplace(key(from, reg, false), reg);
  std::vector<int> matches;
  for (int reg = 0; reg < to.registers(); ++reg) {
    const auto found = places.find(key(to, reg, true));
    matches.push_back(found == places.end() ? -1 : found->second);
  }
  return matches;
}

}  // namespace tilewright::gpu
