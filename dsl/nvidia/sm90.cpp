// The functions of sm90.h: what the hardware asks of shapes, registers and tensors is checked here, at the author's line; what concerns several operations is the program's rules (dsl/program/roles.h).
#include "dsl/nvidia/sm90.h"

#include "dsl/program/infer.h"
#include "dsl/schedule.h"
#include "dsl/tracer.h"

#include <algorithm>

namespace tilewright::nvidia {

using program::Opcode;
using program::Shape;
using program::to_string;
using program::Type;
using program::ValueId;
using tilewright::detail::fail;
using tilewright::detail::Tracer;

namespace {

constexpr std::int64_t kRowBytes = 128, kSwizzleRows = 8, kMostBoxRows = 256;
constexpr std::size_t kMostBoxRank = 5;
constexpr int kWarpRows = 16, kGroupWarps = 4, kMostWarps = 32, kMostColumns = 256, kWarpSize = 32, kRegisters = 65536, kMostOfThread = 255;
constexpr std::int64_t kStepBytes = 32;  // of the depth, in one instruction

std::int64_t warps_of(Tracer& tracer) {
  const auto& bindings = tracer.build().program().bindings;
  const auto found = std::find_if(bindings.begin(), bindings.end(), [](const auto& binding) { return binding.first == "warps"; });
  return found == bindings.end() ? kGroupWarps : found->second;
}

// A matrix that lies in shared memory as the copy engine fills it and products read it.
Type shared_type(DType dtype, Extents extents, const char* what, Loc at) {
  Type type{dtype, {}, false, program::Shared::Tile};
  for (const Extent& extent : extents) type.shape.push_back(extent.value);
  const std::string name = std::string("'") + what + "' of " + to_string(type.shape) + "x" + std::string(name_of(dtype));
  const bool is_copied_out = dtype == DType::F32 && std::string_view(what) == "shared_tile";
  if (dtype != DType::F16 && dtype != DType::BF16 && !is_float8(dtype) && !is_copied_out) fail(1607, name + ": groups of warps multiply f16, bf16 and 8-bit floats", at, "require(x.dtype() == bf16, ...) leaves others to the body");
  if (type.shape.size() != 2) fail(1607, name + ": matrices alone lie in shared memory", at);
  const std::int64_t bytes = type.shape[1] * static_cast<std::int64_t>(size_of(dtype));
  if (bytes % kRowBytes != 0) fail(1607, name + ": rows of " + std::to_string(bytes) + " bytes are no multiple of 128", at);
  if (type.shape[0] % kSwizzleRows != 0 || type.shape[0] > kMostBoxRows) fail(1607, name + ": " + std::to_string(type.shape[0]) + " rows are no multiple of 8 up to 256", at);
  return type;
}

// A list in a channel is a tile of the producer's and has no rows.
Type channel_type(DType dtype, Extents extents, Loc at) {
  if (extents.size() != 1) return shared_type(dtype, extents, "channel", at);
  return {dtype, {extents.begin()->value}, false, program::Shared::Tile};
}

void expect_teams(Tracer& tracer, int teams, Loc at) {
  const std::int64_t warps = warps_of(tracer), all = teams * warps;
  const auto no = [&](const std::string& message, const std::string& help = {}) { fail(1610, std::to_string(teams) + " teams of " + std::to_string(warps) + " warps: " + message, at, help); };
  if (teams < 0) no("a number of teams is positive, or left out");
  if (warps != 1 && warps != 2 && warps != 4) no("a team has 1, 2 or 4 warps", "Tune<int> warps{\"warps\", {1}}");
  if (all % kGroupWarps != 0) no(std::to_string(all) + " warps are no multiple of 4");
  if (all + kGroupWarps > kMostWarps) no("with the producer's four they are more than " + std::to_string(kMostWarps));
}

void expect_product(Tracer& tracer, const Type& acc, const Type& left, bool left_transposed, const SharedTile& b, Loc at) {
  const auto no = [&](const std::string& message, const char* help = "") { fail(1607, message, at, help); };
  const std::int64_t warps = warps_of(tracer);
  if (warps % kGroupWarps != 0) no("'group_dot' takes groups of four warps, and the kernel has " + std::to_string(warps), "Tune<int> warps{\"warps\", {8, 4}}");
  if (left.dtype != DType::F16 && left.dtype != DType::BF16 && !is_float8(left.dtype)) no("'group_dot' of " + to_string(left) + ": groups of warps multiply f16, bf16 and 8-bit floats", "cast the tile: cast(x, bf16)");
  if (acc.rank() != 2) return;  // the rules of the program say what is wrong
  if (acc.shape[0] % (warps * kWarpRows) != 0) no("'group_dot' of " + std::to_string(acc.shape[0]) + " rows, no multiple of 16 for each of " + std::to_string(warps) + " warps");
  if (acc.shape[1] % 8 != 0 || acc.shape[1] > kMostColumns) no("'group_dot' of " + std::to_string(acc.shape[1]) + " columns, no multiple of 8 up to 256");
  const std::int64_t step = kStepBytes / static_cast<std::int64_t>(size_of(left.dtype)), depth = left.rank() == 2 ? left.shape[left_transposed ? 0 : 1] : step;
  if (depth % step != 0) no("'group_dot' of depth " + std::to_string(depth) + ", no multiple of " + std::to_string(step));
  if (is_float8(left.dtype) && (left_transposed || !b.transposed())) no("8-bit floats are multiplied along the depth only", "send the left operand as [m, k], the right one as [n, k], and multiply by trans(b)");
}

ValueId multiply(const LeftOperand& a, const SharedTile& b, const TileArg& accumulator, bool in_flight, Loc at) {
  Tracer& tracer = Tracer::get(at);
  const ValueId left = tracer.id(a.ref), right = tracer.id(b.ref()), acc = tracer.id(accumulator.ref);
  const Type left_type = tracer.build().type(left), acc_type = tracer.build().type(acc);
  const ValueId product = tracer.build().op(Opcode::GroupProduct, {left, right, acc}, {a.transposed, b.transposed(), in_flight});
  expect_product(tracer, acc_type, left_type, a.transposed, b, at);
  return product;
}

// What the driver has to know to describe boxes of the tensor.
void expect_boxes(Tracer& tracer, ValueId view, const std::string& what, bool writes, Loc at) {
  const int code = writes ? 1611 : 1607;
  const std::string place = writes ? "' to " : "' from ";
  const auto& params = tracer.build().program().params;
  const auto param = std::find_if(params.begin(), params.end(), [&](const auto& each) { return each.value == view; });
  if (param == params.end()) fail(code, "'" + what + place + "a part of a tensor", at, what + " takes the parameter itself: boxes are described before the kernel runs");
  if (tracer.build().type(view).rank() > kMostBoxRank) fail(code, "'" + what + place + "a tensor of rank " + std::to_string(tracer.build().type(view).rank()), at, "boxes have five dimensions at most");
  if (writes && param->kind == program::ParamKind::Input) fail(code, "'" + what + "' to '" + param->name + "', which is an In", at, "a kernel writes its Out and InOut parameters");
  if (!writes && param->kind != program::ParamKind::Input) fail(1607, "'send' from '" + param->name + "', which is not an In", at, "copies do not see what the kernel stores");
  if (!param->facts.unit_inner_stride || !param->facts.aligned16 || !param->facts.fits32)
    throw tilewright::detail::ScheduleRefused{"'" + param->name + "' is not of contiguous rows, aligned to 16 bytes, with offsets of 32 bits"};
}

}  // namespace

namespace {

struct Box {
  std::vector<ValueId> operands;  // the view and the indices
  std::vector<std::int64_t> maps;
};

Box box_of(Tracer& tracer, const std::string& what, const View& view, Indices indices, const Type& tile, bool writes, Loc at) {
  Box box{{tracer.id(view.ref())}, {}};
  expect_boxes(tracer, box.operands[0], what, writes, at);
  const Type type = tracer.build().type(box.operands[0]);
  if (indices.size() != type.rank())
    fail(1301, "'" + what + "' has " + std::to_string(indices.size()) + " indices for a view of rank " + std::to_string(type.rank()), at, "give one index for each dimension");
  const bool has_spans = std::any_of(indices.begin(), indices.end(), [](const IndexArg& index) { return index.is_span; });
  std::size_t axis = 0;
  for (std::size_t d = 0; d < indices.size(); ++d) {
    const IndexArg& index = indices.begin()[d];
    tracer.stand_at(index.index.at);
    box.operands.push_back(tracer.index(index.index, ("an index of '" + what + "'").c_str()));
    const bool is_axis = has_spans ? index.is_span : d + tile.rank() >= indices.size();
    box.maps.push_back(is_axis ? static_cast<std::int64_t>(axis) : program::kMapPoint);
    if (is_axis && index.is_span && (axis >= tile.rank() || index.extent != tile.shape[axis]))
      fail(1607, "'" + what + "' of a span of " + std::to_string(index.extent) + " to " + to_string(tile), index.index.at, writes ? "the spans are the extents of the shared tile" : "the spans are the extents of the channel's tiles");
    axis += is_axis;
  }
  if (box.maps.empty() || box.maps.back() == program::kMapPoint) fail(1607, "'" + what + "' of a box that does not run along the tensor's last dimension", at);
  tracer.stand_at(at);
  return box;
}

void copy_to(const char* what, const View& view, Indices indices, const SharedTile& tile, bool adds, Loc at) {
  Tracer& tracer = Tracer::get(at);
  if (tile.transposed()) fail(1611, std::string("'") + what + "' of a transposed tile", at, "write the transposed value: write(shared, trans(x))");
  const ValueId shared = tracer.id(tile.ref());
  Box box = box_of(tracer, what, view, indices, tracer.build().type(shared), /*writes=*/true, at);
  box.operands.push_back(shared);
  box.maps.push_back(adds);
  tracer.build().ops(Opcode::CopyOut, box.operands, box.maps);
}

}  // namespace

void require(bool condition, const char* reason) {
  if (!condition) throw tilewright::detail::ScheduleRefused{reason};
}

Channel channel(DType dtype, Extents shape, Extent stages, Loc at) {
  Tracer& tracer = Tracer::get(at);
  Type type = channel_type(dtype, shape, at);
  type.shared = program::Shared::Channel;
  type.slots = stages.value;
  if (stages.value < 2) fail(1607, "a channel has room for " + std::to_string(stages.value) + " tiles", at, "with two, one is filled while the other is read");
  return Channel(tracer.ref(tracer.build().op(Opcode::Channel, {}, {}, type)));
}

SharedTile shared_tile(DType dtype, Extents shape, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return SharedTile(tracer.ref(tracer.build().op(Opcode::SharedTile, {}, {}, shared_type(dtype, shape, "shared_tile", at))));
}

Turns turns(Loc at) {
  Tracer& tracer = Tracer::get(at);
  return Turns(tracer.ref(tracer.build().op(Opcode::Turns, {})));
}

void take_turn(const Turns& turns, Loc at) {
  Tracer& tracer = Tracer::get(at);
  tracer.build().ops(Opcode::TakeTurn, {tracer.id(turns.ref())});
}

void pass_turn(const Turns& turns, Loc at) {
  Tracer& tracer = Tracer::get(at);
  tracer.build().ops(Opcode::PassTurn, {tracer.id(turns.ref())});
}

void send(const Channel& channel, const View& view, Indices indices, Loc at) {
  Tracer& tracer = Tracer::get(at);
  const ValueId target = tracer.id(channel.ref());
  Box box = box_of(tracer, "send", view, indices, tracer.build().type(target), /*writes=*/false, at);
  box.operands.push_back(target);
  tracer.build().ops(Opcode::Send, box.operands, box.maps);
}

SharedTile send(const Channel& channel, const TileArg& tile, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return SharedTile(tracer.ref(tracer.build().op(Opcode::SendTile, {tracer.id(tile.ref), tracer.id(channel.ref())})));
}

Index team(Loc at) {
  Tracer& tracer = Tracer::get(at);
  return Index(tracer.ref(tracer.build().op(Opcode::Team, {})));
}

SharedTile receive(const Channel& channel, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return SharedTile(tracer.ref(tracer.build().op(Opcode::Receive, {tracer.id(channel.ref())})));
}

void release(const SharedTile& tile, Loc at) {
  Tracer& tracer = Tracer::get(at);
  tracer.build().ops(Opcode::Release, {tracer.id(tile.ref())});
}

void write(const SharedTile& shared, const TileArg& value, Loc at) {
  Tracer& tracer = Tracer::get(at);
  if (shared.transposed()) fail(1607, "'write' to a transposed tile", at, "transpose the value: trans(x)");
  tracer.build().ops(Opcode::SharedStore, {tracer.id(shared.ref()), tracer.id(value.ref)});
}

void copy_out(const View& view, Indices indices, const SharedTile& tile, Loc at) { copy_to("copy_out", view, indices, tile, false, at); }

void add_out(const View& view, Indices indices, const SharedTile& tile, Loc at) { copy_to("add_out", view, indices, tile, true, at); }

Tile read(const SharedTile& shared, Loc at) {
  Tracer& tracer = Tracer::get(at);
  const ValueId tile = tracer.build().op(Opcode::SharedLoad, {tracer.id(shared.ref())});
  return tracer.tile(shared.transposed() ? tracer.build().transpose(tile, {1, 0}) : tile);
}

Tile element(const SharedTile& list, const Index& index, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return tracer.tile(tracer.build().op(Opcode::SharedElement, {tracer.id(list.ref()), tracer.id(index.ref())}));
}

Tile group_dot(const LeftOperand& a, const SharedTile& b, const TileArg& accumulator, Loc at) {
  const ValueId product = multiply(a, b, accumulator, false, at);
  return Tracer::current()->tile(product);
}

Product begin_group_dot(const SharedTile& a, const SharedTile& b, const TileArg& accumulator, Loc at) {
  const ValueId product = multiply(a, b, accumulator, true, at);
  return Product(Tracer::current()->ref(product));
}

Tile wait(const Product& product, Loc at) {
  Tracer& tracer = Tracer::get(at);
  return tracer.tile(tracer.build().op(Opcode::GroupWait, {tracer.id(product.ref())}));
}

}  // namespace tilewright::nvidia

namespace tilewright::detail {

RolesScope::RolesScope(nvidia::Roles roles, Loc at) {
  Tracer& tracer = Tracer::get(at);
  if (roles.teams != 0) nvidia::expect_teams(tracer, roles.teams, at);
  if (roles.producer != 0 || roles.consumers != 0) {
    const auto no = [&](const std::string& message, const std::string& help) {
      fail(1608, "registers of " + std::to_string(roles.producer) + " and " + std::to_string(roles.consumers) + ": " + message, at, help);
    };
    for (int each : {roles.producer, roles.consumers})
      if (each % 8 != 0 || each < 24 || each > 240) no(std::to_string(each) + " is no multiple of 8 from 24 to 240", "leave both out, and the compiler chooses");
    const int warps = static_cast<int>(nvidia::warps_of(tracer)) * std::max(roles.teams, 1);
    const int begin_with = std::min(nvidia::kMostOfThread, nvidia::kRegisters / (nvidia::kWarpSize * (warps + nvidia::kGroupWarps))) / 8 * 8;
    if (roles.producer > begin_with || roles.consumers < begin_with)
      no("with " + std::to_string(warps) + " warps and the producer's four every thread begins with " + std::to_string(begin_with), "the producer gives registers away, consumers take them");
    // The block's registers are handed out when it begins: what consumers took beyond them, they would wait for, for ever.
    const int has = nvidia::kWarpSize * (warps + nvidia::kGroupWarps) * begin_with, takes = nvidia::kWarpSize * (warps * roles.consumers + nvidia::kGroupWarps * roles.producer);
    if (takes > has)
      no("with " + std::to_string(warps) + " warps and the producer's four the block has " + std::to_string(has) + " registers, and they would take " + std::to_string(takes), "give less to the consumers");
  }
  tracer.open_roles(roles.producer, roles.consumers, roles.teams, at);
}

RolesScope::~RolesScope() {
  if (open_) Tracer::current()->abandon();
}

void RolesScope::consumers() { Tracer::current()->open_consumers(); }

void RolesScope::close() {
  open_ = false;
  Tracer::current()->close_roles();
}

}  // namespace tilewright::detail
