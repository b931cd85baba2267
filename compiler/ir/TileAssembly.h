// Custom parts of the assembly format of `tile` operations.
#pragma once

#include "compiler/ir/TileOps.h"

#include <optional>

namespace tilewright::tile {

using Unresolved = mlir::OpAsmParser::UnresolvedOperand;

// `%head, %row along 0, %rows along 0 : tensor<64xi32>, %i whole : tensor<8x8xi64>`. A type is spelled where it is not i64.
mlir::ParseResult parseCoordinates(mlir::OpAsmParser& parser, llvm::SmallVectorImpl<Unresolved>& indices, llvm::SmallVectorImpl<mlir::Type>& types,
                                   mlir::DenseI64ArrayAttr& maps);
void printCoordinates(mlir::OpAsmPrinter& printer, mlir::Operation* op, mlir::OperandRange indices, mlir::TypeRange types,
                      mlir::DenseI64ArrayAttr maps);

// `!tile.view<?x?xf32>` in full.
mlir::ParseResult parseView(mlir::OpAsmParser& parser, mlir::Type& type);
void printView(mlir::OpAsmPrinter& printer, mlir::Operation* op, mlir::Type type);

// A mask's type follows from the tile's, so it is not spelled.
mlir::ParseResult parseMaskType(mlir::OpAsmParser& parser, mlir::Type tile, std::optional<Unresolved> mask, mlir::Type& type);
void printMaskType(mlir::OpAsmPrinter& printer, mlir::Operation* op, mlir::Type tile, mlir::Value mask, mlir::Type type);

// What an atomic operation expects has the type of its value, so it is not spelled.
mlir::ParseResult parseExpectedType(mlir::OpAsmParser& parser, mlir::Type tile, std::optional<Unresolved> expected, mlir::Type& type);
void printExpectedType(mlir::OpAsmPrinter& printer, mlir::Operation* op, mlir::Type tile, mlir::Value expected, mlir::Type type);

// The region of a custom combiner; nothing for the kinds that have none.
mlir::ParseResult parseCombiner(mlir::OpAsmParser& parser, mlir::Region& region);
void printCombiner(mlir::OpAsmPrinter& printer, mlir::Operation* op, mlir::Region& region);

}  // namespace tilewright::tile
