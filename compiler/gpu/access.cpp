#include "compiler/gpu/access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include <algorithm>
#include <bit>

namespace tilewright::gpu {

namespace {

constexpr int kMaxDivisorBits = 16;
constexpr std::int64_t kMaxDivisor = std::int64_t{1} << kMaxDivisorBits;
constexpr int kAccessBytes = 16;

std::int64_t power_of_two_divisor(std::int64_t value) {
  return std::int64_t{1} << std::min(kMaxDivisorBits, std::countr_zero(static_cast<std::uint64_t>(value)));
}

std::int64_t divisor(mlir::Value scalar, int depth) {
  llvm::APInt constant;
  if (mlir::matchPattern(scalar, mlir::m_ConstantInt(&constant))) return power_of_two_divisor(constant.getSExtValue());
  if (depth == 0) return 1;
  const auto of = [&](mlir::Value value) { return divisor(value, depth - 1); };
  if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(scalar)) {
    auto loop = llvm::dyn_cast_or_null<mlir::scf::ForOp>(argument.getOwner()->getParentOp());
    if (loop && argument == loop.getInductionVar()) return std::min(of(loop.getLowerBound()), of(loop.getStep()));
    return 1;
  }
  mlir::Operation* op = scalar.getDefiningOp();
  if (llvm::isa<mlir::arith::AddIOp, mlir::arith::SubIOp, mlir::arith::MinSIOp, mlir::arith::MaxSIOp>(op)) return std::min(of(op->getOperand(0)), of(op->getOperand(1)));
  if (llvm::isa<mlir::arith::MulIOp>(op)) return std::min(kMaxDivisor, of(op->getOperand(0)) * of(op->getOperand(1)));
  if (llvm::isa<mlir::arith::ExtSIOp, mlir::arith::ExtUIOp, mlir::arith::TruncIOp>(op)) return of(op->getOperand(0));
  if (auto select = llvm::dyn_cast<mlir::arith::SelectOp>(op)) return std::min(of(select.getTrueValue()), of(select.getFalseValue()));
  return 1;
}

// Facts of the argument a view comes from. A part along the inner axis is not known to begin at an aligned address unless its start is.
struct ViewFacts {
  bool unit_inner_stride = false;
  std::int64_t aligned_bytes = 1;  // of the first element, and of every stride but the inner one
  bool whole_rows = false;         // the inner size in bytes is a multiple of 16
};

ViewFacts facts_of(mlir::Value view) {
  if (auto narrow = view.getDefiningOp<tile::NarrowOp>()) {
    ViewFacts facts = facts_of(narrow.getView());
    const auto type = llvm::cast<tile::ViewType>(narrow.getType());
    if (static_cast<std::int64_t>(narrow.getAxis()) == type.getRank() - 1) {
      // The start is clamped to the size, which is not known to be aligned; an empty view is not accessed.
      const std::int64_t bytes = std::max<std::int64_t>(1, type.getElementType().getIntOrFloatBitWidth() / 8);
      facts.aligned_bytes = std::min(facts.aligned_bytes, known_divisor(narrow.getStart()) * bytes);
      facts.whole_rows = false;
    }
    return facts;
  }
  ViewFacts facts;
  auto argument = llvm::dyn_cast<mlir::BlockArgument>(view);
  auto function = argument ? llvm::dyn_cast<mlir::func::FuncOp>(argument.getOwner()->getParentOp()) : mlir::func::FuncOp();
  if (!function) return facts;
  facts.unit_inner_stride = static_cast<bool>(function.getArgAttr(argument.getArgNumber(), tile::kUnitInnerStrideAttr));
  if (function.getArgAttr(argument.getArgNumber(), tile::kAligned16Attr)) facts.aligned_bytes = kAccessBytes;
  facts.whole_rows = static_cast<bool>(function.getArgAttr(argument.getArgNumber(), tile::kWholeRows16Attr));
  return facts;
}

}  // namespace

std::int64_t known_divisor(mlir::Value scalar) { return divisor(scalar, 8); }

AccessShape AccessShape::of(tile::LoadOp op) {
  return {op.getView(), op.getIndices(), op.getMaps(), tile::shape_of(op.getType()), tile::element_type_of(op.getType())};
}

AccessShape AccessShape::of(tile::StoreOp op) {
  return {op.getView(), op.getIndices(), op.getMaps(), tile::shape_of(op.getValue().getType()), tile::element_type_of(op.getValue().getType())};
}

AccessShape AccessShape::of(tile::AtomicOp op) {
  return {op.getView(), op.getIndices(), op.getMaps(), tile::shape_of(op.getType()), tile::element_type_of(op.getType())};
}

int AccessShape::contiguous_axis() const {
  if (maps.empty() || maps.back() < 0 || !indices.back().getType().isInteger()) return -1;
  return facts_of(view).unit_inner_stride ? static_cast<int>(maps.back()) : -1;
}

std::vector<int> AccessShape::order() const {
  std::vector<int> order;
  const auto add = [&](int axis) {
    if (!llvm::is_contained(order, axis)) order.push_back(axis);
  };
  for (std::int64_t map : llvm::reverse(maps))
    if (map >= 0) add(static_cast<int>(map));
  for (std::size_t axis = shape.size(); axis-- > 0;) add(static_cast<int>(axis));
  return order;
}

int AccessShape::aligned_elements() const {
  if (contiguous_axis() < 0) return 1;
  const int bytes = std::max(1, static_cast<int>(element.getIntOrFloatBitWidth() / 8));
  const std::int64_t aligned = std::min(facts_of(view).aligned_bytes, known_divisor(indices.back()) * bytes);
  return static_cast<int>(std::max<std::int64_t>(1, std::min<std::int64_t>(aligned, kAccessBytes) / bytes));
}

// A run is at most 16 bytes and begins at a multiple of its length, counted from the row's start.
bool AccessShape::runs_are_whole() const { return contiguous_axis() >= 0 && facts_of(view).whole_rows; }

}  // namespace tilewright::gpu
