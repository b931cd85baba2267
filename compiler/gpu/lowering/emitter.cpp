// Small helpers of the emitter.
#include "compiler/gpu/lowering/emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

const Registers& Emitter::registers(Value tile) {
  const auto found = tiles_.find(tile);
  if (found != tiles_.end()) return found->second;
  fail(tile.getDefiningOp() ? tile.getDefiningOp() : source_.getOperation(), "a tile is used before it is computed");
  return tiles_[tile] = Registers(layout_of(tile).registers(), zero(tile_type(tile).getElementType()));
}

Emitter::Value Emitter::fetch(Value tile, int reg) {
  Registers& all = tiles_[tile];
  if (!all[reg]) loaders_[tile](all, reg);
  return all[reg];
}

Emitter::Value Emitter::scalar(Value source) {
  const auto found = scalars_.find(source);
  if (found != scalars_.end()) return found->second;
  fail(source.getDefiningOp() ? source.getDefiningOp() : source_.getOperation(), "a scalar is used before it is computed");
  return zero(source.getType());
}

void Emitter::bind(Value tile, Registers registers) { tiles_[tile] = std::move(registers); }

const layout::Layout& Emitter::layout_of(Value tile) {
  const mlir::Attribute encoding = tile_type(tile).getEncoding();
  auto& cached = layouts_[encoding];
  if (!cached) cached = std::make_unique<Layout>(llvm::cast<tile_gpu::LayoutAttr>(encoding).layout());
  return *cached;
}

Emitter::Value Emitter::i32(std::int64_t value) { return constant(b_.getI32Type(), value); }
Emitter::Value Emitter::i64(std::int64_t value) { return constant(b_.getI64Type(), value); }

Emitter::Value Emitter::constant(mlir::Type type, std::int64_t value) {
  if (auto real = llvm::dyn_cast<mlir::FloatType>(type)) return arith::ConstantOp::create(b_, b_.getFloatAttr(real, static_cast<double>(value)));
  const unsigned width = type.getIntOrFloatBitWidth();
  const llvm::APInt bits(64, static_cast<std::uint64_t>(value), true);
  return arith::ConstantOp::create(b_, b_.getIntegerAttr(type, bits.trunc(width)));
}

Emitter::Value Emitter::zero(mlir::Type type) { return arith::ConstantOp::create(b_, b_.getZeroAttr(type)); }

Emitter::Value Emitter::poison(mlir::Type type) { return LLVM::PoisonOp::create(b_, type); }

Emitter::Value Emitter::and_(Value a, Value b) {
  if (!a) return b;
  return b ? arith::AndIOp::create(b_, a, b).getResult() : a;
}

Emitter::Value Emitter::select(Value condition, Value a, Value b) {
  return condition ? arith::SelectOp::create(b_, condition, a, b).getResult() : a;
}

Emitter::Value Emitter::add(Value a, Value b) {
  if (!a) return b;
  return b ? arith::AddIOp::create(b_, a, b).getResult() : a;
}

Emitter::Value Emitter::bits_of(Value scalar) {
  if (!llvm::isa<mlir::FloatType>(scalar.getType())) return scalar;
  return arith::BitcastOp::create(b_, b_.getIntegerType(scalar.getType().getIntOrFloatBitWidth()), scalar);
}

Emitter::Value Emitter::from_bits(Value bits, mlir::Type type) {
  return bits.getType() == type ? bits : arith::BitcastOp::create(b_, type, bits).getResult();
}

std::int64_t Emitter::bytes_of(mlir::Type element) { return (element.getIntOrFloatBitWidth() + 7) / 8; }

mlir::Type Emitter::memory_type(mlir::Type element) { return element.isInteger(1) ? b_.getI8Type() : element; }

Emitter::Value Emitter::to_memory(Value scalar) {
  return scalar.getType().isInteger(1) ? arith::ExtUIOp::create(b_, b_.getI8Type(), scalar).getResult() : scalar;
}

Emitter::Value Emitter::from_memory(Value value, mlir::Type element) {
  if (!element.isInteger(1)) return value;
  return arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, value, zero(value.getType()));
}

bool Emitter::fail(mlir::Operation* op, const llvm::Twine& message) {
  if (!failed_) op->emitError(message);
  failed_ = true;
  return false;
}

void Emitter::remark(mlir::Location at, llvm::StringRef text) {
  if (text.empty()) return;
  std::string line;
  llvm::raw_string_ostream stream(line);
  if (auto file = llvm::dyn_cast<mlir::FileLineColLoc>(at)) stream << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn() << ": ";
  stream << text;
  if (!llvm::is_contained(remarks_, line)) remarks_.push_back(line);
}

Emitter::Value Emitter::is_first_thread() { return arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, arith::OrIOp::create(b_, lane_, warp_), i32(0)); }

void Emitter::enter_if(Value condition) {
  if (condition) b_.setInsertionPointToStart(&mlir::scf::IfOp::create(b_, condition, /*withElseRegion=*/false).getThenRegion().front());
}

}  // namespace tilewright::gpu
