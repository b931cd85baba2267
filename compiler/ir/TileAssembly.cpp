#include "compiler/ir/TileAssembly.h"

namespace tilewright::tile {

mlir::ParseResult parseCoordinates(mlir::OpAsmParser& parser, llvm::SmallVectorImpl<Unresolved>& indices, llvm::SmallVectorImpl<mlir::Type>& types,
                                   mlir::DenseI64ArrayAttr& maps) {
  llvm::SmallVector<std::int64_t> entries;
  auto one = [&]() -> mlir::ParseResult {
    Unresolved index;
    const mlir::OptionalParseResult present = parser.parseOptionalOperand(index);
    if (!present.has_value()) return parser.emitError(parser.getCurrentLocation(), "expected an index");
    if (*present) return mlir::failure();
    std::int64_t map = kMapPoint;
    if (mlir::succeeded(parser.parseOptionalKeyword("along"))) {
      const llvm::SMLoc at = parser.getCurrentLocation();
      if (parser.parseInteger(map)) return mlir::failure();
      if (map < 0) return parser.emitError(at, "expected an axis of the tile");
    } else if (mlir::succeeded(parser.parseOptionalKeyword("whole"))) {
      map = kMapWhole;
    }
    mlir::Type type = parser.getBuilder().getI64Type();
    if (mlir::succeeded(parser.parseOptionalColon()) && parser.parseType(type)) return mlir::failure();
    indices.push_back(index);
    types.push_back(type);
    entries.push_back(map);
    return mlir::success();
  };
  if (mlir::failed(parser.parseOptionalRSquare())) {
    if (parser.parseCommaSeparatedList(one) || parser.parseRSquare()) return mlir::failure();
  }
  maps = parser.getBuilder().getDenseI64ArrayAttr(entries);
  return mlir::success();
}

void printCoordinates(mlir::OpAsmPrinter& printer, mlir::Operation*, mlir::OperandRange indices, mlir::TypeRange types,
                      mlir::DenseI64ArrayAttr maps) {
  llvm::interleaveComma(llvm::seq<std::size_t>(0, indices.size()), printer, [&](std::size_t axis) {
    printer << indices[axis];
    if (const std::int64_t map = maps[axis]; map >= 0) printer << " along " << map;
    else if (map == kMapWhole) printer << " whole";
    if (!types[axis].isInteger(64)) printer << " : " << types[axis];
  });
  printer << "]";
}

mlir::ParseResult parseView(mlir::OpAsmParser& parser, mlir::Type& type) {
  ViewType view;
  if (parser.parseType(view)) return mlir::failure();
  type = view;
  return mlir::success();
}

void printView(mlir::OpAsmPrinter& printer, mlir::Operation*, mlir::Type type) { printer << type; }

mlir::ParseResult parseMaskType(mlir::OpAsmParser& parser, mlir::Type tile, std::optional<Unresolved> mask, mlir::Type& type) {
  if (mask) type = with_element(tile, parser.getBuilder().getI1Type());
  return mlir::success();
}

void printMaskType(mlir::OpAsmPrinter&, mlir::Operation*, mlir::Type, mlir::Value, mlir::Type) {}

mlir::ParseResult parseExpectedType(mlir::OpAsmParser&, mlir::Type tile, std::optional<Unresolved> expected, mlir::Type& type) {
  if (expected) type = tile;
  return mlir::success();
}

void printExpectedType(mlir::OpAsmPrinter&, mlir::Operation*, mlir::Type, mlir::Value, mlir::Type) {}

mlir::ParseResult parseCombiner(mlir::OpAsmParser& parser, mlir::Region& region) {
  const mlir::OptionalParseResult present = parser.parseOptionalRegion(region);
  return present.has_value() ? *present : mlir::ParseResult(mlir::success());
}

void printCombiner(mlir::OpAsmPrinter& printer, mlir::Operation*, mlir::Region& region) {
  if (region.empty()) return;
  printer << " ";
  printer.printRegion(region);
}

}  // namespace tilewright::tile
