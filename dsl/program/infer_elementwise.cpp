// Typing of elementwise operations: equal shapes, equal dtypes, and which dtypes each accepts.
#include "dsl/program/infer.h"

namespace tilewright::program::rules {

namespace {

enum class Accepts { Numbers, Floats, Ints, IntsAndBool, Anything };

Accepts accepted_by(Opcode opcode) {
  using enum Opcode;
  switch (opcode) {
    case Neg:
    case Abs:
    case Add:
    case Sub:
    case Mul:
    case Div:
    case Min:
    case Max:
    case Lt:
    case Le:
    case Gt:
    case Ge: return Accepts::Numbers;
    case Rem:
    case Shl:
    case Shr: return Accepts::Ints;
    case Not:
    case And:
    case Or:
    case Xor: return Accepts::IntsAndBool;
    case Eq:
    case Ne:
    case Select: return Accepts::Anything;
    default: return Accepts::Floats;
  }
}

bool accepts(Accepts set, DType dtype) {
  switch (set) {
    case Accepts::Numbers: return dtype != DType::Bool;
    case Accepts::Floats: return is_float(dtype);
    case Accepts::Ints: return is_int(dtype);
    case Accepts::IntsAndBool: return !is_float(dtype);
    case Accepts::Anything: return true;
  }
  return false;
}

const char* words_for(Accepts set) {
  switch (set) {
    case Accepts::Numbers: return "numbers";
    case Accepts::Floats: return "floats";
    case Accepts::Ints: return "integers";
    case Accepts::IntsAndBool: return "integers or bools";
    case Accepts::Anything: return "anything";
  }
  return "?";
}

std::string help_for(Accepts set, DType dtype) {
  if (set == Accepts::Floats) return "cast it first: cast(x, f32)";
  if (dtype == DType::Bool) return "use & | ^ ! on bools, or cast(x, i32)";
  return "cast it first: cast(x, i32)";
}

std::size_t arity_of(Opcode opcode) {
  if (opcode >= Opcode::Neg && opcode <= Opcode::IsNan) return 1;
  if (opcode >= Opcode::Add && opcode <= Opcode::Ge) return 2;
  return 3;
}

bool gives_bool(Opcode opcode) { return opcode == Opcode::IsNan || (opcode >= Opcode::Eq && opcode <= Opcode::Ge); }

}  // namespace

std::vector<Type> infer_elementwise(const OpSignature& op, const SourcePosition& where) {
  const std::string what(spelling_of(op.opcode));
  expect_operands(op, arity_of(op.opcode), arity_of(op.opcode), where);
  expect_ints(op, 0, where);
  for (const Type& type : op.operands) expect_tile(type, what, where);

  std::span<const Type> values = op.operands;
  if (op.opcode == Opcode::Select) {
    if (values[0].dtype != DType::Bool)
      fail(1201, "the condition of 'where' is " + to_string(values[0]) + ", not bool", where, "compare it: where(x != 0, a, b)");
    if (values[0].shape != values[1].shape) broadcast_shapes(values[0].shape, values[1].shape, what, where);
    if (values[0].shape != values[1].shape)
      fail(1204, "tile shapes do not match in 'where': " + to_string(values[0].shape) + " and " + to_string(values[1].shape), where);
    values = values.subspan(1);
  }
  const Accepts set = accepted_by(op.opcode);
  for (const Type& type : values) {
    if (op.opcode != Opcode::Select) expect_no_float8(type, what, where);
    if (!accepts(set, type.dtype))
      fail(1201, "'" + what + "' takes " + words_for(set) + ", not " + to_string(type), where, help_for(set, type.dtype));
  }
  for (const Type& type : values.subspan(1)) {
    if (type.shape != values[0].shape)
      fail(1204, "tile shapes do not match in '" + what + "': " + to_string(values[0].shape) + " and " + to_string(type.shape), where);
    if (type.dtype != values[0].dtype) {
      const std::string a(name_of(values[0].dtype)), b(name_of(type.dtype));
      fail(1202, "dtypes do not match in '" + what + "': " + a + " and " + b, where, "cast one of them: cast(x, " + a + ") or cast(x, " + b + ")");
    }
  }
  return {Type{gives_bool(op.opcode) ? DType::Bool : values[0].dtype, values[0].shape}};
}

}  // namespace tilewright::program::rules
