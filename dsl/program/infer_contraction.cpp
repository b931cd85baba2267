// Typing of dot, reductions, scans and ordering.
#include "dsl/program/infer.h"

namespace tilewright::program {

DType accumulator_of(DType operand, const SourcePosition& where) {
  switch (operand) {
    case DType::F16:
    case DType::BF16:
    case DType::F8E4M3:
    case DType::F8E5M2:
    case DType::F32: return DType::F32;
    case DType::F64: return DType::F64;
    case DType::I8:
    case DType::U8: return DType::I32;
    default:
      rules::fail(1215, "'dot' does not multiply " + std::string(name_of(operand)), where, "operands are f16, bf16, f32, f64, i8, u8, f8e4m3 or f8e5m2: cast them");
  }
}

namespace rules {

namespace {

std::vector<Type> dot(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 3, 3, where);
  expect_ints(op, 0, where);
  const Type &a = op.operands[0], &b = op.operands[1], &acc = op.operands[2];
  const Type wanted = product_type(a, b, "dot", where);
  if (acc != wanted)
    fail(acc.shape != wanted.shape ? 1214 : 1215,
         "the accumulator of 'dot' is " + to_string(acc) + "; " + to_string(a) + " by " + to_string(b) + " accumulates in " + to_string(wanted),
         where);
  return {wanted};
}

// What the author called: sum for a reduction of kind Sum.
std::string_view called(const OpSignature& op) {
  static constexpr std::string_view kReductions[] = {"sum", "prod", "reduce_min", "reduce_max", "all", "any", "reduce"};
  static constexpr std::string_view kScans[] = {"cumsum", "cumprod", "cummin", "cummax", "scan", "scan", "scan"};
  if (op.ints.size() < 2 || op.ints[1] < 0 || op.ints[1] >= static_cast<std::int64_t>(ReduceKind::Custom)) return spelling_of(op.opcode);
  return (op.opcode == Opcode::Reduce ? kReductions : kScans)[op.ints[1]];
}

void check_kind(ReduceKind kind, const Type& tile, std::string_view what, const SourcePosition& where) {
  const bool bitwise = kind == ReduceKind::And || kind == ReduceKind::Or || kind == ReduceKind::Xor;
  const bool ok = bitwise ? !is_float(tile.dtype) : tile.dtype != DType::Bool;
  if (!ok)
    fail(1201, "'" + std::string(what) + "' takes " + (bitwise ? "integers or bools" : "numbers") + ", not " + to_string(tile), where,
         bitwise ? "compare first" : "cast it: cast(x, i32), or use any(x) and all(x)");
}

std::vector<Type> reduction_results(const OpSignature& op, std::size_t ints, const SourcePosition& where) {
  const std::string_view what = called(op);
  expect_operands(op, 1, SIZE_MAX, where);
  expect_ints(op, ints, where);
  for (const Type& type : op.operands) expect_tile(type, what, where);
  const std::size_t axis = expect_axis(op.ints[0], op.operands[0], what, where);
  std::vector<Type> results;
  for (const Type& tile : op.operands) {
    expect_no_float8(tile, what, where);
    if (tile.shape != op.operands[0].shape)
      fail(1204, "tile shapes do not match in '" + std::string(what) + "': " + to_string(op.operands[0].shape) + " and " + to_string(tile.shape),
           where);
    results.push_back(tile);
    if (op.opcode == Opcode::Reduce) results.back().shape.erase(results.back().shape.begin() + axis);
  }
  return results;
}

std::vector<Type> built_in_reduction(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 1, 1, where);
  std::vector<Type> results = reduction_results(op, op.opcode == Opcode::Reduce ? 2 : 3, where);
  if (op.ints[1] < 0 || op.ints[1] >= static_cast<std::int64_t>(ReduceKind::Custom))
    fail(1200, "'" + std::string(spelling_of(op.opcode)) + "' of kind " + std::to_string(op.ints[1]), where);
  check_kind(static_cast<ReduceKind>(op.ints[1]), op.operands[0], called(op), where);
  return results;
}

std::vector<Type> ordering(const OpSignature& op, const SourcePosition& where) {
  const std::string_view what = spelling_of(op.opcode);
  expect_operands(op, 1, 1, where);
  expect_ints(op, op.opcode == Opcode::TopK ? 3 : 1, where);
  const Type& tile = op.operands[0];
  expect_tile(tile, what, where);
  expect_no_float8(tile, what, where);
  if (tile.dtype == DType::Bool)
    fail(1201, "'" + std::string(what) + "' takes numbers, not " + to_string(tile), where, "cast it first: cast(x, i32)");
  const std::size_t axis = expect_axis(op.ints[0], tile, what, where);
  Type values = tile;
  if (op.opcode != Opcode::TopK) {
    values.shape.erase(values.shape.begin() + axis);
    return {Type{DType::I32, values.shape}};
  }
  if (op.ints[1] < 1 || op.ints[1] > tile.shape[axis])
    fail(1218, "the " + std::to_string(op.ints[1]) + " first of " + std::to_string(tile.shape[axis]) + " elements in 'top_k'", where,
         "k is from 1 to the extent of the axis");
  values.shape[axis] = op.ints[1];
  return {values, Type{DType::I32, values.shape}};
}

}  // namespace

Type product_type(const Type& a, const Type& b, std::string_view what, const SourcePosition& where) {
  const std::string name = "'" + std::string(what) + "'";
  if (a.rank() != b.rank() || (a.rank() != 2 && a.rank() != 3))
    fail(1214, name + " takes two matrices, with one batch axis each at most, not " + to_string(a) + " and " + to_string(b), where);
  if (a.dtype != b.dtype && !(is_float8(a.dtype) && is_float8(b.dtype))) {
    const std::string x(tilewright::name_of(a.dtype)), y(tilewright::name_of(b.dtype));
    fail(1202, "dtypes do not match in " + name + ": " + x + " and " + y, where, "cast one of them: cast(x, " + x + ") or cast(x, " + y + ")");
  }
  const std::size_t batch = a.rank() - 2;
  if (a.shape[batch + 1] != b.shape[batch] || (batch && a.shape[0] != b.shape[0])) {
    Error error(1214, "shapes do not fit in " + name + ": " + to_string(a.shape) + " and " + to_string(b.shape), where);
    error.note("the last axis of the first (" + std::to_string(a.shape[batch + 1]) + ") meets the " + (batch ? "middle" : "first") +
               " axis of the second (" + std::to_string(b.shape[batch]) + ")");
    if (a.shape[batch + 1] == b.shape[batch + 1]) error.help(std::string(what) + "(a, trans(b)) fits");
    throw error;
  }
  Type wanted{accumulator_of(a.dtype, where), a.shape};
  wanted.shape[batch + 1] = b.shape[batch + 1];
  return wanted;
}

std::vector<Type> infer_contraction(const OpSignature& op, const SourcePosition& where) {
  for (const Type& type : op.operands) expect_tile(type, spelling_of(op.opcode), where);
  switch (op.opcode) {
    case Opcode::Dot: return dot(op, where);
    case Opcode::Reduce:
    case Opcode::Scan: return built_in_reduction(op, where);
    default: return ordering(op, where);
  }
}

}  // namespace rules

std::vector<Type> infer_custom_reduction(const OpSignature& op, const SourcePosition& where) {
  return rules::reduction_results(op, op.opcode == Opcode::Reduce ? 2 : 3, where);
}

}  // namespace tilewright::program
