#include "compiler/ir/TileTypes.h"

#include "compiler/ir/TileDialect.h"

#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/TypeUtilities.h"

#define GET_TYPEDEF_CLASSES
#include "compiler/ir/TileTypes.cpp.inc"

namespace tilewright::tile {

void TileDialect::register_types() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/ir/TileTypes.cpp.inc"
      >();
}

mlir::Type ViewType::parse(mlir::AsmParser& parser) {
  llvm::SmallVector<std::int64_t> extents;
  mlir::Type element;
  if (parser.parseLess()) return {};
  const llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseDimensionList(extents, /*allowDynamic=*/true) || parser.parseType(element) || parser.parseGreater()) return {};
  if (llvm::any_of(extents, [](std::int64_t extent) { return !mlir::ShapedType::isDynamic(extent); })) {
    parser.emitError(at, "a view's sizes are known only when the kernel runs: write '?' for each");
    return {};
  }
  return parser.getChecked<ViewType>(at, parser.getContext(), static_cast<std::int64_t>(extents.size()), element);
}

void ViewType::print(mlir::AsmPrinter& printer) const {
  printer << "<";
  for (std::int64_t axis = 0; axis < getRank(); ++axis) printer << "?x";
  printer << getElementType() << ">";
}

mlir::LogicalResult ViewType::verify(llvm::function_ref<mlir::InFlightDiagnostic()> fail, std::int64_t rank, mlir::Type element) {
  if (rank < 0) return fail() << "a view's rank must not be negative";
  const bool is_int = element.isSignlessInteger() && llvm::is_contained({1u, 8u, 16u, 32u, 64u}, element.getIntOrFloatBitWidth());
  const bool is_float = element.isF16() || element.isBF16() || element.isF32() || element.isF64();
  if (!is_int && !is_float) return fail() << "a view's elements must be i1, i8, i16, i32, i64, f16, bf16, f32 or f64, not " << element;
  return mlir::success();
}

llvm::ArrayRef<std::int64_t> shape_of(mlir::Type type) {
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) return tensor.getShape();
  return {};
}

mlir::Type element_type_of(mlir::Type type) {
  if (auto view = llvm::dyn_cast<ViewType>(type)) return view.getElementType();
  return mlir::getElementTypeOrSelf(type);
}

mlir::Type tile_type(llvm::ArrayRef<std::int64_t> shape, mlir::Type element) {
  return shape.empty() ? element : mlir::RankedTensorType::get(shape, element);
}

bool same_tile(mlir::Type a, mlir::Type b) {
  return llvm::isa<mlir::RankedTensorType>(a) == llvm::isa<mlir::RankedTensorType>(b) && shape_of(a) == shape_of(b) && element_type_of(a) == element_type_of(b);
}

mlir::Type with_element(mlir::Type type, mlir::Type element) { return tile_type(shape_of(type), element); }

bool is_float_kind(ReduceKind kind) { return kind == ReduceKind::MinF || kind == ReduceKind::MaxF; }

bool is_int_kind(ReduceKind kind) {
  return !is_float_kind(kind) && kind != ReduceKind::Sum && kind != ReduceKind::Prod && kind != ReduceKind::Custom;
}

}  // namespace tilewright::tile
