// tile-widen-f8-dots: products of 8-bit floats become products of wider ones.
//
// Widening is exact for both formats, to f16 as well, so the product of the widened operands is the product of the operands.
#include "compiler/ir/TileDialect.h"
#include "compiler/ir/TileOps.h"
#include "compiler/transforms/passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tilewright {

namespace {

namespace arith = mlir::arith;
using mlir::Value;

class WidenF8Dots : public mlir::PassWrapper<WidenF8Dots, mlir::OperationPass<>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WidenF8Dots)

  WidenF8Dots(bool to_f16, std::function<bool(mlir::Operation*)> keep) : to_f16_(to_f16), keep_(std::move(keep)) {}

  llvm::StringRef getArgument() const override { return "tile-widen-f8-dots"; }
  llvm::StringRef getDescription() const override { return "Multiply 8-bit floats as wider ones"; }
  void getDependentDialects(mlir::DialectRegistry& registry) const override { registry.insert<tile::TileDialect, arith::ArithDialect>(); }

  void runOnOperation() override {
    getOperation()->walk([&](tile::DotOp dot) {
      if (dot.getAFormatAttr() && !(keep_ && keep_(dot))) widen(dot);
    });
  }

 private:
  void widen(tile::DotOp dot) {
    mlir::ImplicitLocOpBuilder b(dot.getLoc(), dot);
    Value left = widened(b, dot.getA(), dot.getAElement()), right = widened(b, dot.getB(), dot.getBElement());
    auto made = tile::DotOp::create(b, dot.getResult().getType(), left, right, dot.getAcc(), mlir::UnitAttr(), mlir::TypeAttr(), mlir::TypeAttr());
    if (to_f16_) made->setAttr(tile::kNoteAttr, b.getStringAttr("8-bit floats are multiplied as f16: the target has no instruction for them with these extents"));
    dot.getResult().replaceAllUsesWith(made.getResult());
    dot.erase();
  }

  // In front of a transposition, where the elements are as they were loaded.
  Value widened(mlir::ImplicitLocOpBuilder& b, Value bits, mlir::Type format) {
    auto transpose = bits.getDefiningOp<tile::TransposeOp>();
    Value input = transpose ? transpose.getInput() : bits;
    Value wide = tile::DecodeF8Op::create(b, tile::with_element(input.getType(), b.getF32Type()), llvm::cast<mlir::FloatType>(format), input);
    if (to_f16_) wide = arith::TruncFOp::create(b, tile::with_element(input.getType(), b.getF16Type()), wide);
    if (!transpose) return wide;
    return tile::TransposeOp::create(b, tile::with_element(bits.getType(), tile::element_type_of(wide.getType())), wide, transpose.getPermutation());
  }

  bool to_f16_;
  std::function<bool(mlir::Operation*)> keep_;
};

}  // namespace

std::unique_ptr<mlir::Pass> create_widen_f8_dots(bool to_f16, std::function<bool(mlir::Operation*)> keep) { return std::make_unique<WidenF8Dots>(to_f16, std::move(keep)); }

}  // namespace tilewright
