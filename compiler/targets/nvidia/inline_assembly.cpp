#include "compiler/targets/nvidia/inline_assembly.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::nvidia {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
using Builder = gpu::GpuTarget::Builder;
using mlir::Value;

Value constant(Builder& b, mlir::Type type, std::int64_t value) { return arith::ConstantOp::create(b, b.getIntegerAttr(type, llvm::APInt(type.getIntOrFloatBitWidth(), static_cast<std::uint64_t>(value), false, true))); }

Value inline_assembly(Builder& b, mlir::Type result, mlir::ValueRange operands, const std::string& text, const std::string& constraints, bool side_effects) {
  auto op = LLVM::InlineAsmOp::create(b, result, operands, text, constraints, side_effects, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), mlir::ArrayAttr());
  return op.getNumResults() == 0 ? Value() : op.getResult(0);
}

void inline_effect(Builder& b, mlir::ValueRange operands, const std::string& text, const std::string& constraints) {
  inline_assembly(b, LLVM::LLVMVoidType::get(b.getContext()), operands, text, constraints + (constraints.empty() ? "" : ",") + "~{memory}", true);
}

Value packed_pair(Builder& b, Value low, Value high) {
  auto low_rounding = low.getDefiningOp<arith::TruncFOp>(), high_rounding = high.getDefiningOp<arith::TruncFOp>();
  if (low_rounding && high_rounding && low_rounding.getIn().getType().isF32() && high_rounding.getIn().getType().isF32()) {
    const char* text = low.getType().isBF16() ? "cvt.rn.bf16x2.f32 $0, $1, $2;" : "cvt.rn.f16x2.f32 $0, $1, $2;";
    return inline_assembly(b, b.getI32Type(), {high_rounding.getIn(), low_rounding.getIn()}, text, "=r,f,f", false);
  }
  const auto pair = mlir::VectorType::get({2}, low.getType());
  Value vector = LLVM::PoisonOp::create(b, pair);
  vector = LLVM::InsertElementOp::create(b, vector, low, constant(b, b.getI32Type(), 0));
  vector = LLVM::InsertElementOp::create(b, vector, high, constant(b, b.getI32Type(), 1));
  return LLVM::BitcastOp::create(b, b.getI32Type(), vector);
}

Value packed_bytes(Builder& b, mlir::ValueRange bytes) {
  Value vector = LLVM::PoisonOp::create(b, mlir::VectorType::get({4}, b.getI8Type()));
  for (int i = 0; i < 4; ++i) vector = LLVM::InsertElementOp::create(b, vector, bytes[static_cast<std::size_t>(i)], constant(b, b.getI32Type(), i));
  return LLVM::BitcastOp::create(b, b.getI32Type(), vector);
}

void append_words(Builder& b, mlir::ValueRange elements, llvm::SmallVectorImpl<Value>& words) {
  const std::size_t each = elements.front().getType().isInteger(8) ? 4 : 2;
  for (std::size_t i = 0; i < elements.size(); i += each)
    words.push_back(each == 4 ? packed_bytes(b, elements.slice(i, each)) : packed_pair(b, elements[i], elements[i + 1]));
}

}  // namespace tilewright::nvidia
