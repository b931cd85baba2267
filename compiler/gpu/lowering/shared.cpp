// Scratch in shared memory.
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <algorithm>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

Emitter::Value Emitter::open_scratch(std::int64_t bytes) {
  shared_bytes_ = std::max(shared_bytes_, bytes);
  target_.barrier(b_);
  return shared_;
}

void Emitter::publish_scratch() { target_.barrier(b_); }

Emitter::Value Emitter::shared_address(Value base, Value offset, std::int64_t constant_offset) {
  const mlir::Type byte = b_.getI8Type();
  if (offset) base = LLVM::GEPOp::create(b_, base.getType(), byte, base, LLVM::GEPArg(offset));
  if (constant_offset != 0) base = LLVM::GEPOp::create(b_, base.getType(), byte, base, LLVM::GEPArg(static_cast<std::int32_t>(constant_offset)));
  return base;
}

void Emitter::store_shared(Value value, Value address) {
  const mlir::Type type = value.getType();
  auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const std::int64_t bytes = vector ? vector.getNumElements() * bytes_of(vector.getElementType()) : bytes_of(type);
  LLVM::StoreOp::create(b_, value, address, static_cast<unsigned>(bytes));
}

Emitter::Value Emitter::load_shared(mlir::Type type, Value address) {
  auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const std::int64_t bytes = vector ? vector.getNumElements() * bytes_of(vector.getElementType()) : bytes_of(type);
  return LLVM::LoadOp::create(b_, type, address, static_cast<unsigned>(bytes));
}

std::int64_t Emitter::row_major_bytes(const Layout& layout, mlir::Type element) { return layout.elements() * bytes_of(element); }

void Emitter::write_row_major(const Registers& registers, const Layout& layout, mlir::Type element, Value base) {
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  const std::int64_t size = bytes_of(element);
  const layout::Owners owners = layout::owners(layout);
  Value owns = owned(layout);
  for (int reg : owners.registers) {
    if (bounds[reg].validity == layout::Validity::kNever) continue;
    Value position;
    std::int64_t stride = size;
    for (int axis = layout.rank(); axis-- > 0;) {
      Value at = coordinate(layout, axis, reg);
      position = add(position, stride == 1 ? at : arith::MulIOp::create(b_, at, i32(stride)).getResult());
      stride *= layout.extents()[axis];
    }
    Value condition = and_(owns, inside(layout, bounds[reg], reg));
    const auto write = [&] { store_shared(to_memory(registers[reg]), shared_address(base, position)); };
    if (!condition) {
      write();
      continue;
    }
    auto branch = mlir::scf::IfOp::create(b_, condition, /*withElseRegion=*/false);
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(&branch.getThenRegion().front());
    write();
  }
}

}  // namespace tilewright::gpu
