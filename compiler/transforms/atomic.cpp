#include "compiler/transforms/atomic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
using mlir::Value;

namespace {

LLVM::AtomicBinOp operation_of(tile::AtomicKind kind, mlir::Type element) {
  using From = tile::AtomicKind;
  using To = LLVM::AtomicBinOp;
  switch (kind) {
    case From::Add: return llvm::isa<mlir::FloatType>(element) ? To::fadd : To::add;
    case From::MinS: return To::min;
    case From::MinU: return To::umin;
    case From::MinF: return To::fminimum;
    case From::MaxS: return To::max;
    case From::MaxU: return To::umax;
    case From::MaxF: return To::fmaximum;
    case From::And: return To::_and;
    case From::Or: return To::_or;
    case From::Xor: return To::_xor;
    case From::Exchange: case From::CompareExchange: return To::xchg;
  }
  return To::xchg;
}

}  // namespace

Value create_atomic(mlir::ImplicitLocOpBuilder& b, tile::AtomicKind kind, Value value, Value address, Value expected, llvm::StringRef scope) {
  const mlir::Type type = value.getType();
  const unsigned bits = type.getIntOrFloatBitWidth();
  constexpr auto relaxed = LLVM::AtomicOrdering::monotonic;
  if (kind != tile::AtomicKind::CompareExchange) return LLVM::AtomicRMWOp::create(b, operation_of(kind, type), address, value, relaxed, scope, bits / 8);
  const mlir::Type integer = b.getIntegerType(bits);
  const auto as = [&](Value x, mlir::Type to) { return x.getType() == to ? x : arith::BitcastOp::create(b, to, x).getResult(); };
  Value exchanged = LLVM::AtomicCmpXchgOp::create(b, address, as(expected, integer), as(value, integer), relaxed, relaxed, scope, bits / 8);
  return as(LLVM::ExtractValueOp::create(b, exchanged, 0), type);
}

void create_fence(mlir::ImplicitLocOpBuilder& b, tile::MemoryOrder order, llvm::StringRef scope) {
  using To = LLVM::AtomicOrdering;
  LLVM::FenceOp::create(b, order == tile::MemoryOrder::Acquire ? To::acquire : order == tile::MemoryOrder::Release ? To::release : To::acq_rel, scope);
}

}  // namespace tilewright
