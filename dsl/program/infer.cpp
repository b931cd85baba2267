// Dispatch of the typing rules, and what the areas share.
#include "dsl/program/infer.h"

#include <algorithm>

namespace tilewright::program {

namespace rules {

void fail(int code, std::string message, const SourcePosition& where, std::string help) {
  Error error(code, std::move(message), where);
  if (!help.empty()) error.help(std::move(help));
  throw error;
}

void expect_operands(const OpSignature& op, std::size_t least, std::size_t most, const SourcePosition& where) {
  if (op.operands.size() < least || op.operands.size() > most)
    fail(1200, "'" + std::string(spelling_of(op.opcode)) + "' has " + std::to_string(op.operands.size()) + " operands", where);
}

void expect_ints(const OpSignature& op, std::size_t count, const SourcePosition& where) {
  if (op.ints.size() != count)
    fail(1200,
         "'" + std::string(spelling_of(op.opcode)) + "' has " + std::to_string(op.ints.size()) + " integer attributes, not " + std::to_string(count),
         where);
}

void expect_tile(const Type& type, std::string_view what, const SourcePosition& where) {
  if (type.is_view) fail(1203, "'" + std::string(what) + "' takes tiles, not a view of memory", where, "load the elements first");
  if (!type.is_tile()) fail(1203, "'" + std::string(what) + "' takes tiles, not " + to_string(type), where, "products of groups of warps read shared memory");
}

void expect_no_float8(const Type& type, std::string_view what, const SourcePosition& where) {
  if (is_float8(type.dtype))
    fail(1201, "'" + std::string(what) + "' does not compute with " + to_string(type), where, "8-bit floats are for memory and dot: cast to f32 first, cast(x, f32)");
}

std::size_t expect_axis(std::int64_t axis, const Type& type, std::string_view what, const SourcePosition& where) {
  if (axis < 0 || axis >= static_cast<std::int64_t>(type.rank()))
    fail(1205, "axis " + std::to_string(axis) + " does not exist in '" + std::string(what) + "' of " + to_string(type), where,
         type.rank() == 0 ? "the value is a scalar and has no axes" : "axes are 0 to " + std::to_string(type.rank() - 1));
  return static_cast<std::size_t>(axis);
}

}  // namespace rules

bool chooses_result_type(Opcode opcode) {
  switch (opcode) {
    case Opcode::Constant:
    case Opcode::Arange:
    case Opcode::Load:
    case Opcode::Cast:
    case Opcode::Bitcast:
    case Opcode::Broadcast:
    case Opcode::Reshape:
    case Opcode::Slice:
    case Opcode::Extern:
    case Opcode::Channel:
    case Opcode::SharedTile: return true;
    default: return false;
  }
}

std::string_view spelling_of(Opcode opcode) {
  switch (opcode) {
    case Opcode::Add: return "+";
    case Opcode::Sub:
    case Opcode::Neg: return "-";
    case Opcode::Mul: return "*";
    case Opcode::Div: return "/";
    case Opcode::Rem: return "%";
    case Opcode::And: return "&";
    case Opcode::Or: return "|";
    case Opcode::Xor: return "^";
    case Opcode::Shl: return "<<";
    case Opcode::Shr: return ">>";
    case Opcode::Eq: return "==";
    case Opcode::Ne: return "!=";
    case Opcode::Lt: return "<";
    case Opcode::Le: return "<=";
    case Opcode::Gt: return ">";
    case Opcode::Ge: return ">=";
    case Opcode::Constant: return "full";
    case Opcode::Select: return "where";
    case Opcode::Broadcast: return "broadcast_to";
    case Opcode::Transpose: return "permute";
    case Opcode::TopK: return "top_k";
    case Opcode::For: return "range";
    case Opcode::If: return "when";
    case Opcode::While: return "while_";
    case Opcode::Assert: return "check";
    case Opcode::SendTile: return "send";
    case Opcode::SharedStore: return "write";
    case Opcode::SharedLoad: return "read";
    case Opcode::SharedElement: return "element";
    case Opcode::GroupProduct: return "group_dot";
    case Opcode::GroupWait: return "wait";
    default: return mnemonic_of(opcode);
  }
}

void check_tile_shape(const Shape& shape, std::string_view what, const SourcePosition& where) {
  const std::string op = "'" + std::string(what) + "'";
  if (shape.size() > kMaxTileRank)
    rules::fail(1206, "the tile of " + op + " has " + std::to_string(shape.size()) + " axes", where, "a tile has at most 8 axes");
  std::int64_t count = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] <= 0)
      rules::fail(1206, "extent " + std::to_string(shape[i]) + " of axis " + std::to_string(i) + " in " + op + " is not positive", where,
                  "extents of a tile are positive compile-time integers");
    if (shape[i] > kMaxTileElements / count)
      rules::fail(1206, "the tile of " + op + " is too large: " + to_string(shape), where, "cut it into smaller tiles with range(...)");
    count *= shape[i];
  }
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what, const SourcePosition& where) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      Error error(1204, "tile shapes do not match in '" + std::string(what) + "': " + to_string(a) + " and " + to_string(b), where);
      error.note("axes are aligned at the last one; extents must be equal or 1, and here " + std::to_string(x) + " meets " + std::to_string(y));
      if (a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0]) error.help("trans(...) of one of them has the other's shape");
      else if (a.size() != b.size()) error.help("add an axis where it belongs: x(_, None) makes a column, x(None, _) a row");
      throw error;
    }
    out[rank - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

std::vector<Type> infer_results(const OpSignature& op, const SourcePosition& where) {
  using enum Opcode;
  if (chooses_result_type(op.opcode) && op.wanted == nullptr)
    rules::fail(1200, "'" + std::string(spelling_of(op.opcode)) + "' needs a result type", where);
  switch (op.opcode) {
    case ViewSize:
    case ViewNarrow:
    case Load:
    case Store:
    case Atomic: return rules::infer_memory(op, where);
    case Constant:
    case Arange:
    case ProgramId:
    case NumPrograms:
    case Cast:
    case Bitcast:
    case Broadcast:
    case Reshape:
    case Transpose:
    case Concat:
    case Slice:
    case Take: return rules::infer_shape(op, where);
    case Extern: return rules::infer_external(op, where);
    case Dot:
    case Reduce:
    case Scan:
    case ArgMax:
    case ArgMin:
    case TopK: return rules::infer_contraction(op, where);
    case Channel:
    case SharedTile:
    case Turns:
    case TakeTurn:
    case PassTurn:
    case Team:
    case Send:
    case SendTile:
    case Receive:
    case Release:
    case SharedStore:
    case CopyOut:
    case SharedLoad:
    case SharedElement:
    case GroupProduct:
    case GroupWait: return rules::infer_roles(op, where);
    case Fence:
      rules::expect_operands(op, 0, 0, where);
      rules::expect_ints(op, 1, where);
      if (op.ints[0] <= static_cast<std::int64_t>(MemoryOrder::Relaxed) || op.ints[0] > static_cast<std::int64_t>(MemoryOrder::AcquireRelease))
        rules::fail(1311, "this 'fence' orders nothing", where, "Order::Acquire, Order::Release or Order::AcquireRelease");
      return {};
    case Print:
      for (const Type& type : op.operands) rules::expect_tile(type, "print", where);
      return {};
    case Assert:
      rules::expect_operands(op, 1, 1, where);
      if (op.operands[0].is_view || op.operands[0].dtype != DType::Bool)
        rules::fail(1201, "'check' takes a bool tile, not " + to_string(op.operands[0]), where, "compare it: check(x > 0, \"...\")");
      return {};
    case For:
    case If:
    case While:
    case Roles: rules::fail(9101, "'" + std::string(spelling_of(op.opcode)) + "' has regions and no signature", where);
    default: return rules::infer_elementwise(op, where);
  }
}

}  // namespace tilewright::program
