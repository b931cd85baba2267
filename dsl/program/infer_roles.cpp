// Typing of channels, shared tiles and products of groups of warps. roles.h has the rules that concern several operations.
#include "dsl/program/infer.h"

namespace tilewright::program::rules {

namespace {

constexpr std::int64_t kLongestList = 4096;

// A list, as a channel holds it that the producer fills with tiles of its own.
void expect_list(const Type& type, const SourcePosition& where) {
  if (type.dtype != DType::I32 && type.dtype != DType::U32 && type.dtype != DType::F32)
    fail(1607, "a list of " + std::string(name_of(type.dtype)) + " in a channel", where, "lists are of i32, u32 or f32: cast(x, i32)");
  if (type.shape[0] > kLongestList) fail(1607, "a list of " + std::to_string(type.shape[0]) + " elements in a channel", where, "lists have up to " + std::to_string(kLongestList));
}

// A channel or shared tile as the author declared it.
std::vector<Type> declared(const OpSignature& op, const SourcePosition& where) {
  const std::string what(spelling_of(op.opcode));
  expect_operands(op, 0, 0, where);
  expect_ints(op, 0, where);
  const Type& type = *op.wanted;
  const bool is_channel = op.opcode == Opcode::Channel;
  if (type.is_view || type.shared != (is_channel ? Shared::Channel : Shared::Tile) || (type.slots != 0) != is_channel) fail(1200, "'" + what + "' gives " + to_string(type), where);
  check_tile_shape(type.shape, what, where);
  if (is_channel && type.rank() == 1) expect_list(type, where);
  else if (type.rank() != 2) fail(1607, "'" + what + "' holds matrices" + (is_channel ? " or lists" : "") + ", not tiles of " + to_string(type.shape), where);
  if (is_channel && type.slots < 1) fail(1607, "a channel has room for " + std::to_string(type.slots) + " tiles", where, "give it as many as copies shall be ahead, two at least");
  return {type};
}

const Type& expect_shared(const OpSignature& op, std::size_t operand, Shared kind, const SourcePosition& where) {
  const Type& type = op.operands[operand];
  if (type.shared != kind)
    fail(1607, "'" + std::string(spelling_of(op.opcode)) + "' takes a " + (kind == Shared::Channel ? "channel" : "shared tile") + ", not " + to_string(type), where);
  return type;
}

// Of a view, where a matrix is copied from or to: (view, indices, channel or shared tile), ints = {maps, `others` more}.
void expect_box(const OpSignature& op, const std::string& what, std::size_t others, const SourcePosition& where) {
  const Type& view = op.operands[0];
  if (!view.is_view) fail(1203, what + " takes a view of memory, not " + to_string(view), where);
  expect_operands(op, view.rank() + 2, view.rank() + 2, where);
  expect_ints(op, view.rank() + others, where);
  int next = 0;  // axis of the tile
  for (std::size_t d = 0; d < view.rank(); ++d) {
    const Type& index = op.operands[1 + d];
    if (!index.is_scalar() || index.dtype != DType::I64)
      fail(1607, "the index of dimension " + std::to_string(d) + " in " + what + " is " + to_string(index), where, "what is copied is a box: each index is an i64 scalar");
    if (op.ints[d] == kMapPoint) continue;
    if (op.ints[d] != next++) fail(1607, "the axes of the tile in " + what + " are not dimensions of the view in their order", where);
  }
  if (next != 2) fail(1607, what + " copies a matrix, not a tile of rank " + std::to_string(next), where);
}

std::vector<Type> send(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 2, SIZE_MAX, where);
  const Type &view = op.operands[0], &channel = expect_shared(op, op.operands.size() - 1, Shared::Channel, where);
  if (channel.rank() != 2) fail(1607, "'send' of a box to " + to_string(channel), where, "a list is sent as a tile: send(channel, tile)");
  if (view.is_view && view.dtype != channel.dtype) fail(1607, "'send' from " + to_string(view) + " to " + to_string(channel), where, "a channel has the dtype of what is sent: channel(x.dtype(), ...)");
  expect_box(op, "'send'", 0, where);
  return {};
}

std::vector<Type> copy_out(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 2, SIZE_MAX, where);
  const bool adds = !op.ints.empty() && op.ints.back() != 0;
  const std::string what = adds ? "'add_out'" : "'copy_out'";
  const Type &view = op.operands[0], &tile = expect_shared(op, op.operands.size() - 1, Shared::Tile, where);
  if (tile.rank() != 2) fail(1611, what + " of " + to_string(tile), where, "what is copied out is a shared_tile");
  if (view.is_view && view.dtype != tile.dtype) fail(1611, what + " of " + to_string(tile) + " to " + to_string(view), where, "a shared tile has the dtype of what it is copied to: shared_tile(y.dtype(), ...)");
  if (adds && tile.dtype != DType::F16 && tile.dtype != DType::BF16 && tile.dtype != DType::F32) fail(1611, what + " of " + to_string(tile), where, "f16, bf16 and f32 are added");
  expect_box(op, what, 1, where);
  return {};
}

std::vector<Type> send_tile(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 2, 2, where);
  const Type &tile = op.operands[0], &channel = expect_shared(op, 1, Shared::Channel, where);
  expect_tile(tile, "send", where);
  if (channel.rank() != 1) fail(1607, "'send' of a tile to " + to_string(channel), where, "a channel of matrices is filled from memory: send(channel, view, {...})");
  if (tile != Type{channel.dtype, channel.shape})
    fail(1607, "'send' of " + to_string(tile) + " to " + to_string(channel), where, tile.dtype != channel.dtype ? "cast it: cast(x, " + std::string(tilewright::name_of(channel.dtype)) + ")" : "");
  return {Type{channel.dtype, channel.shape, false, Shared::Tile}};
}

std::vector<Type> element(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 2, 2, where);
  const Type &list = expect_shared(op, 0, Shared::Tile, where), &index = op.operands[1];
  if (list.rank() != 1) fail(1607, "'element' of " + to_string(list), where, "lists have elements; read(shared) gives a matrix");
  if (index != Type{DType::I64, {}}) fail(1607, "the index of 'element' is " + to_string(index) + ", not an i64 scalar", where);
  return {Type{list.dtype, {}}};
}

std::vector<Type> product(const OpSignature& op, const SourcePosition& where) {
  expect_operands(op, 3, 3, where);
  expect_ints(op, 3, where);
  Type a = op.operands[0], b = expect_shared(op, 1, Shared::Tile, where);
  const Type& acc = op.operands[2];
  if (a.is_view || a.shared == Shared::Channel) fail(1607, "the left operand of 'group_dot' is " + to_string(a) + ", neither a tile nor a shared tile", where);
  if (a.is_tile() && op.ints[0] != 0) fail(1200, "'group_dot' transposes a tile in registers", where);
  for (auto [type, transposed] : {std::pair(&a, op.ints[0]), std::pair(&b, op.ints[1])}) {
    if (type->rank() != 2) fail(1214, "'group_dot' takes matrices, not " + to_string(*type), where);
    if (transposed != 0) std::swap(type->shape[0], type->shape[1]);
    *type = {type->dtype, type->shape};
  }
  const Type wanted = product_type(a, b, "group_dot", where);
  if (acc != wanted)
    fail(acc.shape != wanted.shape ? 1214 : 1215, "the accumulator of 'group_dot' is " + to_string(acc) + "; " + to_string(a) + " by " + to_string(b) + " accumulates in " + to_string(wanted), where);
  return {wanted};
}

}  // namespace

std::vector<Type> infer_roles(const OpSignature& op, const SourcePosition& where) {
  switch (op.opcode) {
    case Opcode::Channel:
    case Opcode::SharedTile: return declared(op, where);
    case Opcode::Send: return send(op, where);
    case Opcode::SendTile: return send_tile(op, where);
    case Opcode::CopyOut: return copy_out(op, where);
    case Opcode::SharedElement: return element(op, where);
    case Opcode::GroupProduct: return product(op, where);
    case Opcode::Team:
      expect_operands(op, 0, 0, where);
      return {Type{DType::I64, {}}};
    case Opcode::SharedLoad: {
      expect_operands(op, 1, 1, where);
      const Type& shared = expect_shared(op, 0, Shared::Tile, where);
      return {Type{shared.dtype, shared.shape}};
    }
    case Opcode::Receive: {
      expect_operands(op, 1, 1, where);
      const Type& channel = expect_shared(op, 0, Shared::Channel, where);
      return {Type{channel.dtype, channel.shape, false, Shared::Tile}};
    }
    case Opcode::Release:
      expect_operands(op, 1, 1, where);
      expect_shared(op, 0, Shared::Tile, where);
      return {};
    case Opcode::Turns:
      expect_operands(op, 0, 0, where);
      return {Type{DType::Bool, {}, false, Shared::Turns}};
    case Opcode::TakeTurn:
    case Opcode::PassTurn:
      expect_operands(op, 1, 1, where);
      if (op.operands[0].shared != Shared::Turns) fail(1609, "'" + std::string(spelling_of(op.opcode)) + "' takes turns, not " + to_string(op.operands[0]), where);
      return {};
    case Opcode::SharedStore: {
      expect_operands(op, 2, 2, where);
      const Type &shared = expect_shared(op, 0, Shared::Tile, where), &tile = op.operands[1];
      expect_tile(tile, "write", where);
      if (tile != Type{shared.dtype, shared.shape})
        fail(1607, "'write' of " + to_string(tile) + " to " + to_string(shared), where, tile.dtype != shared.dtype ? "cast it: cast(x, " + std::string(tilewright::name_of(shared.dtype)) + ")" : "");
      return {};
    }
    default:  // GroupWait
      expect_operands(op, 1, 1, where);
      expect_tile(op.operands[0], "wait", where);
      return {op.operands[0]};
  }
}

}  // namespace tilewright::program::rules
