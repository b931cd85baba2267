// Atomic operations: element by element, since several may go to one place. Programs of a grid run on several threads.
#include "compiler/targets/cpu/lowering/emitter.h"
#include "compiler/transforms/atomic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

constexpr auto kRelaxed = LLVM::AtomicOrdering::monotonic;

}  // namespace

void Emitter::emit_atomic(tile::AtomicOp op) {
  const ViewParts& view = views_.find(op.getView())->second;
  const bool wanted = !op.use_empty();
  const auto type = tile_type(op.getValue());
  Buffer* olds = wanted && type ? result_buffer(op.getResult()) : nullptr;
  buffers_.erase(op.getResult());
  const auto act_at = [&](const Coords& at) {
    const Access where = access(view, op.getIndices(), op.getMaps(), at, /*check=*/true);
    Value allowed = where.in_bounds.value;
    if (op.getMask()) allowed = and_(allowed, evaluate(op.getMask(), at).value);
    Value value = evaluate(op.getValue(), at).value;
    Value expected = op.getExpected() ? evaluate(op.getExpected(), at).value : Value();
    const auto act = [&] { return act_atomically(op.getKind(), view.element, where.base, value, expected); };
    Value old;
    if (!allowed) {
      old = act();
    } else {
      auto branch = scf::IfOp::create(b_, wanted ? mlir::TypeRange(value.getType()) : mlir::TypeRange(), allowed, /*withElseRegion=*/wanted);
      mlir::OpBuilder::InsertionGuard guard(b_);
      b_.setInsertionPointToStart(branch.thenBlock());
      old = act();
      if (!wanted) return;
      scf::YieldOp::create(b_, old);
      b_.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b_, constant_like(value.getType(), 0));
      old = branch.getResult(0);
    }
    if (!wanted) return;
    if (olds) write_buffer(olds, view.element, at, {old, true});
    else scalars_[op.getResult()] = old;
  };
  if (type) for_each_scalar(type.getShape(), {}, act_at);
  else act_at({});
  if (olds) buffers_[op.getResult()] = olds;
}

Emitter::Value Emitter::act_atomically(tile::AtomicKind kind, mlir::Type element, Value address, Value value, Value expected) {
  if (element.isF16() || element.isBF16()) return add_narrow(element, address, value);
  return create_atomic(b_, kind, value, address, expected, /*scope=*/{});
}

// Tries until nobody else has changed the element between reading and writing it.
Emitter::Value Emitter::add_narrow(mlir::Type narrow, Value address, Value value) {
  const mlir::Type bits = b_.getIntegerType(16);
  Value first = LLVM::LoadOp::create(b_, bits, address, /*alignment=*/2, /*isVolatile=*/false, /*isNonTemporal=*/false, /*isInvariant=*/false, /*isInvariantGroup=*/false, kRelaxed);
  auto loop = scf::WhileOp::create(b_, mlir::TypeRange(bits), mlir::ValueRange(first));
  mlir::OpBuilder::InsertionGuard guard(b_);
  mlir::Block* attempt = b_.createBlock(&loop.getBefore(), {}, bits, b_.getLoc());
  Value seen = attempt->getArgument(0);
  Value sum = narrow_bits(arith::AddFOp::create(b_, widen_bits(seen, narrow), value), narrow);
  Value exchanged = LLVM::AtomicCmpXchgOp::create(b_, address, seen, sum, kRelaxed, kRelaxed, llvm::StringRef(), 2);
  Value succeeded = LLVM::ExtractValueOp::create(b_, exchanged, 1);
  Value again = arith::XOrIOp::create(b_, succeeded, int_like(b_.getI1Type(), 1));
  scf::ConditionOp::create(b_, again, mlir::ValueRange{LLVM::ExtractValueOp::create(b_, exchanged, 0).getResult()});
  mlir::Block* next = b_.createBlock(&loop.getAfter(), {}, bits, b_.getLoc());
  scf::YieldOp::create(b_, mlir::ValueRange(next->getArgument(0)));
  b_.setInsertionPointAfter(loop);
  return widen_bits(loop.getResult(0), narrow);
}

}  // namespace tilewright::cpu
