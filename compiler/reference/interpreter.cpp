// Running a program: arguments, regions, dispatch of each operation, control flow.
#include "compiler/reference/interpreter.h"

#include "compiler/reference/slots.h"
#include "dsl/program/external.h"

#include <utility>

namespace tilewright::reference {

using program::Op;
using program::Region;

Interpreter::Interpreter(const program::Program& program, Hooks hooks)
    : program_(program), hooks_(std::move(hooks)), tiles_(program.values.size()), views_(program.values.size()) {
  program::expect_languages(program, {}, "the reference");
}

GridIndex Interpreter::grid(const std::uint64_t* slots) {
  bind(slots);
  in_body_ = false;
  run_region(program_.grid);
  if (program_.grid.yields.size() != 3) malformed("a grid without three extents");
  GridIndex extents;
  for (int axis = 0; axis < 3; ++axis) {
    extents[axis] = scalar(program_.grid.yields[axis]);
    if (extents[axis] < 0) {
      const OpId def = program_.values[program_.grid.yields[axis]].def;
      throw Error(3411, "the grid's extent along axis " + std::to_string(axis) + " is " + std::to_string(extents[axis]),
                  def == program::kNone ? SourcePosition{} : position(program_.ops[def]));
    }
  }
  return extents;
}

void Interpreter::run(const std::uint64_t* slots, const GridIndex& program_id, const GridIndex& num_programs) {
  bind(slots);
  program_id_ = program_id;
  num_programs_ = num_programs;
  in_body_ = true;
  run_region(program_.body);
}

void Interpreter::run_grid(const std::uint64_t* slots, const GridIndex& extents) {
  for (std::int64_t z = 0; z < extents[2]; ++z) {
    for (std::int64_t y = 0; y < extents[1]; ++y) {
      for (std::int64_t x = 0; x < extents[0]; ++x) run(slots, {x, y, z}, extents);
    }
  }
}

void Interpreter::bind(const std::uint64_t* slots) {
  for (const program::Param& param : program_.params) {
    const program::Type& type = program_.type(param.value);
    if (type.is_view) {
      views_[param.value] = read_view(slots, type);
    } else {
      tiles_[param.value] = read_scalar(slots, type);
    }
  }
}

const Tile& Interpreter::read(ValueId value) const {
  if (tiles_[value].elements() == 0) malformed("value %" + std::to_string(value) + " is used before it is computed");
  return tiles_[value];
}

std::int64_t Interpreter::scalar(ValueId value) const {
  const Tile& tile = read(value);
  if (!tile.shape().empty()) malformed("value %" + std::to_string(value) + " is no scalar");
  return tile.integer(0);
}

std::vector<Tile> Interpreter::read_all(const std::vector<ValueId>& values, std::size_t first) const {
  std::vector<Tile> tiles;
  tiles.reserve(values.size());
  for (std::size_t i = first; i < values.size(); ++i) tiles.push_back(read(values[i]));
  return tiles;
}

void Interpreter::write(ValueId value, Tile tile) {
  const program::Type& type = program_.type(value);
  if (tile.dtype() != type.dtype || tile.shape() != type.shape) {
    malformed("value %" + std::to_string(value) + " of type " + program::to_string(type) + " was computed as " +
              program::to_string(program::Type{tile.dtype(), tile.shape(), false}));
  }
  tiles_[value] = std::move(tile);
}

SourcePosition Interpreter::position(const Op& op) const {
  if (op.loc.line == 0) return {};
  return {program_.files[op.loc.file], op.loc.line, op.loc.column};
}

void Interpreter::run_region(const Region& region) {
  for (OpId id : region.ops) {
    if (in_body_ && hooks_.step) hooks_.step(*this, id);
    execute(program_.ops[id]);
  }
}

void Interpreter::execute(const Op& op) {
  switch (op.opcode) {
    case Opcode::ViewNarrow: {
      views_[op.results[0]] = narrow(views_[op.operands[0]], op.ints[0], scalar(op.operands[1]), scalar(op.operands[2]));
      break;
    }
    case Opcode::Load: run_load(op); break;
    case Opcode::Store: run_store(op); break;
    case Opcode::Atomic: run_atomic(op); break;
    case Opcode::Fence: break;  // programs run one after the other
    case Opcode::TopK: {
      auto [values, indices] = topk(operand(op, 0), op.ints[0], op.ints[1], op.ints[2] != 0);
      write(op.results[0], std::move(values));
      write(op.results[1], std::move(indices));
      break;
    }
    case Opcode::Reduce:
      if (static_cast<ReduceKind>(op.ints[1]) == ReduceKind::Custom) {
        run_custom_reduce(op);
      } else {
        write(op.results[0], reduce(operand(op, 0), op.ints[0], static_cast<ReduceKind>(op.ints[1])));
      }
      break;
    case Opcode::Scan:
      if (static_cast<ReduceKind>(op.ints[1]) == ReduceKind::Custom) {
        run_custom_scan(op);
      } else {
        write(op.results[0], scan(operand(op, 0), op.ints[0], static_cast<ReduceKind>(op.ints[1]), op.ints[2] != 0));
      }
      break;
    case Opcode::For: run_for(op); break;
    case Opcode::If: run_if(op); break;
    case Opcode::While: run_while(op); break;
    case Opcode::Roles: run_roles(op); break;
    case Opcode::Channel: channels_[op.results[0]] = {}; break;
    case Opcode::SharedTile: case Opcode::Turns: case Opcode::TakeTurn: case Opcode::PassTurn: break;
    case Opcode::Team: write(op.results[0], Tile::scalar(DType::I64, team_)); break;
    case Opcode::Send: run_send(op); break;
    case Opcode::SendTile: run_send_tile(op); break;
    case Opcode::CopyOut: run_copy_out(op); break;
    case Opcode::Receive: run_receive(op); break;
    case Opcode::Release: ++channels_[program_.ops[program_.values[op.operands[0]].def].operands[0]].released; break;
    case Opcode::SharedStore: write(op.operands[0], operand(op, 1)); break;
    case Opcode::SharedLoad: write(op.results[0], shared(op, 0)); break;
    case Opcode::SharedElement: run_shared_element(op); break;
    case Opcode::GroupProduct: run_group_product(op); break;
    case Opcode::GroupWait: write(op.results[0], operand(op, 0)); break;
    case Opcode::Print: run_print(op); break;
    case Opcode::Assert: run_assert(op); break;
    default: write(op.results[0], evaluate(op)); break;
  }
}

Tile Interpreter::evaluate(const Op& op) {
  if (is_elementwise(op.opcode)) return elementwise(op.opcode, read_all(op.operands));
  const program::Type& type = program_.type(op.results[0]);
  switch (op.opcode) {
    case Opcode::Constant: return constant(type.dtype, type.shape, op.ints[0]);
    case Opcode::Arange: return arange(type.dtype, type.elements(), op.ints[0]);
    case Opcode::ProgramId: return Tile::scalar(DType::I64, program_id_.at(op.ints[0]));
    case Opcode::NumPrograms: return Tile::scalar(DType::I64, num_programs_.at(op.ints[0]));
    case Opcode::ViewSize: return Tile::scalar(DType::I64, views_[op.operands[0]].sizes.at(op.ints[0]));
    case Opcode::Cast: return cast(operand(op, 0), type.dtype);
    case Opcode::Bitcast: return operand(op, 0).with_dtype(type.dtype);
    case Opcode::Broadcast: return broadcast(operand(op, 0), type.shape);
    case Opcode::Reshape: return operand(op, 0).with_shape(type.shape);
    case Opcode::Transpose: return transpose(operand(op, 0), op.ints);
    case Opcode::Concat: return concat(read_all(op.operands), op.ints[0]);
    case Opcode::Slice: return slice(operand(op, 0), op.ints[0], op.ints[1], type.shape.at(op.ints[0]));
    case Opcode::Take: return take(operand(op, 0), operand(op, 1), op.ints[0]);
    case Opcode::Dot: return dot(operand(op, 0), operand(op, 1), operand(op, 2));
    case Opcode::ArgMax: return arg_extreme(operand(op, 0), op.ints[0], true);
    case Opcode::ArgMin: return arg_extreme(operand(op, 0), op.ints[0], false);
    default: malformed("operation " + std::string(program::mnemonic_of(op.opcode)) + " cannot be evaluated");
  }
}

Indexing Interpreter::indexing_of(const Op& op) const {
  Indexing indexing{std::span(op.ints).subspan(2), {}};
  for (std::size_t d = 0; d < indexing.maps.size(); ++d) indexing.indices.push_back(operand(op, 1 + d));
  return indexing;
}

void Interpreter::run_load(const Op& op) {
  const View& view = views_[op.operands[0]];
  const Indexing indexing = indexing_of(op);
  std::size_t next = 1 + indexing.maps.size();
  const Tile* mask = op.ints[0] ? &operand(op, next++) : nullptr;
  const Tile* other = op.ints[1] ? &operand(op, next) : nullptr;
  write(op.results[0], load(view, indexing, program_.type(op.results[0]).shape, mask, other));
}

void Interpreter::run_store(const Op& op) {
  const std::size_t place = op.ints.size() - 1;
  const View& view = views_[op.operands[0]];
  const Indexing indexing = indexing_of(op);
  const Tile& value = operand(op, place);
  const Tile* mask = op.ints[0] ? &operand(op, place + 1) : nullptr;
  if (hooks_.store) hooks_.store(view, indexing, value, mask);
  store(view, indexing, value, mask);
}

void Interpreter::run_atomic(const Op& op) {
  const auto kind = static_cast<program::AtomicKind>(op.ints[1]);
  std::size_t next = op.ints.size() - 1;
  const Tile* expected = kind == program::AtomicKind::CompareExchange ? &operand(op, next++) : nullptr;
  const Tile& value = operand(op, next++);
  write(op.results[0], atomic(kind, views_[op.operands[0]], indexing_of(op), expected, value, op.ints[0] ? &operand(op, next) : nullptr));
}

void Interpreter::run_for(const Op& op) {
  const std::int64_t upper = scalar(op.operands[1]), step = scalar(op.operands[2]);
  if (step <= 0) throw Error(3410, "the step of a range must be positive, it is " + std::to_string(step), position(op));
  const Region& body = op.regions[0];
  std::vector<Tile> carried = read_all(op.operands, 3);
  for (std::int64_t i = scalar(op.operands[0]); i < upper;) {
    write(body.args[0], Tile::scalar(DType::I64, i));
    for (std::size_t c = 0; c < carried.size(); ++c) write(body.args[c + 1], carried[c]);
    run_region(body);
    carried = read_all(body.yields);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  for (std::size_t c = 0; c < carried.size(); ++c) write(op.results[c], carried[c]);
}

void Interpreter::run_if(const Op& op) {
  const Region& taken = op.regions[scalar(op.operands[0]) != 0 ? 0 : 1];
  run_region(taken);
  for (std::size_t i = 0; i < op.results.size(); ++i) write(op.results[i], read(taken.yields[i]));
}

void Interpreter::run_while(const Op& op) {
  const Region &condition = op.regions[0], &body = op.regions[1];
  std::vector<Tile> carried = read_all(op.operands);
  for (;;) {
    for (std::size_t c = 0; c < carried.size(); ++c) write(condition.args[c], carried[c]);
    run_region(condition);
    if (scalar(condition.yields[0]) == 0) break;
    for (std::size_t c = 0; c < carried.size(); ++c) write(body.args[c], carried[c]);
    run_region(body);
    carried = read_all(body.yields);
  }
  for (std::size_t c = 0; c < carried.size(); ++c) write(op.results[c], carried[c]);
}

}  // namespace tilewright::reference
