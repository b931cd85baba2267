// The state of an import, and how its parts, one file a concern, see each other.
#pragma once

#include "dsl/program/program.h"

#include "compiler/ir/TileOps.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <string>
#include <vector>

namespace tilewright::import {

class Importer {
 public:
  Importer(mlir::MLIRContext& context, const program::Program& program);

  mlir::OwningOpRef<mlir::ModuleOp> run();

 private:
  // ---- import.cpp: the function, and one operation after the other
  mlir::Location location(const program::Location& loc);
  void function();
  void operations(const program::Region& region);
  void operation(const program::Op& op);
  [[noreturn]] void fail(const program::Op& op, const std::string& message) const;

  mlir::Type element_type(DType dtype);
  mlir::Type type_of(const program::Type& type);
  const program::Type& source_type(const program::Op& op, std::size_t operand) const { return program_.type(op.operands.at(operand)); }
  const program::Type& result_type(const program::Op& op, std::size_t result = 0) const { return program_.type(op.results.at(result)); }
  mlir::Value operand(const program::Op& op, std::size_t index);
  mlir::Value value(const program::Op& op, program::ValueId id);
  llvm::SmallVector<mlir::Value> values(const program::Op& op, const std::vector<program::ValueId>& ids);
  void define(const program::Op& op, mlir::ValueRange results);
  void define_arguments(const program::Region& region, mlir::ValueRange arguments);

  // ---- import_cast.cpp: constants and conversions
  mlir::Value constant(mlir::Type type, std::int64_t value);     // integers; every element
  mlir::Value real_constant(mlir::Type type, double value);      // floats, rounded to nearest even; every element
  mlir::Value widen(mlir::Value value);                          // f16, bf16 -> f32; others unchanged
  mlir::Value narrow_to(mlir::Value value, mlir::Type element);  // f32 -> f16, bf16; unchanged where the element type is right already
  mlir::Value index_tile(mlir::Value value, DType dtype);        // to i32 or i64, to be read as signed
  mlir::Value decode(mlir::Value bits, DType float8);             // to f32, exactly
  mlir::Value encode(mlir::Value value, DType float8);           // from f32
  mlir::Value cast(mlir::Value value, DType from, DType to);
  mlir::Value int_to_float(mlir::Value value, DType from, DType to);
  mlir::Value float_to_float(mlir::Value value, DType to);
  mlir::FloatType float8_format(DType dtype);
  mlir::Value single(mlir::Value value);      // any float to f32, to be rounded once more
  mlir::Value round_to_odd(mlir::Value f64);  // f64 -> f32, so that a second rounding is as good as a single one
  mlir::Value constant_of(const program::Op& op);
  mlir::Value bitcast(const program::Op& op);

  // ---- import_elementwise.cpp
  mlir::Value unary(const program::Op& op);
  mlir::Value binary(const program::Op& op);
  mlir::Value ternary(const program::Op& op);
  mlir::Value compare(const program::Op& op);
  mlir::Value external(const program::Op& op);

  // ---- import_memory.cpp
  struct Access {
    llvm::SmallVector<mlir::Value> indices;
    llvm::SmallVector<std::int64_t> maps;
  };
  Access access(const program::Op& op, const program::Type& tile);
  mlir::Value grid_or_view(const program::Op& op);
  mlir::Value load(const program::Op& op);
  void store(const program::Op& op);
  mlir::Value atomic(const program::Op& op);
  void print(const program::Op& op);

  // ---- import_shape.cpp
  mlir::Value shape_operation(const program::Op& op);

  // ---- import_reduction.cpp
  mlir::Value dot(const program::Op& op);
  llvm::SmallVector<mlir::Value> reduce_or_scan(const program::Op& op);
  llvm::SmallVector<mlir::Value> order(const program::Op& op);

  // ---- import_control.cpp
  llvm::SmallVector<mlir::Value> for_loop(const program::Op& op);
  llvm::SmallVector<mlir::Value> branch(const program::Op& op);
  llvm::SmallVector<mlir::Value> while_loop(const program::Op& op);

  // ---- import_roles.cpp: explicit schedules. The value of a received tile is its number in the channel.
  void role_operation(const program::Op& op);
  void roles(const program::Op& op);
  void send(const program::Op& op);
  void copy_out(const program::Op& op);
  struct BoxPlace {
    llvm::SmallVector<mlir::Value> indices;
    llvm::SmallVector<std::int64_t> maps;
  };
  BoxPlace box(const program::Op& op, std::size_t rank);  // of a Send or a CopyOut
  mlir::Value group_product(const program::Op& op);
  program::ValueId channel_of(program::ValueId tile) const;  // that a shared tile was received from, or sent to; kNone: neither
  mlir::Value shared_load(const program::Op& op, mlir::Type result, bool transposed);

  const program::Program& program_;
  mlir::ImplicitLocOpBuilder b_;
  std::vector<mlir::Value> values_;  // by ValueId; null where not defined yet
};

}  // namespace tilewright::import
