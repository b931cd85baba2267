// Atomic operations: each element acts once, whoever else holds a copy of it.
#include "compiler/gpu/lowering/access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace scf = mlir::scf;

// Under the predicate only; zero elsewhere. Null where nobody wants to know what was there.
Emitter::Value Emitter::act(tile::AtomicOp op, Value value, Value address, Value expected, Value predicate) {
  const bool wanted = !op.use_empty();
  const auto there = [&] { return target_.atomic(b_, op.getKind(), value, address, expected); };
  if (!predicate) {
    Value old = there();
    return wanted ? old : Value();
  }
  auto branch = scf::IfOp::create(b_, wanted ? mlir::TypeRange(value.getType()) : mlir::TypeRange(), predicate, /*withElseRegion=*/wanted);
  mlir::OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(branch.thenBlock());
  Value old = there();
  if (!wanted) return {};
  scf::YieldOp::create(b_, old);
  b_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b_, zero(value.getType()));
  return branch.getResult(0);
}

void Emitter::emit_atomic(tile::AtomicOp op) {
  order_memory(op, op.getView());
  if (!tile_type(op.getValue())) return emit_scalar_atomic(op);
  const Layout& layout = layout_of(op.getValue());
  const mlir::Type element = tile::element_type_of(op.getType());
  Access access = open_access(AccessShape::of(op), &layout);
  const Registers& values = registers(op.getValue());
  const Value owns = owned(layout);
  Registers olds(layout.registers());
  for (int reg : layout::owners(layout).registers) {
    if (access.bounds[reg].validity == layout::Validity::kNever) continue;
    Value predicate = and_(owns, and_(in_bounds(access, reg), inside(layout, access.bounds[reg], reg)));
    if (op.getMask()) predicate = and_(predicate, registers(op.getMask())[reg]);
    Value expected = op.getExpected() ? registers(op.getExpected())[reg] : Value();
    olds[reg] = act(op, values[reg], address(access, reg), expected, predicate);
  }
  if (op.use_empty()) return;
  for (auto [copy, original] : layout::register_copies(layout)) olds[copy] = olds[original];
  for (Value& old : olds)
    if (!old) old = zero(element);
  if (!owns) return bind(op.getResult(), std::move(olds));
  // Those who hold copies learn it through scratch.
  const auto strides = mlir::computeStrides(layout.extents());
  Value base = open_scratch(row_major_bytes(layout, element));
  write_row_major(olds, layout, element, base);
  publish_scratch();
  bind(op.getResult(), read_elements(layout, element, base, [&](int reg) {
         Registers at;
         for (int axis = 0; axis < layout.rank(); ++axis) at.push_back(bounded_coordinate(layout, axis, reg));
         return offset_in(strides, at, element);
       }));
}

// One thread acts, and tells the others.
void Emitter::emit_scalar_atomic(tile::AtomicOp op) {
  const mlir::Type element = op.getType();
  Access access = open_access(AccessShape::of(op), nullptr);
  Value first = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, arith::OrIOp::create(b_, lane_, warp_), i32(0));
  Value predicate = and_(first, in_bounds(access, 0));
  if (op.getMask()) predicate = and_(predicate, scalar(op.getMask()));
  Value old = act(op, scalar(op.getValue()), address(access, 0), op.getExpected() ? scalar(op.getExpected()) : Value(), predicate);
  if (op.use_empty()) return;
  Value base = open_scratch(bytes_of(element));
  auto tells = scf::IfOp::create(b_, first, /*withElseRegion=*/false);
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(tells.thenBlock());
    store_shared(old, base);
  }
  publish_scratch();
  scalars_[op.getResult()] = load_shared(element, base);
}

}  // namespace tilewright::gpu
