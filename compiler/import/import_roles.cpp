// Import of explicit schedules: roles, channels and products of groups of warps, as the operations of `tile_gpu` that the automatic passes make too.
#include "compiler/import/importer.h"

#include "compiler/gpu/ir/TileGpuDialect.h"

namespace tilewright::import {

using program::kNone;
using program::Opcode;

void Importer::role_operation(const program::Op& op) {
  const auto shared_type = [&] { return type_of({result_type(op).dtype, result_type(op).shape}); };
  const auto set = [&](mlir::Value value) { values_.at(op.results.at(0)) = value; };
  switch (op.opcode) {
    case Opcode::Roles: return roles(op);
    case Opcode::Send: return send(op);
    case Opcode::CopyOut: return copy_out(op);
    case Opcode::Channel: {
      const auto tile = llvm::cast<mlir::RankedTensorType>(shared_type());
      return set(tile_gpu::ChannelOp::create(b_, tile_gpu::ChannelType::get(b_.getContext(), result_type(op).slots, tile.getShape(), tile.getElementType())));
    }
    case Opcode::SharedTile: {
      const auto tile = llvm::cast<mlir::RankedTensorType>(shared_type());
      return set(tile_gpu::AllocOp::create(b_, tile_gpu::SharedType::get(b_.getContext(), 1, tile.getShape(), tile.getElementType())));
    }
    case Opcode::Turns: return set(tile_gpu::TurnsOp::create(b_, tile_gpu::TurnsType::get(b_.getContext())));
    case Opcode::TakeTurn: tile_gpu::TakeTurnOp::create(b_, operand(op, 0)); return;
    case Opcode::PassTurn: tile_gpu::PassTurnOp::create(b_, operand(op, 0)); return;
    case Opcode::Team: return set(tile_gpu::TeamOp::create(b_, b_.getI64Type()));
    case Opcode::SendTile: return set(tile_gpu::SendTileOp::create(b_, b_.getI32Type(), operand(op, 0), value(op, op.operands.at(1))));
    case Opcode::SharedLoad: return set(shared_load(op, type_of(result_type(op)), /*transposed=*/false));
    case Opcode::SharedElement: {
      const program::ValueId channel = channel_of(op.operands.at(0));
      if (channel == kNone) fail(op, "its list was neither received nor sent");
      return set(tile_gpu::ChannelElementOp::create(b_, type_of(result_type(op)), value(op, channel), operand(op, 0), operand(op, 1)));
    }
    case Opcode::Receive: return set(tile_gpu::ReceiveOp::create(b_, b_.getI32Type(), operand(op, 0)));
    case Opcode::Release: tile_gpu::ReleaseOp::create(b_, value(op, channel_of(op.operands.at(0))), operand(op, 0)); return;
    case Opcode::SharedStore: tile_gpu::LocalStoreOp::create(b_, operand(op, 1), operand(op, 0)); return;
    case Opcode::GroupProduct: return set(group_product(op));
    case Opcode::GroupWait: return set(tile_gpu::GroupWaitOp::create(b_, operand(op, 0).getType(), operand(op, 0), 0));
    default: fail(op, "it is not of a role");
  }
}

void Importer::roles(const program::Op& op) {
  const auto number = [&](std::size_t i) { return i < op.ints.size() && op.ints[i] != 0 ? b_.getI64IntegerAttr(op.ints[i]) : mlir::IntegerAttr(); };
  auto made = tile_gpu::RolesOp::create(b_, /*written=*/true, number(0), number(1), number(2));
  for (auto [region, role] : llvm::zip_equal(op.regions, made->getRegions())) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.createBlock(&role);
    operations(region);
  }
}

Importer::BoxPlace Importer::box(const program::Op& op, std::size_t rank) {
  BoxPlace place;
  for (std::size_t d = 0; d < rank; ++d) {
    place.indices.push_back(operand(op, 1 + d));
    place.maps.push_back(op.ints[d] == program::kMapPoint ? tile::kMapPoint : op.ints[d]);
  }
  return place;
}

void Importer::send(const program::Op& op) {
  const BoxPlace place = box(op, op.ints.size());
  tile_gpu::SendOp::create(b_, operand(op, 0), place.indices, value(op, op.operands.back()), place.maps);
}

void Importer::copy_out(const program::Op& op) {
  const std::size_t rank = op.ints.size() - 1;
  const BoxPlace place = box(op, rank);
  tile_gpu::CopyOutOp::create(b_, value(op, op.operands.back()), operand(op, 0), place.indices, place.maps, op.ints[rank] != 0);
}

program::ValueId Importer::channel_of(program::ValueId tile) const {
  const program::OpId def = program_.values.at(tile).def;
  if (def == kNone) return kNone;
  const program::Op& op = program_.ops[def];
  return op.opcode == Opcode::Receive ? op.operands.at(0) : op.opcode == Opcode::SendTile ? op.operands.at(1) : kNone;
}

mlir::Value Importer::shared_load(const program::Op& op, mlir::Type result, bool transposed) {
  const program::ValueId channel = channel_of(op.operands.at(0));
  const mlir::UnitAttr turned = transposed ? b_.getUnitAttr() : mlir::UnitAttr();
  if (channel != kNone) return tile_gpu::ChannelLoadOp::create(b_, result, value(op, channel), operand(op, 0), turned);
  return tile_gpu::LocalLoadOp::create(b_, result, operand(op, 0), constant(b_.getI32Type(), 0), turned, mlir::IntegerAttr());
}

mlir::Value Importer::group_product(const program::Op& op) {
  const program::ValueId a = op.operands.at(0), b = op.operands.at(1), a_channel = channel_of(a), b_channel = channel_of(b);
  if (b_channel == kNone) fail(op, "its right operand was not received");
  const bool in_registers = program_.type(a).is_tile(), received = a_channel != kNone;
  const auto flag = [&](std::size_t i) { return op.ints.at(i) != 0 ? b_.getUnitAttr() : mlir::UnitAttr(); };
  const auto format = [&](std::size_t i) {
    const DType dtype = source_type(op, i).dtype;
    return is_float8(dtype) ? mlir::TypeAttr::get(float8_format(dtype)) : mlir::TypeAttr();
  };
  return tile_gpu::GroupDotOp::create(b_, type_of(result_type(op)), in_registers ? operand(op, 0) : mlir::Value(), received ? value(op, a_channel) : mlir::Value(),
                                      received ? operand(op, 0) : mlir::Value(), in_registers || received ? mlir::Value() : operand(op, 0), value(op, b_channel), operand(op, 1), mlir::Value(),
                                      operand(op, 2), flag(0), flag(1), flag(2), format(0), format(1));
}

}  // namespace tilewright::import
