// Atomic operations: each element acts once, whoever else holds a copy of it. And fences.
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

// Where nobody asks what was there, and the target acts on neighbours at once. True: a tile that lies inside of its view is done in a branch, and the builder stands in the other one.
// `start` is then the address of the first element of the thread, in front of the branch; others are told from it, since what lies between is the same in all threads.
bool Emitter::emit_atomic_runs(tile::AtomicOp op, Access& access, RunningAddress& start) {
  if (!op.use_empty() || op.getExpected() || op.getMask()) return false;
  const Layout& layout = *access.layout;
  const int width = std::min(access.width, target_.atomic_run(op.getKind(), tile::element_type_of(op.getType())));
  Value whole = width > 1 ? tile_inside(access) : Value();
  if (!whole) return false;
  const Value owns = owned(layout);
  const layout::Owners owners = layout::owners(layout);
  next_address(access, start, owners.registers.front());
  auto branch = scf::IfOp::create(b_, whole, /*withElseRegion=*/true);
  b_.setInsertionPointToStart(branch.thenBlock());
  for (const layout::RegisterGroup& group : layout::vector_registers(layout, access.contiguous_axis, width)) {
    const int first = group.front();
    if (access.bounds[first].validity == layout::Validity::kNever || !llvm::is_contained(owners.registers, first)) continue;
    RunningAddress from = start;
    Value at = next_address(access, from, first);
    mlir::OpBuilder::InsertionGuard guard(b_);
    if (Value acts = and_(owns, inside(layout, access.bounds[first], first))) b_.setInsertionPointToStart(scf::IfOp::create(b_, acts, /*withElseRegion=*/false).thenBlock());
    const auto run = llvm::map_to_vector(group, [&](int reg) { return registers(op.getValue())[reg]; });
    target_.atomic(b_, op.getKind(), run, at);
  }
  b_.setInsertionPointToStart(branch.elseBlock());
  return true;
}

void Emitter::emit_atomic(tile::AtomicOp op) {
  order_memory(op, op.getView());
  if (!tile_type(op.getValue())) return emit_scalar_atomic(op);
  const Layout& layout = layout_of(op.getValue());
  const mlir::Type element = tile::element_type_of(op.getType());
  Access access = open_access(AccessShape::of(op), &layout);
  mlir::OpBuilder::InsertionGuard guard(b_);
  RunningAddress start;
  const bool told = emit_atomic_runs(op, access, start);
  const Registers& values = registers(op.getValue());
  const Value owns = owned(layout);
  Registers olds(layout.registers());
  for (int reg : layout::owners(layout).registers) {
    if (access.bounds[reg].validity == layout::Validity::kNever) continue;
    Value predicate = and_(owns, and_(in_bounds(access, reg), inside(layout, access.bounds[reg], reg)));
    if (op.getMask()) predicate = and_(predicate, registers(op.getMask())[reg]);
    Value expected = op.getExpected() ? registers(op.getExpected())[reg] : Value();
    RunningAddress from = start;
    olds[reg] = act(op, values[reg], told ? next_address(access, from, reg) : address(access, reg), expected, predicate);
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
  Value first = is_first_thread();
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

// Every thread has its own fence, since any of them may act behind it: what the others did before is ordered by the barrier in front, what they do afterwards by the one behind.
void Emitter::emit_fence(tile::FenceOp op) {
  if (op.releases()) meet_for_memory();
  target_.fence(b_, op.getOrder());
  if (op.acquires()) meet_for_memory();
}

}  // namespace tilewright::gpu
