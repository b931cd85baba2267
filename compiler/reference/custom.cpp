// Reductions and scans whose combiner is a region of the program.
//
// A combiner works on scalars. Where it consists of elementwise operations it is run once for a whole slice of the tile, its scalars widened to
// rank-1 tiles; else once an element.
#include "compiler/reference/interpreter.h"

#include <utility>

namespace tilewright::reference {

using program::Op;
using program::Region;

namespace {

// Elements k of the axis, of every tile, as rank-1 tiles.
std::vector<Tile> line(const std::vector<Tile>& tiles, std::int64_t axis, std::int64_t k, std::int64_t elements) {
  std::vector<Tile> result;
  for (const Tile& tile : tiles) result.push_back(slice(tile, axis, k, 1).with_shape({elements}));
  return result;
}

Tile element(const Tile& tile, std::int64_t i) { return slice(tile, 0, i, 1).with_shape({}); }

}  // namespace

void Interpreter::run_custom_reduce(const Op& op) {
  const std::vector<Tile> tiles = read_all(op.operands);
  const AxisSplit split(tiles[0].shape(), op.ints[0]);
  const std::int64_t elements = split.outer * split.inner;
  std::vector<Tile> sum = line(tiles, op.ints[0], 0, elements);
  for (std::int64_t k = 1; k < split.extent; ++k) sum = combine(op.regions[0], sum, line(tiles, op.ints[0], k, elements));
  for (std::size_t i = 0; i < sum.size(); ++i) write(op.results[i], sum[i].with_shape(program_.type(op.results[i]).shape));
}

void Interpreter::run_custom_scan(const Op& op) {
  const std::vector<Tile> tiles = read_all(op.operands);
  const std::int64_t axis = op.ints[0];
  const bool reverse = op.ints[2] != 0;
  const AxisSplit split(tiles[0].shape(), axis);
  const std::int64_t elements = split.outer * split.inner;
  Shape slice_shape = tiles[0].shape();
  slice_shape[axis] = 1;
  std::vector<std::vector<Tile>> lines(tiles.size(), std::vector<Tile>(split.extent));
  std::vector<Tile> sum;
  for (std::int64_t step = 0; step < split.extent; ++step) {
    const std::int64_t k = reverse ? split.extent - 1 - step : step;
    std::vector<Tile> next = line(tiles, axis, k, elements);
    sum = step == 0 ? std::move(next) : combine(op.regions[0], sum, next);
    for (std::size_t i = 0; i < sum.size(); ++i) lines[i][k] = sum[i].with_shape(slice_shape);
  }
  for (std::size_t i = 0; i < tiles.size(); ++i) write(op.results[i], concat(lines[i], axis));
}

std::vector<Tile> Interpreter::combine(const Region& region, const std::vector<Tile>& left, const std::vector<Tile>& right) {
  std::vector<Tile> arguments = left;
  arguments.insert(arguments.end(), right.begin(), right.end());
  const std::int64_t elements = left[0].elements();
  if (!hooks_.step && can_lift(region)) {
    for (std::size_t a = 0; a < arguments.size(); ++a) tiles_[region.args[a]] = std::move(arguments[a]);
    return combine_lifted(region, elements);
  }
  std::vector<std::vector<Tile>> results(left.size());
  for (std::int64_t i = 0; i < elements; ++i) {
    for (std::size_t a = 0; a < arguments.size(); ++a) write(region.args[a], element(arguments[a], i));
    run_region(region);
    for (std::size_t r = 0; r < results.size(); ++r) results[r].push_back(read(region.yields[r]).with_shape({1}));
  }
  std::vector<Tile> combined;
  for (const std::vector<Tile>& elements_of_result : results) combined.push_back(concat(elements_of_result, 0));
  return combined;
}

bool Interpreter::can_lift(const Region& region) const {
  for (OpId id : region.ops) {
    const Opcode opcode = program_.ops[id].opcode;
    if (!is_elementwise(opcode) && opcode != Opcode::Constant && opcode != Opcode::Cast && opcode != Opcode::Bitcast) return false;
  }
  return true;
}

std::vector<Tile> Interpreter::combine_lifted(const Region& region, std::int64_t elements) {
  // Values from outside the region are scalars still.
  const auto widened = [&](ValueId value) { return broadcast(read(value), {elements}); };
  for (OpId id : region.ops) {
    const Op& op = program_.ops[id];
    const ValueId result = op.results[0];
    switch (op.opcode) {
      case Opcode::Constant: tiles_[result] = constant(program_.type(result).dtype, {elements}, op.ints[0]); break;
      case Opcode::Cast: tiles_[result] = cast(read(op.operands[0]), program_.type(result).dtype); break;
      case Opcode::Bitcast: tiles_[result] = read(op.operands[0]).with_dtype(program_.type(result).dtype); break;
      default: {
        std::vector<Tile> operands;
        for (ValueId value : op.operands) operands.push_back(widened(value));
        tiles_[result] = elementwise(op.opcode, operands);
      }
    }
  }
  std::vector<Tile> combined;
  for (ValueId value : region.yields) combined.push_back(widened(value));
  return combined;
}

}  // namespace tilewright::reference
