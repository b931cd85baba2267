#include "runtime/grid.h"

#include "runtime/support/error.h"

#include <limits>
#include <map>

namespace tilewright {

namespace {

using program::Opcode;

constexpr std::size_t kInlineValues = 64;

// The value a type holds after wrapping, as an int64_t; u64 keeps its bits.
std::int64_t wrap(DType type, std::int64_t value) {
  switch (type) {
    case DType::Bool: return value != 0;
    case DType::I8: return static_cast<std::int8_t>(value);
    case DType::I16: return static_cast<std::int16_t>(value);
    case DType::I32: return static_cast<std::int32_t>(value);
    case DType::U8: return static_cast<std::uint8_t>(value);
    case DType::U16: return static_cast<std::uint16_t>(value);
    case DType::U32: return static_cast<std::uint32_t>(value);
    default: return value;
  }
}

// Only u64 needs unsigned arithmetic: the narrower unsigned types are non-negative int64_t values.
std::int64_t divide(DType type, std::int64_t x, std::int64_t y) {
  if (y == 0) return 0;
  if (type == DType::U64) return static_cast<std::int64_t>(static_cast<std::uint64_t>(x) / static_cast<std::uint64_t>(y));
  if (y == -1) return static_cast<std::int64_t>(-static_cast<std::uint64_t>(x));
  return x / y;
}

bool less(DType type, std::int64_t x, std::int64_t y) {
  return type == DType::U64 ? static_cast<std::uint64_t>(x) < static_cast<std::uint64_t>(y) : x < y;
}

std::int64_t shift(DType type, std::int64_t x, std::int64_t amount, bool left) {
  const auto by = static_cast<std::uint64_t>(amount) % (8 * size_of(type));
  if (left) return static_cast<std::int64_t>(static_cast<std::uint64_t>(x) << by);
  return type == DType::U64 ? static_cast<std::int64_t>(static_cast<std::uint64_t>(x) >> by) : x >> by;
}

std::size_t operand_count(Opcode opcode) {
  switch (opcode) {
    case Opcode::Constant: return 0;
    case Opcode::ViewSize: case Opcode::Neg: case Opcode::Abs: case Opcode::Not: case Opcode::Cast: return 1;
    case Opcode::Add: case Opcode::Sub: case Opcode::Mul: case Opcode::Div: case Opcode::Rem: case Opcode::Min: case Opcode::Max: case Opcode::And: case Opcode::Or:
    case Opcode::Xor: case Opcode::Shl: case Opcode::Shr: case Opcode::Eq: case Opcode::Ne: case Opcode::Lt: case Opcode::Le: case Opcode::Gt: case Opcode::Ge: return 2;
    case Opcode::Select: return 3;
    default: return std::numeric_limits<std::size_t>::max();
  }
}

[[noreturn]] void malformed(const program::Program& program, const std::string& what) {
  throw Error(9201, "the grid of kernel '" + program.name + "' is malformed: " + what);
}

SourcePosition position_of(const program::Program& program, const program::Op& op) {
  if (op.loc.line == 0 || op.loc.file >= program.files.size()) return {};
  return {program.files[op.loc.file], op.loc.line, op.loc.column};
}

}  // namespace

GridExpression::GridExpression(const program::Program& program) {
  std::map<program::ValueId, std::uint32_t> places;      // scalar values by their place in the evaluation
  std::map<program::ValueId, std::uint32_t> view_slots;  // views by their first argument slot
  std::uint32_t slot = 0;
  for (const program::Param& param : program.params) {
    const program::Type& type = program.type(param.value);
    if (type.is_view) {
      view_slots[param.value] = slot;
      slot += static_cast<std::uint32_t>(1 + 2 * type.rank());
    } else {
      if (!is_float(type.dtype)) {
        places[param.value] = static_cast<std::uint32_t>(scalars_.size());
        scalars_.push_back({slot, type.dtype});
      }
      ++slot;
    }
  }

  for (program::OpId id : program.grid.ops) {
    const program::Op& op = program.ops[id];
    const std::size_t operands = operand_count(op.opcode);
    const auto is_integer_scalar = [&](program::ValueId value) { return program.type(value).is_scalar() && !is_float(program.type(value).dtype); };
    bool allowed = operands <= 3 && op.results.size() == 1 && is_integer_scalar(op.results[0]);
    if (allowed && op.opcode != Opcode::ViewSize) {
      for (program::ValueId operand : op.operands) allowed &= is_integer_scalar(operand);
    }
    if (!allowed) {
      throw Error(1901, "'" + std::string(program::mnemonic_of(op.opcode)) + "' cannot stand in the grid of kernel '" + program.name + "'", position_of(program, op))
          .help("a grid is made of the sizes of views, integer scalars and integer arithmetic");
    }
    if (op.operands.size() != operands) malformed(program, "operands of " + std::string(program::mnemonic_of(op.opcode)));

    Step step;
    step.opcode = op.opcode;
    step.type = program.type(op.results[0]).dtype;
    if (op.opcode == Opcode::Constant) {
      if (op.ints.size() != 1) malformed(program, "a constant");
      step.constant = wrap(step.type, op.ints[0]);
    } else if (op.opcode == Opcode::ViewSize) {
      const auto view = view_slots.find(op.operands[0]);
      if (view == view_slots.end() || op.ints.size() != 1 || op.ints[0] < 0 || op.ints[0] >= static_cast<std::int64_t>(program.type(op.operands[0]).rank()))
        malformed(program, "the size of a view");
      step.a = view->second + 1 + static_cast<std::uint32_t>(op.ints[0]);
    } else {
      std::uint32_t* const places_of[] = {&step.a, &step.b, &step.c};
      for (std::size_t i = 0; i < operands; ++i) {
        const auto found = places.find(op.operands[i]);
        if (found == places.end()) malformed(program, "a value from outside the grid");
        *places_of[i] = found->second;
      }
      if (step.type == DType::Bool && operands == 2) step.type = program.type(op.operands[0]).dtype;
    }
    places[op.results[0]] = static_cast<std::uint32_t>(scalars_.size() + steps_.size());
    steps_.push_back(step);
  }

  if (program.grid.yields.size() != results_.size()) malformed(program, "it yields " + std::to_string(program.grid.yields.size()) + " values");
  for (std::size_t axis = 0; axis < results_.size(); ++axis) {
    const auto found = places.find(program.grid.yields[axis]);
    if (found == places.end()) malformed(program, "it yields a value from outside the grid");
    results_[axis] = found->second;
  }
}

std::int64_t GridExpression::apply(const Step& step, const std::int64_t* values) const {
  const std::int64_t a = values[step.a], b = values[step.b];
  const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
  const auto wrapped = [&](std::uint64_t bits) { return wrap(step.type, static_cast<std::int64_t>(bits)); };
  switch (step.opcode) {
    case Opcode::Neg: return wrapped(-ua);
    case Opcode::Abs: return is_signed_int(step.type) && a < 0 ? wrapped(-ua) : a;
    case Opcode::Not: return step.type == DType::Bool ? a == 0 : wrapped(~ua);
    case Opcode::Cast: return wrapped(ua);
    case Opcode::Add: return wrapped(ua + ub);
    case Opcode::Sub: return wrapped(ua - ub);
    case Opcode::Mul: return wrapped(ua * ub);
    case Opcode::Div: return wrap(step.type, divide(step.type, a, b));
    case Opcode::Rem: return b == 0 ? a : wrapped(ua - static_cast<std::uint64_t>(divide(step.type, a, b)) * ub);
    case Opcode::Min: return less(step.type, b, a) ? b : a;
    case Opcode::Max: return less(step.type, a, b) ? b : a;
    case Opcode::And: return a & b;
    case Opcode::Or: return a | b;
    case Opcode::Xor: return wrapped(ua ^ ub);
    case Opcode::Shl: return wrap(step.type, shift(step.type, a, b, true));
    case Opcode::Shr: return wrap(step.type, shift(step.type, a, b, false));
    case Opcode::Eq: return a == b;
    case Opcode::Ne: return a != b;
    case Opcode::Lt: return less(step.type, a, b);
    case Opcode::Le: return !less(step.type, b, a);
    case Opcode::Gt: return less(step.type, b, a);
    case Opcode::Ge: return !less(step.type, a, b);
    case Opcode::Select: return a != 0 ? b : values[step.c];
    default: return 0;  // the constructor lets no other operation in
  }
}

GridSize GridExpression::evaluate(std::span<const std::uint64_t> arguments) const {
  std::array<std::int64_t, kInlineValues> inline_values;
  std::vector<std::int64_t> more_values;
  std::int64_t* values = inline_values.data();
  if (scalars_.size() + steps_.size() > kInlineValues) {
    more_values.resize(scalars_.size() + steps_.size());
    values = more_values.data();
  }
  std::size_t next = 0;
  for (const ScalarParam& scalar : scalars_) values[next++] = wrap(scalar.type, static_cast<std::int64_t>(arguments[scalar.slot]));
  for (const Step& step : steps_) {
    std::int64_t value = step.constant;
    if (step.opcode == Opcode::ViewSize) value = static_cast<std::int64_t>(arguments[step.a]);
    if (step.opcode != Opcode::ViewSize && step.opcode != Opcode::Constant) value = apply(step, values);
    values[next++] = value;
  }
  return {values[results_[0]], values[results_[1]], values[results_[2]]};
}

}  // namespace tilewright
