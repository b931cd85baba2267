// The pass, and exp and exp2 on f32; sin and cos, and the functions on f64, have files of their own.
#include "compiler/transforms/expand_math.h"

#include "compiler/transforms/passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tilewright {

namespace arith = mlir::arith;

namespace {

// e^x and 2^x for f32: x = n ln 2 + r (or n + r), a polynomial for |r| <= ln 2 / 2, and 2^n in two factors, so that results below the normal range round
// once. Coefficients: the Taylor series of e^r up to r^7, whose remainder there is under 2^-27.
class ExpandExp {
 public:
  ExpandExp(mlir::ImplicitLocOpBuilder& b, mlir::Type type) : b_(b), type_(type) {}

  mlir::Value exp(mlir::Value x) {
    mlir::Value bounded = clamp(x, -104.0f, 89.0f);
    mlir::Value n = round(mul(bounded, f32(0x1.715476p+0f /* 1 / ln 2 */)));
    // ln 2 in two parts; the first has few bits, so that its product with n is exact.
    mlir::Value r = fma(n, f32(-0.693359375f), bounded);
    r = fma(n, f32(2.12194440e-4f), r);
    return finish(x, n, r);
  }

  mlir::Value exp2(mlir::Value x) {
    mlir::Value bounded = clamp(x, -151.0f, 129.0f);
    mlir::Value n = round(bounded);
    mlir::Value r = mul(arith::SubFOp::create(b_, bounded, n), f32(0x1.62e43p-1f /* ln 2 */));
    return finish(x, n, r);
  }

 private:
  mlir::Value f32(float value) { return splat_constant(b_, type_, b_.getF32FloatAttr(value)); }
  mlir::Value i32(std::int32_t value) { return splat_constant(b_, type_, b_.getI32IntegerAttr(value)); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return arith::MulFOp::create(b_, x, y); }
  mlir::Value round(mlir::Value x) { return mlir::math::RoundEvenOp::create(b_, x); }
  mlir::Value fma(mlir::Value x, mlir::Value y, mlir::Value z) { return arith::AddFOp::create(b_, arith::MulFOp::create(b_, x, y, fast_), z, fast_); }

  // NaN passes through finish() by way of the last select.
  mlir::Value clamp(mlir::Value x, float low, float high) {
    return arith::MinNumFOp::create(b_, arith::MaxNumFOp::create(b_, x, f32(low)), f32(high));
  }

  mlir::Value power_of_two(mlir::Value n) {
    mlir::Value bits = arith::ShLIOp::create(b_, arith::AddIOp::create(b_, n, i32(127)), i32(23));
    return arith::BitcastOp::create(b_, type_, bits);
  }

  mlir::Value finish(mlir::Value x, mlir::Value n, mlir::Value r) {
    mlir::Value p = f32(1.0f / 5040);
    for (float coefficient : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) p = fma(p, r, f32(coefficient));
    mlir::Value whole = arith::FPToSIOp::create(b_, with_element(type_, b_.getI32Type()), n);
    mlir::Value half = arith::ShRSIOp::create(b_, whole, i32(1));
    mlir::Value result = mul(mul(p, power_of_two(half)), power_of_two(arith::SubIOp::create(b_, whole, half)));
    mlir::Value nan = arith::CmpFOp::create(b_, arith::CmpFPredicate::UNO, x, x);
    return arith::SelectOp::create(b_, nan, x, result);
  }

  mlir::ImplicitLocOpBuilder& b_;
  mlir::Type type_;
  arith::FastMathFlags fast_ = arith::FastMathFlags::contract;
};

template <class Op, mlir::Value (ExpandExp::*Expand)(mlir::Value)>
struct ExpPattern : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter& rewriter) const override {
    if (!mlir::getElementTypeOrSelf(op.getType()).isF32()) return mlir::failure();
    mlir::ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, (ExpandExp(b, op.getType()).*Expand)(op.getOperand()));
    return mlir::success();
  }
};

class ExpandMath : public mlir::PassWrapper<ExpandMath, mlir::OperationPass<mlir::ModuleOp>> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMath)

  llvm::StringRef getArgument() const override { return "expand-math"; }
  llvm::StringRef getDescription() const override { return "transcendental functions on f32 and f64 as polynomials"; }

  void getDependentDialects(mlir::DialectRegistry& registry) const override {
    registry.insert<arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  }

  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<ExpPattern<mlir::math::ExpOp, &ExpandExp::exp>, ExpPattern<mlir::math::Exp2Op, &ExpandExp::exp2>>(&getContext());
    populate_sine_patterns(patterns);
    populate_f64_exp_patterns(patterns);
    populate_f64_log_patterns(patterns);
    populate_f64_sine_patterns(patterns);
    mlir::populateMathPolynomialApproximationPatterns(
        patterns, [](llvm::StringRef name) { return name == "math.log" || name == "math.log2" || name == "math.tanh"; });
    if (mlir::failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace

std::unique_ptr<mlir::Pass> create_expand_math() { return std::make_unique<ExpandMath>(); }

}  // namespace tilewright
