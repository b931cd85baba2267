#include "compiler/import/import.h"

#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/import/importer.h"
#include "dsl/program/roles.h"
#include "dsl/program/verify.h"
#include "runtime/support/error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"

namespace tilewright {

namespace import {

namespace {

using program::Opcode;

llvm::StringRef kind_name(program::ParamKind kind) {
  switch (kind) {
    case program::ParamKind::Input: return "in";
    case program::ParamKind::Output: return "out";
    case program::ParamKind::InOut: return "inout";
    case program::ParamKind::Scalar: return "scalar";
  }
  return "";
}

}  // namespace

Importer::Importer(mlir::MLIRContext& context, const program::Program& program)
    : program_(program), b_(mlir::UnknownLoc::get(&context), &context), values_(program.values.size()) {}

mlir::OwningOpRef<mlir::ModuleOp> Importer::run() {
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(b_.getLoc());
  b_.setInsertionPointToStart(module->getBody());
  function();
  return module;
}

mlir::Location Importer::location(const program::Location& loc) {
  if (loc.line == 0 || loc.file >= program_.files.size()) return mlir::UnknownLoc::get(b_.getContext());
  return mlir::FileLineColLoc::get(b_.getContext(), program_.files[loc.file], loc.line, loc.column);
}

void Importer::function() {
  llvm::SmallVector<mlir::Type> types;
  for (const program::Param& param : program_.params) types.push_back(type_of(program_.type(param.value)));
  auto function = mlir::func::FuncOp::create(b_, program_.name, b_.getFunctionType(types, {}));
  function->setAttr(tile::kKernelAttr, b_.getUnitAttr());
  for (const auto& [name, value] : program_.bindings) {
    if (name == "warps") function->setAttr(tile::kWarpsAttr, b_.getI64IntegerAttr(value));
  }
  mlir::Block* body = function.addEntryBlock();
  for (auto [position, param] : llvm::enumerate(program_.params)) {
    const unsigned argument = static_cast<unsigned>(position);
    function.setArgAttr(argument, tile::kNameAttr, b_.getStringAttr(param.name));
    function.setArgAttr(argument, tile::kKindAttr, b_.getStringAttr(kind_name(param.kind)));
    if (param.facts.unit_inner_stride) function.setArgAttr(argument, tile::kUnitInnerStrideAttr, b_.getUnitAttr());
    if (param.facts.aligned16) function.setArgAttr(argument, tile::kAligned16Attr, b_.getUnitAttr());
    if (param.facts.fits32) function.setArgAttr(argument, tile::kFits32Attr, b_.getUnitAttr());
    if (param.facts.whole_rows16) function.setArgAttr(argument, tile::kWholeRows16Attr, b_.getUnitAttr());
    values_.at(param.value) = body->getArgument(argument);
  }
  b_.setInsertionPointToStart(body);
  operations(program_.body);
  b_.setLoc(mlir::UnknownLoc::get(b_.getContext()));
  mlir::func::ReturnOp::create(b_);
}

void Importer::operations(const program::Region& region) {
  for (program::OpId id : region.ops) {
    const program::Op& op = program_.ops.at(id);
    const mlir::Location around = b_.getLoc();
    b_.setLoc(location(op.loc));
    operation(op);
    b_.setLoc(around);
  }
}

void Importer::operation(const program::Op& op) {
  switch (op.opcode) {
    using enum Opcode;
    case Constant: return define(op, constant_of(op));
    case Cast: return define(op, cast(operand(op, 0), source_type(op, 0).dtype, result_type(op).dtype));
    case Bitcast: return define(op, bitcast(op));

    case ProgramId: case NumPrograms: case ViewSize: case ViewNarrow: return define(op, grid_or_view(op));
    case Load: return define(op, load(op));
    case Store: return store(op);
    case Atomic: return define(op, atomic(op));
    case Fence: tile::FenceOp::create(b_, static_cast<tile::MemoryOrder>(op.ints.at(0))); return;
    case Print: return print(op);
    case Assert: tile::AssertOp::create(b_, operand(op, 0), op.text); return;

    case Neg: case Abs: case Not: case Exp: case Exp2: case Log: case Log2: case Sqrt: case Rsqrt: case Sin: case Cos: case Tanh:
    case Floor: case Ceil: case IsNan:
      return define(op, unary(op));
    case Add: case Sub: case Mul: case Div: case Rem: case Min: case Max: case And: case Or: case Xor: case Shl: case Shr:
      return define(op, binary(op));
    case Eq: case Ne: case Lt: case Le: case Gt: case Ge: return define(op, compare(op));
    case Select: case Fma: return define(op, ternary(op));
    case Extern: return define(op, external(op));

    case Arange: case Broadcast: case Reshape: case Transpose: case Concat: case Slice: case Take: return define(op, shape_operation(op));

    case Dot: return define(op, dot(op));
    case Reduce: case Scan: return define(op, reduce_or_scan(op));
    case ArgMax: case ArgMin: case TopK: return define(op, order(op));

    case For: return define(op, for_loop(op));
    case If: return define(op, branch(op));
    case While: return define(op, while_loop(op));

    case Roles: case Channel: case SharedTile: case Send: case Receive: case Release: case SharedStore: case GroupProduct: case GroupWait:
    case Turns: case TakeTurn: case PassTurn: case Team: case SendTile: case SharedLoad: case SharedElement: case CopyOut:
      return role_operation(op);
  }
  fail(op, "unknown operation");
}

void Importer::fail(const program::Op& op, const std::string& message) const {
  SourcePosition where;
  if (op.loc.line != 0 && op.loc.file < program_.files.size()) where = {program_.files[op.loc.file], op.loc.line, op.loc.column};
  throw Error(9201, "'" + std::string(mnemonic_of(op.opcode)) + "' cannot be imported: " + message, where);
}

mlir::Type Importer::element_type(DType dtype) {
  switch (dtype) {
    case DType::Bool: return b_.getI1Type();
    case DType::I8: case DType::U8: case DType::F8E4M3: case DType::F8E5M2: return b_.getI8Type();
    case DType::I16: case DType::U16: return b_.getI16Type();
    case DType::I32: case DType::U32: return b_.getI32Type();
    case DType::I64: case DType::U64: return b_.getI64Type();
    case DType::F16: return b_.getF16Type();
    case DType::BF16: return b_.getBF16Type();
    case DType::F32: return b_.getF32Type();
    case DType::F64: return b_.getF64Type();
  }
  return {};
}

mlir::Type Importer::type_of(const program::Type& type) {
  const mlir::Type element = element_type(type.dtype);
  if (type.is_view) return tile::ViewType::get(static_cast<std::int64_t>(type.rank()), element);
  return tile::tile_type(type.shape, element);
}

mlir::Value Importer::operand(const program::Op& op, std::size_t index) {
  if (index >= op.operands.size()) fail(op, "operand " + std::to_string(index) + " is missing");
  return value(op, op.operands[index]);
}

mlir::Value Importer::value(const program::Op& op, program::ValueId id) {
  if (id >= values_.size() || !values_[id]) fail(op, "value %" + std::to_string(id) + " is not defined before it");
  return values_[id];
}

llvm::SmallVector<mlir::Value> Importer::values(const program::Op& op, const std::vector<program::ValueId>& ids) {
  llvm::SmallVector<mlir::Value> list;
  for (program::ValueId id : ids) list.push_back(value(op, id));
  return list;
}

void Importer::define(const program::Op& op, mlir::ValueRange results) {
  if (results.size() != op.results.size())
    fail(op, std::to_string(op.results.size()) + " results are named, " + std::to_string(results.size()) + " are made");
  for (auto [id, value] : llvm::zip_equal(op.results, results)) {
    if (value.getType() != type_of(program_.type(id))) fail(op, "result %" + std::to_string(id) + " is not of type " + to_string(program_.type(id)));
    values_.at(id) = value;
  }
}

void Importer::define_arguments(const program::Region& region, mlir::ValueRange arguments) {
  for (auto [id, value] : llvm::zip_equal(region.args, arguments)) values_.at(id) = value;
}

}  // namespace import

void load_dialects(mlir::MLIRContext& context) {
  context.loadDialect<tile::TileDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
}

mlir::OwningOpRef<mlir::ModuleOp> import_program(mlir::MLIRContext& context, const program::Program& program) {
  program::verify(program);
  load_dialects(context);
  if (program::has_roles(program)) context.loadDialect<tile_gpu::TileGpuDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module = import::Importer(context, program).run();

  std::string message;
  SourcePosition where;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic& diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error || !message.empty()) return mlir::success();
    message = diagnostic.str();
    if (auto loc = llvm::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
      where = {loc.getFilename().str(), loc.getLine(), loc.getColumn()};
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(*module))) throw Error(9202, "the imported kernel '" + program.name + "' is not valid: " + message, where);
  return module;
}

}  // namespace tilewright
