// How `#tile_gpu.access` is written: `<store of 3 turn 1 apart warps 2>`, what has no say left out.
#include "compiler/gpu/ir/TileGpuDialect.h"

#include "mlir/IR/DialectImplementation.h"

namespace tilewright::tile_gpu {

void AccessAttr::print(mlir::AsmPrinter& printer) const {
  printer << "<" << stringifyAccessKind(getKind()) << " of " << getBuffer();
  if (getTurn() >= 0) printer << " turn " << getTurn();
  if (getApart()) printer << " apart";
  if (getWarps() != 0) printer << " warps " << getWarps();
  printer << ">";
}

mlir::Attribute AccessAttr::parse(mlir::AsmParser& parser, mlir::Type) {
  const llvm::SMLoc where = parser.getCurrentLocation();
  llvm::StringRef word;
  std::int64_t buffer = 0, turn = -1, warps = 0;
  if (parser.parseLess() || parser.parseKeyword(&word) || parser.parseKeyword("of") || parser.parseInteger(buffer)) return {};
  const std::optional<AccessKind> kind = symbolizeAccessKind(word);
  if (!kind) return parser.emitError(where, "unknown kind of access '" + word + "'"), mlir::Attribute();
  if (mlir::succeeded(parser.parseOptionalKeyword("turn")) && parser.parseInteger(turn)) return {};
  const bool apart = mlir::succeeded(parser.parseOptionalKeyword("apart"));
  if (mlir::succeeded(parser.parseOptionalKeyword("warps")) && parser.parseInteger(warps)) return {};
  if (parser.parseGreater()) return {};
  return get(parser.getContext(), *kind, buffer, turn, apart, warps);
}

llvm::SmallVector<AccessAttr, 2> accesses_of(mlir::Operation* op) {
  const mlir::Attribute all = op->getDiscardableAttr(kAccessAttr);
  if (auto one = llvm::dyn_cast_or_null<AccessAttr>(all)) return {one};
  if (auto several = llvm::dyn_cast_or_null<mlir::ArrayAttr>(all)) return llvm::to_vector<2>(several.getAsRange<AccessAttr>());
  return {};
}

}  // namespace tilewright::tile_gpu
