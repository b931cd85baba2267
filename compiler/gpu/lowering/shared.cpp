// Shared memory: buffers, and scratch of one operation.
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

Emitter::Value Emitter::open_buffer(std::int64_t bytes, std::int64_t tiles, std::int64_t alignment, bool of_teams) {
  const auto number = [this](std::int64_t value) { return b_.getI64IntegerAttr(value); };
  return tile_gpu::BufferOp::create(b_, LLVM::LLVMPointerType::get(b_.getContext(), tile_gpu::kSharedSpace), number(buffers_++), number(bytes), number(tiles), number(alignment),
                                    of_teams ? number(teams_) : mlir::IntegerAttr());
}

void Emitter::note(tile_gpu::NoteKind kind, std::optional<std::int64_t> pending, llvm::ArrayRef<std::int64_t> buffers) {
  tile_gpu::NoteOp::create(b_, kind, pending ? b_.getI64IntegerAttr(*pending) : nullptr, buffers.empty() ? nullptr : b_.getDenseI64ArrayAttr(buffers));
}

Emitter::Value Emitter::open_scratch(std::int64_t bytes) {
  constexpr std::int64_t kWidestAccess = 16;
  Value base = open_buffer(bytes, /*tiles=*/1, kWidestAccess, /*of_teams=*/static_cast<bool>(team_));
  publish_scratch();
  return of_team(base);
}

Emitter::Value Emitter::of_team(Value base) {
  if (!team_) return base;
  Value stride = tile_gpu::TeamStrideOp::create(b_, b_.getI32Type());
  return shared_address(base, arith::MulIOp::create(b_, team_, stride));
}

void Emitter::publish_scratch() { note(tile_gpu::NoteKind::Phase); }

tile_gpu::AccessAttr Emitter::access_of(tile_gpu::AccessKind kind, Value address, std::int64_t turn) {
  while (auto offset = address.getDefiningOp<LLVM::GEPOp>()) address = offset.getBase();
  if (handed_) kind = tile_gpu::AccessKind::Handed;
  return tile_gpu::AccessAttr::get(b_.getContext(), kind, static_cast<std::int64_t>(address.getDefiningOp<tile_gpu::BufferOp>().getNumber()), turn, apart_, by_warps_);
}

Emitter::Value Emitter::shared_address(Value base, Value offset, std::int64_t constant_offset) {
  const mlir::Type byte = b_.getI8Type();
  if (offset) base = LLVM::GEPOp::create(b_, base.getType(), byte, base, LLVM::GEPArg(offset));
  if (constant_offset != 0) base = LLVM::GEPOp::create(b_, base.getType(), byte, base, LLVM::GEPArg(static_cast<std::int32_t>(constant_offset)));
  return base;
}

Emitter::Value Emitter::shared_element(Value base, const layout::IndexExpression& offsets, int reg, std::int64_t size) {
  const Position at = position(offsets, reg);
  Value variable = at.variable && size != 1 ? arith::MulIOp::create(b_, at.variable, i32(size)).getResult() : at.variable;
  return shared_address(base, variable, at.constant * size);
}

void Emitter::store_shared(Value value, Value address) {
  const mlir::Type type = value.getType();
  auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const std::int64_t bytes = vector ? vector.getNumElements() * bytes_of(vector.getElementType()) : bytes_of(type);
  auto store = LLVM::StoreOp::create(b_, value, address, static_cast<unsigned>(bytes), /*isVolatile=*/handed_);
  store->setAttr(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Store, address));
}

Emitter::Value Emitter::load_shared(mlir::Type type, Value address, std::int64_t turn) {
  auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const std::int64_t bytes = vector ? vector.getNumElements() * bytes_of(vector.getElementType()) : bytes_of(type);
  auto load = LLVM::LoadOp::create(b_, type, address, static_cast<unsigned>(bytes), /*isVolatile=*/handed_);
  load->setAttr(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Load, address, turn));
  return load;
}

std::int64_t Emitter::row_major_bytes(const Layout& layout, mlir::Type element) { return layout.elements() * bytes_of(element); }

Emitter::Value Emitter::offset_in(llvm::ArrayRef<std::int64_t> strides, llvm::ArrayRef<Value> coordinates, mlir::Type element) {
  Value offset;
  for (auto [stride, coordinate] : llvm::zip(strides, coordinates)) {
    const std::int64_t bytes = stride * bytes_of(element);
    offset = add(offset, bytes == 1 ? coordinate : arith::MulIOp::create(b_, coordinate, i32(bytes)).getResult());
  }
  return offset ? offset : i32(0);
}

void Emitter::write_strided(const Registers& registers, const Layout& layout, mlir::Type element, Value base, llvm::ArrayRef<std::int64_t> strides,
                            std::optional<Window> window) {
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  const layout::Owners owners = layout::owners(layout);
  mlir::OpBuilder::InsertionGuard guard(b_);
  enter_if(owned(layout));
  for (int reg : owners.registers) {
    if (bounds[reg].validity == layout::Validity::kNever) continue;
    mlir::OpBuilder::InsertionGuard inner(b_);
    Value here = inside(layout, bounds[reg], reg);
    Registers at;
    for (int axis = 0; axis < layout.rank(); ++axis) at.push_back(coordinate(layout, axis, reg));
    if (window && window->count < layout.extents()[window->axis]) {
      Value& along = at[window->axis];
      if (window->first != 0) along = arith::SubIOp::create(b_, along, i32(window->first));
      here = and_(here, arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, along, i32(window->count)));
    }
    enter_if(here);
    store_shared(to_memory(registers[reg]), shared_address(base, offset_in(strides, at, element)));
  }
}

void Emitter::write_row_major(const Registers& registers, const Layout& layout, mlir::Type element, Value base) {
  write_strided(registers, layout, element, base, mlir::computeStrides(layout.extents()));
}

Registers Emitter::read_elements(const Layout& layout, mlir::Type element, Value base, llvm::function_ref<Value(int)> offset) {
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  Registers read(layout.registers());
  for (int reg = 0; reg < layout.registers(); ++reg) {
    if (bounds[reg].validity == layout::Validity::kNever) read[reg] = zero(element);
  }
  const std::vector<std::pair<int, int>> copies = layout::register_copies(layout);
  for (auto [copy, original] : copies) read[copy] = {};
  llvm::SmallVector<bool> is_copy(read.size());
  for (auto [copy, original] : copies) is_copy[copy] = true;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    if (is_copy[reg] || read[reg]) continue;
    read[reg] = from_memory(load_shared(memory_type(element), shared_address(base, offset(reg))), element);
  }
  for (auto [copy, original] : copies) read[copy] = read[original];
  return read;
}

}  // namespace tilewright::gpu
