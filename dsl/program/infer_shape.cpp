// Typing of values made from nothing, conversions, and operations that move elements.
#include "dsl/program/infer.h"

#include <limits>

namespace tilewright::program::rules {

namespace {

bool fits(std::int64_t value, DType dtype) {
  switch (dtype) {
    case DType::Bool: return value == 0 || value == 1;
    case DType::I8: return value >= INT8_MIN && value <= INT8_MAX;
    case DType::I16: return value >= INT16_MIN && value <= INT16_MAX;
    case DType::I32: return value >= INT32_MIN && value <= INT32_MAX;
    case DType::U8: return value >= 0 && value <= UINT8_MAX;
    case DType::U16: return value >= 0 && value <= UINT16_MAX;
    case DType::U32: return value >= 0 && value <= std::int64_t{UINT32_MAX};
    default: return true;
  }
}

Type wanted_tile(const OpSignature& op, const SourcePosition& where) {
  expect_tile(*op.wanted, spelling_of(op.opcode), where);
  check_tile_shape(op.wanted->shape, spelling_of(op.opcode), where);
  return *op.wanted;
}

void expect_same_dtype(const Type& from, const Type& to, std::string_view what, const SourcePosition& where) {
  if (from.dtype != to.dtype)
    fail(1202, "'" + std::string(what) + "' keeps the dtype: " + to_string(from) + " cannot become " + to_string(to), where, "use cast(x, dtype)");
}

Type constant(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 0, 0, where);
  expect_ints(op, 1, where);
  const Type type = wanted_tile(op, where);
  if (!is_float(type.dtype) && !fits(op.ints[0], type.dtype))
    fail(1207, std::to_string(op.ints[0]) + " does not fit " + std::string(tilewright::name_of(type.dtype)), where);
  return type;
}

Type arange(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 0, 0, where);
  expect_ints(op, 1, where);
  const Type type = wanted_tile(op, where);
  if (type.rank() != 1 || !is_int(type.dtype)) fail(1201, "'arange' gives integers along one axis, not " + to_string(type), where);
  if (!fits(op.ints[0], type.dtype) || !fits(op.ints[0] + type.shape[0] - 1, type.dtype))
    fail(1207,
         "arange from " + std::to_string(op.ints[0]) + " over " + std::to_string(type.shape[0]) + " does not fit " +
             std::string(tilewright::name_of(type.dtype)),
         where);
  return type;
}

Type program_axis(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 0, 0, where);
  expect_ints(op, 1, where);
  if (op.ints[0] < 0 || op.ints[0] > 2)
    fail(1205, "axis " + std::to_string(op.ints[0]) + " does not exist in '" + std::string(spelling_of(op.opcode)) + "'", where,
         "a grid has axes 0 to 2");
  return {DType::I64, {}};
}

Type broadcast(const OpSignature& op, const SourcePosition& where) {
  const Type& from = op.operands[0];
  const Type to = wanted_tile(op, where);
  expect_same_dtype(from, to, "broadcast_to", where);
  if (from.rank() == 0) return to;
  bool ok = from.rank() == to.rank();
  for (std::size_t i = 0; ok && i < from.rank(); ++i) ok = from.shape[i] == to.shape[i] || from.shape[i] == 1;
  if (!ok)
    fail(1209, "a tile of " + to_string(from.shape) + " cannot be broadcast to " + to_string(to.shape), where,
         "extents must be equal or 1; add axes with x(_, None) or x(None, _)");
  return to;
}

Type reshape(const OpSignature& op, const SourcePosition& where) {
  const Type& from = op.operands[0];
  const Type to = wanted_tile(op, where);
  expect_same_dtype(from, to, "reshape", where);
  if (from.elements() != to.elements())
    fail(1210,
         "a tile of " + to_string(from.shape) + " (" + std::to_string(from.elements()) + " elements) cannot be reshaped to " + to_string(to.shape) +
             " (" + std::to_string(to.elements()) + ")",
         where);
  return to;
}

Type transpose(const OpSignature& op, const SourcePosition& where) {
  const Type& from = op.operands[0];
  Type to = from;
  std::string order;
  std::uint64_t seen = 0;
  bool ok = op.ints.size() == from.rank();
  for (std::size_t i = 0; i < op.ints.size(); ++i) {
    order += (i ? ", " : "") + std::to_string(op.ints[i]);
    const bool in_range = op.ints[i] >= 0 && op.ints[i] < static_cast<std::int64_t>(from.rank());
    if (!ok || !in_range || (seen >> op.ints[i] & 1)) {
      ok = false;
      continue;
    }
    seen |= std::uint64_t{1} << op.ints[i];
    to.shape[i] = from.shape[op.ints[i]];
  }
  if (!ok)
    fail(1211, "{" + order + "} is not an order of the axes of " + to_string(from), where,
         "name each axis from 0 to " + std::to_string(static_cast<std::int64_t>(from.rank()) - 1) + " once");
  return to;
}

Type concat(const OpSignature& op, const SourcePosition& where) {
  expect_ints(op, 1, where);
  Type to = op.operands[0];
  const std::size_t axis = expect_axis(op.ints[0], to, "concat", where);
  for (const Type& next : op.operands.subspan(1)) {
    bool ok = next.rank() == to.rank() && next.dtype == to.dtype;
    for (std::size_t i = 0; ok && i < to.rank(); ++i) ok = i == axis || next.shape[i] == to.shape[i];
    if (!ok)
      fail(
          1212,
          "tiles do not fit each other in 'concat' along axis " + std::to_string(axis) + ": " + to_string(op.operands[0]) + " and " + to_string(next),
          where, "dtypes and all other extents must be equal");
    to.shape[axis] += next.shape[axis];
  }
  check_tile_shape(to.shape, "concat", where);
  return to;
}

Type slice(const OpSignature& op, const SourcePosition& where) {
  expect_ints(op, 2, where);
  const Type& from = op.operands[0];
  const std::size_t axis = expect_axis(op.ints[0], from, "slice", where);
  const Type to = wanted_tile(op, where);
  expect_same_dtype(from, to, "slice", where);
  bool ok = to.rank() == from.rank();
  for (std::size_t i = 0; ok && i < from.rank(); ++i) ok = i == axis || to.shape[i] == from.shape[i];
  const std::int64_t start = op.ints[1];
  if (!ok || start < 0 || start > from.shape[axis] - to.shape[axis])
    fail(1213,
         "a slice from " + std::to_string(start) + " to " + to_string(to.shape) + " does not lie in " + to_string(from) + " along axis " +
             std::to_string(axis),
         where);
  return to;
}

Type take(const OpSignature& op, const SourcePosition& where) {
  expect_ints(op, 1, where);
  const Type& from = op.operands[0];
  const Type& index = op.operands[1];
  const std::size_t axis = expect_axis(op.ints[0], from, "take", where);
  if (!is_int(index.dtype)) fail(1216, "the index of 'take' is " + to_string(index) + ", not an integer tile", where, "cast it first: cast(x, i32)");
  bool ok = index.rank() == from.rank();
  for (std::size_t i = 0; ok && i < from.rank(); ++i) ok = i == axis || index.shape[i] == from.shape[i];
  if (!ok)
    fail(1216, "the index of 'take' along axis " + std::to_string(axis) + " is " + to_string(index.shape) + ", the tile " + to_string(from.shape),
         where, "all extents but the one of that axis must be equal");
  return {from.dtype, index.shape};
}

Type bitcast(const OpSignature& op, const SourcePosition& where) {
  const Type& from = op.operands[0];
  const Type to = wanted_tile(op, where);
  const bool has_bool = from.dtype == DType::Bool || to.dtype == DType::Bool;
  if (from.shape != to.shape || size_of(from.dtype) != size_of(to.dtype) || has_bool)
    fail(1217, to_string(from) + " cannot be bitcast to " + to_string(to), where,
         has_bool ? "use cast(x, dtype) with bools" : "both dtypes must have elements of the same width");
  return to;
}

Type cast(const OpSignature& op, const SourcePosition& where) {
  const Type& from = op.operands[0];
  const Type to = wanted_tile(op, where);
  if (from.shape != to.shape) fail(1204, "'cast' keeps the shape: " + to_string(from) + " cannot become " + to_string(to), where);
  return to;
}

}  // namespace

std::vector<Type> infer_shape(const OpSignature& op, const SourcePosition& where) {
  using enum Opcode;
  for (const Type& type : op.operands) expect_tile(type, spelling_of(op.opcode), where);
  switch (op.opcode) {
    case Constant: return {constant(op, where)};
    case Arange: return {arange(op, where)};
    case ProgramId:
    case NumPrograms: return {program_axis(op, where)};
    case Concat: expect_operands(op, 1, SIZE_MAX, where); return {concat(op, where)};
    case Take: expect_operands(op, 2, 2, where); return {take(op, where)};
    default: break;
  }
  expect_operands(op, 1, 1, where);
  switch (op.opcode) {
    case Transpose: return {transpose(op, where)};
    case Slice: return {slice(op, where)};
    default: break;
  }
  expect_ints(op, 0, where);
  switch (op.opcode) {
    case Cast: return {cast(op, where)};
    case Bitcast: return {bitcast(op, where)};
    case Broadcast: return {broadcast(op, where)};
    default: return {reshape(op, where)};
  }
}

}  // namespace tilewright::program::rules
