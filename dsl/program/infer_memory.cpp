// Typing of views, loads, stores and atomic operations.
#include "dsl/program/infer.h"

namespace tilewright::program::rules {

namespace {

const Type& expect_view(const OpSignature& op, const SourcePosition& where) {
  const std::string what(spelling_of(op.opcode));
  expect_operands(op, 1, SIZE_MAX, where);
  if (!op.operands[0].is_view) fail(1203, "'" + what + "' takes a view of memory, not a tile of " + to_string(op.operands[0]), where);
  return op.operands[0];
}

void expect_i64(const Type& type, const std::string& what, const SourcePosition& where) {
  if (!type.is_scalar() || type.dtype != DType::I64) fail(1302, what + " is " + to_string(type) + ", not an i64 scalar", where, "cast it: Index(x)");
}

// Checks one index against its map; marks the axis it covers.
void check_index(const Type& index, std::int64_t map, std::size_t dimension, const Shape& tile, std::uint64_t& covered, bool& full,
                 const std::string& what, const SourcePosition& where) {
  const std::string name = "the index of dimension " + std::to_string(dimension) + " in '" + what + "'";
  if (index.is_view || !is_int(index.dtype)) fail(1302, name + " is " + to_string(index) + ", not an integer", where);
  if (map == kMapPoint) {
    expect_i64(index, name, where);
  } else if (map == kMapFull) {
    full = true;
    if (index.shape != tile)
      fail(1302, name + " is a tile of " + to_string(index.shape) + ", the tile accessed is " + to_string(tile), where,
           "an index tile has the shape of what is loaded; widen it with broadcast_to");
  } else {
    if (map < 0 || map >= static_cast<std::int64_t>(tile.size()))
      fail(1303, name + " stands for axis " + std::to_string(map) + ", which a tile of " + to_string(tile) + " does not have", where);
    if (covered >> map & 1) fail(1303, "axis " + std::to_string(map) + " of the tile stands for two dimensions in '" + what + "'", where);
    covered |= std::uint64_t{1} << map;
    if (index.rank() == 0) {
      expect_i64(index, name, where);
    } else if (index.shape != Shape{tile[map]}) {
      fail(1302, name + " is a tile of " + to_string(index.shape) + ", its axis has extent " + std::to_string(tile[map]), where);
    }
  }
}

void check_mask(const Type& mask, const Shape& tile, const std::string& what, const SourcePosition& where) {
  if (mask.is_view || mask.dtype != DType::Bool) fail(1306, "the mask of '" + what + "' is " + to_string(mask) + ", not bool", where);
  if (mask.shape != tile) fail(1306, "the mask of '" + what + "' is " + to_string(mask.shape) + ", the tile " + to_string(tile), where);
}

// Load, Store and Atomic share the layout of operands and integers up to the value and `other`.
void check_access(const OpSignature& op, const Type& view, const Shape& tile, std::size_t extra, const std::string& what, const SourcePosition& where) {
  const std::size_t rank = view.rank();
  expect_ints(op, 2 + rank, where);
  expect_operands(op, 1 + rank + extra, 1 + rank + extra, where);
  std::uint64_t covered = 0;
  bool full = false;
  for (std::size_t d = 0; d < rank; ++d) check_index(op.operands[1 + d], op.ints[2 + d], d, tile, covered, full, what, where);
  for (std::size_t axis = 0; axis < tile.size() && !full; ++axis) {
    if (!(covered >> axis & 1))
      fail(1303, "axis " + std::to_string(axis) + " of a tile of " + to_string(tile) + " stands for no dimension in '" + what + "'", where);
  }
}

std::vector<Type> load(const OpSignature& op, const SourcePosition& where) {
  const Type& view = expect_view(op, where);
  const Type& tile = *op.wanted;
  expect_tile(tile, "load", where);
  check_tile_shape(tile.shape, "load", where);
  if (op.ints.size() < 2) expect_ints(op, 2 + view.rank(), where);
  const bool has_mask = op.ints[0] != 0, has_other = op.ints[1] != 0;
  if (tile.dtype != view.dtype) fail(1202, "'load' from " + to_string(view) + " cannot give " + to_string(tile), where, "cast what was loaded");
  check_access(op, view, tile.shape, std::size_t{has_mask} + std::size_t{has_other}, "load", where);
  std::size_t next = 1 + view.rank();
  if (has_mask) check_mask(op.operands[next++], tile.shape, "load", where);
  if (has_other) {
    const Type& other = op.operands[next];
    if (other.is_view || other.dtype != view.dtype || (!other.is_scalar() && other.shape != tile.shape))
      fail(1307, "`other` of 'load' is " + to_string(other) + "; it takes a scalar or a tile of " + to_string(tile), where);
  }
  return {tile};
}

std::vector<Type> store(const OpSignature& op, const SourcePosition& where) {
  const Type& view = expect_view(op, where);
  expect_operands(op, 2 + view.rank(), 3 + view.rank(), where);
  if (op.ints.size() < 2) expect_ints(op, 2 + view.rank(), where);
  const bool has_mask = op.ints[0] != 0;
  if (op.ints[1] != 0) fail(1307, "'store' has no `other`", where);
  const Type& value = op.operands[1 + view.rank()];
  expect_tile(value, "store", where);
  if (value.dtype != view.dtype) {
    const std::string wanted(tilewright::name_of(view.dtype));
    fail(1308, "'store' of " + to_string(value) + " to a view of " + wanted, where, "cast it: cast(x, " + wanted + ") or cast(x, view.dtype())");
  }
  check_access(op, view, value.shape, 1 + std::size_t{has_mask}, "store", where);
  if (has_mask) check_mask(op.operands[2 + view.rank()], value.shape, "store", where);
  return {};
}

bool is_atomic(AtomicKind kind, DType dtype) {
  switch (dtype) {
    case DType::I32: case DType::I64: case DType::U32: case DType::U64: return true;
    case DType::F32: case DType::F64: return kind != AtomicKind::And && kind != AtomicKind::Or && kind != AtomicKind::Xor;
    case DType::F16: case DType::BF16: return kind == AtomicKind::Add;
    default: return false;
  }
}

std::string atomic_help(AtomicKind kind) {
  if (kind == AtomicKind::And || kind == AtomicKind::Or || kind == AtomicKind::Xor) return "it takes i32, i64, u32 and u64";
  return std::string("it takes ") + (kind == AtomicKind::Add ? "f16, bf16, " : "") + "f32, f64, i32, i64, u32 and u64";
}

std::vector<Type> atomic(const OpSignature& op, const SourcePosition& where) {
  const Type& view = expect_view(op, where);
  if (op.ints.size() < 2) expect_ints(op, 2 + view.rank(), where);
  if (op.ints[1] < 0 || op.ints[1] > static_cast<std::int64_t>(AtomicKind::CompareExchange)) fail(1200, "'atomic' of an unknown kind", where);
  const bool has_mask = op.ints[0] != 0;
  const AtomicKind kind = static_cast<AtomicKind>(op.ints[1]);
  const std::string what(function_of(kind));
  const bool compares = kind == AtomicKind::CompareExchange;
  const std::size_t place = 1 + view.rank() + compares;
  expect_operands(op, place + 1, place + 1 + has_mask, where);
  const Type& value = op.operands[place];
  expect_tile(value, what, where);
  if (!is_atomic(kind, view.dtype))
    fail(1310, "'" + what + "' does not work on elements of " + std::string(tilewright::name_of(view.dtype)), where, atomic_help(kind));
  if (value.dtype != view.dtype) {
    const std::string wanted(tilewright::name_of(view.dtype));
    fail(1308, "'" + what + "' of " + to_string(value) + " to a view of " + wanted, where, "cast it: cast(x, " + wanted + ") or cast(x, view.dtype())");
  }
  if (compares && op.operands[place - 1] != value)
    fail(1308, "'" + what + "' expects " + to_string(op.operands[place - 1]) + " and writes " + to_string(value), where, "both have the dtype of the view and one shape");
  check_access(op, view, value.shape, 1 + std::size_t{compares} + std::size_t{has_mask}, what, where);
  if (has_mask) check_mask(op.operands[place + 1], value.shape, what, where);
  return {value};
}

}  // namespace

std::vector<Type> infer_memory(const OpSignature& op, const SourcePosition& where) {
  if (op.opcode == Opcode::Load) return load(op, where);
  if (op.opcode == Opcode::Store) return store(op, where);
  if (op.opcode == Opcode::Atomic) return atomic(op, where);
  const Type& view = expect_view(op, where);
  expect_ints(op, 1, where);
  expect_axis(op.ints[0], view, spelling_of(op.opcode), where);
  if (op.opcode == Opcode::ViewSize) {
    expect_operands(op, 1, 1, where);
    return {Type{DType::I64, {}}};
  }
  expect_operands(op, 3, 3, where);
  expect_i64(op.operands[1], "the start of 'narrow'", where);
  expect_i64(op.operands[2], "the size of 'narrow'", where);
  return {view};
}

}  // namespace tilewright::program::rules
