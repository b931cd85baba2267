#include "tests/gpu/simt_target.h"

#include "compiler/transforms/float8.h"
#include "tests/gpu/atomics.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace tilewright::simt {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
using layout::LinearMap;
using mlir::Value;

namespace {

using Builder = gpu::GpuTarget::Builder;

Value constant(Builder& b, std::int32_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); }

Value call(Builder& b, const char* name, mlir::Type result, mlir::ValueRange arguments) { return call_hook(b, b.getLoc(), name, result, arguments); }

bool is_narrow(mlir::Type type) { return type.isF16() || type.isBF16(); }

Value widened(Builder& b, Value narrow) {
  Value bits = arith::BitcastOp::create(b, b.getI16Type(), narrow);
  return call(b, narrow.getType().isF16() ? "simt_from_f16" : "simt_from_bf16", b.getF32Type(), bits);
}

Value rounded(Builder& b, Value wide, mlir::Type narrow) {
  if (wide.getType().isF32()) wide = arith::ExtFOp::create(b, b.getF64Type(), wide);
  Value bits = call(b, narrow.isF16() ? "simt_to_f16" : "simt_to_bf16", b.getI16Type(), wide);
  return arith::BitcastOp::create(b, narrow, bits);
}

// All bits set: nothing that a kernel may use.
Value garbage(Builder& b, mlir::Type type) {
  auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const mlir::Type integer = b.getIntegerType(mlir::getElementTypeOrSelf(type).getIntOrFloatBitWidth());
  const llvm::APInt ones = llvm::APInt::getAllOnes(integer.getIntOrFloatBitWidth());
  Value bits;
  if (vector) bits = arith::ConstantOp::create(b, mlir::DenseElementsAttr::get(vector.clone(integer), ones));
  else bits = arith::ConstantOp::create(b, b.getIntegerAttr(integer, ones));
  return bits.getType() == type ? bits : arith::BitcastOp::create(b, type, bits).getResult();
}

unsigned bytes_of(mlir::Type type) {
  const auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  return static_cast<unsigned>((vector ? vector.getNumElements() : 1) * mlir::getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8);
}

Value address_of(Builder& b, Value pointer) { return LLVM::PtrToIntOp::create(b, b.getI64Type(), pointer); }

Value sink(Builder& b) {
  constexpr llvm::StringLiteral name = "simt_sink";
  constexpr unsigned kGlobalSpace = 1;
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  if (!module.lookupSymbol(name)) {
    const mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(b, LLVM::LLVMArrayType::get(b.getI8Type(), kSinkBytes), /*isConstant=*/false, LLVM::Linkage::External, name, mlir::Attribute(), /*alignment=*/kSinkBytes,
                           kGlobalSpace);
  }
  return LLVM::AddressOfOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace), name);
}

// From the bases of register and lane bits, as (dim0, dim1).
LinearMap fragment(std::vector<layout::Point> registers, std::vector<layout::Point> lanes, int dim0_bits, int dim1_bits) {
  return LinearMap({{"register", std::move(registers)}, {"lane", std::move(lanes)}}, {{"dim0", dim0_bits}, {"dim1", dim1_bits}});
}

Configuration warps_of_32() {
  const LinearMap acc = fragment({{0, 1}, {8, 0}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}, 4, 3);
  const gpu::MatrixInstruction halves{"16x8x16", 16, 8, 16, fragment({{0, 1}, {8, 0}, {0, 8}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}, 4, 4),
                                      fragment({{1, 0}, {8, 0}}, {{2, 0}, {4, 0}, {0, 1}, {0, 2}, {0, 4}}, 4, 3), acc};
  const gpu::MatrixInstruction bytes{"16x8x32", 16, 8, 32, fragment({{0, 1}, {0, 2}, {8, 0}, {0, 16}}, {{0, 4}, {0, 8}, {1, 0}, {2, 0}, {4, 0}}, 4, 5),
                                     fragment({{1, 0}, {2, 0}, {16, 0}}, {{4, 0}, {8, 0}, {0, 1}, {0, 2}, {0, 4}}, 5, 3), acc};
  Configuration configuration{"simt32", 32, 4, true, false, {{"f16", halves}, {"bf16", halves}, {"i8", bytes}}};
  for (const char* left : {"e4m3", "e5m2"}) {
    for (const char* right : {"e4m3", "e5m2"}) {
      gpu::MatrixInstruction floats = bytes;
      floats.name = std::string(left) + "." + right;
      configuration.instructions.emplace_back(floats.name, floats);
    }
  }
  return configuration;
}

Configuration with_roles(Configuration configuration) {
  configuration.name += "r";
  configuration.has_roles = true;
  return configuration;
}

Configuration warps_of_8() {
  const gpu::MatrixInstruction small{"8x4x4", 8, 4, 4, fragment({{0, 1}, {0, 2}}, {{1, 0}, {2, 0}, {4, 0}}, 3, 2),
                                     fragment({{0, 1}}, {{1, 0}, {2, 0}, {0, 2}}, 2, 2), fragment({{2, 0}, {4, 0}}, {{0, 1}, {0, 2}, {1, 0}}, 3, 2)};
  return {"simt8", 8, 8, false, false, {{"f16", small}, {"f32", small}}};
}

const char* float8_name(mlir::Type type) { return llvm::isa<mlir::Float8E4M3FNType>(type) ? "e4m3" : llvm::isa<mlir::Float8E5M2Type>(type) ? "e5m2" : nullptr; }

mlir::Type float8_type(Builder& b, const std::string& name) {
  if (name == "e4m3") return mlir::Float8E4M3FNType::get(b.getContext());
  return mlir::Float8E5M2Type::get(b.getContext());
}

std::string key_of(const gpu::DotElements& elements) {
  const mlir::Type operand = elements.left;
  if (const char *left = float8_name(operand), *right = float8_name(elements.right); left && right) return std::string(left) + "." + right;
  if (operand.isF16()) return "f16";
  if (operand.isBF16()) return "bf16";
  if (operand.isF32()) return "f32";
  return operand.isInteger(8) ? "i8" : "";
}

}  // namespace

const std::vector<Configuration>& configurations() {
  static const std::vector<Configuration> all = {warps_of_32(), with_roles(warps_of_32()), warps_of_8()};
  return all;
}

Value call_hook(mlir::OpBuilder& b, mlir::Location loc, const char* name, mlir::Type result, mlir::ValueRange arguments) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  const mlir::Type returned = result ? result : LLVM::LLVMVoidType::get(b.getContext());
  const auto function = LLVM::lookupOrCreateFn(b, module, name, llvm::to_vector(arguments.getTypes()), returned);
  auto called = LLVM::CallOp::create(b, loc, *function, arguments);
  return result ? called.getResult() : Value();
}

std::optional<gpu::MatrixInstruction> SimtTarget::matrix_instruction(const gpu::DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const {
  for (const auto& [key, instruction] : configuration_.instructions) {
    if (key == key_of(elements) && m >= instruction.m && n >= instruction.n && k >= instruction.k) return instruction;
  }
  return std::nullopt;
}

llvm::SmallVector<Value> SimtTarget::multiply(Builder& b, const gpu::MatrixInstruction& instruction, mlir::ValueRange a, mlir::ValueRange b_elements,
                                              mlir::ValueRange acc) const {
  const std::size_t dot = instruction.name.find('.');
  const bool of_float8 = dot != std::string::npos;
  const auto format = [&](const std::string& name) { return of_float8 ? float8_type(b, name) : mlir::Type(); };
  give(b, 0, a, format(instruction.name.substr(0, dot)));
  give(b, 1, b_elements, format(instruction.name.substr(of_float8 ? dot + 1 : 0)));
  give(b, 2, acc);
  const std::string key = of_float8 ? instruction.name : key_of({a.front().getType(), b_elements.front().getType(), acc.front().getType()});
  return multiplied(b, number_of(instruction, key), acc.size(), acc.front().getType());
}

void SimtTarget::give(Builder& b, int operand, mlir::ValueRange values, mlir::Type format) const {
  const mlir::Type wide = b.getF64Type();
  for (auto [reg, value] : llvm::enumerate(values)) {
    Value number = value;
    if (format) number = arith::ExtFOp::create(b, wide, decode_float8(b, value, format));
    else if (value.getType().isInteger()) number = arith::SIToFPOp::create(b, wide, value);
    else number = arith::ExtFOp::create(b, wide, is_narrow(value.getType()) ? widened(b, value) : value);
    call(b, "simt_matrix_operand", {}, {constant(b, operand), constant(b, static_cast<std::int32_t>(reg)), number});
  }
}

std::int32_t SimtTarget::number_of(const gpu::MatrixInstruction& instruction, const std::string& key) const {
  std::int32_t index = 0;
  while (configuration_.instructions[index].second.name != instruction.name || configuration_.instructions[index].first != key) ++index;
  return index;
}

llvm::SmallVector<Value> SimtTarget::multiplied(Builder& b, std::int32_t instruction, std::size_t count, mlir::Type element) const {
  call(b, "simt_matrix_multiply", {}, {constant(b, sites_++), constant(b, instruction)});
  llvm::SmallVector<Value> results;
  for (std::int32_t reg = 0; reg < static_cast<std::int32_t>(count); ++reg) {
    Value number = call(b, "simt_matrix_result", b.getF64Type(), constant(b, reg));
    results.push_back(element.isInteger() ? arith::FPToSIOp::create(b, element, number).getResult() : arith::TruncFOp::create(b, element, number).getResult());
  }
  return results;
}

// The group's warps multiply each for itself, with fragments read from shared memory.
std::optional<gpu::GroupProduct> SimtTarget::group_product(const gpu::DotElements& elements) const {
  if (!configuration_.has_roles || !elements.acc.isF32()) return std::nullopt;
  if (float8_name(elements.left) && float8_name(elements.right)) return gpu::GroupProduct{.k = 32, .along_depth = true};
  if (!is_narrow(elements.left)) return std::nullopt;
  return gpu::GroupProduct();
}

// A product that does not wait takes place as late as it can, when it is waited for; until then its sums are garbage.
llvm::SmallVector<llvm::SmallVector<Value>> SimtTarget::group_multiply(Builder& b, const gpu::GroupMultiply& product) const {
  if (!product.waits) {
    InFlight& later = in_flight_.emplace_back(InFlight{product, {}});
    later.product.waits = true;
    llvm::SmallVector<llvm::SmallVector<Value>> sums(std::max(product.a_rows.size(), product.a_registers.size()));
    for (auto& block : sums) {
      for (std::int64_t i = 0; i < product.n / 2; ++i) block.push_back(garbage(b, b.getF32Type()));
      later.sums.append(block);
    }
    return sums;
  }
  const gpu::MatrixInstruction instruction = *matrix_instruction(product.elements, gpu::GroupProduct().m, product.n, product.depth);
  const std::int32_t number = number_of(instruction, key_of(product.elements));
  const mlir::Type left_format = float8_name(product.elements.left) ? product.elements.left : mlir::Type();
  const std::size_t of_step = std::size_t{1} << instruction.a.input_bits("register");
  const auto fragment_of = [&](int operand, const gpu::SharedOperand& shared, Value first, std::int64_t k) {
    const mlir::Type i64 = b.getI64Type();
    Value tile = LLVM::PtrToIntOp::create(b, i64, shared.tile), rows = arith::ConstantOp::create(b, b.getI64IntegerAttr(shared.rows));
    call(b, "simt_shared_fragment", {}, {constant(b, operand), constant(b, number), tile, rows, constant(b, shared.depth_along_rows), first, constant(b, static_cast<std::int32_t>(k))});
  };
  Value warp = arith::DivUIOp::create(b, thread_id(b), constant(b, configuration_.lanes));
  Value row_of_warp = arith::MulIOp::create(b, arith::RemUIOp::create(b, warp, constant(b, gpu::GroupProduct().warps)), constant(b, instruction.m));
  llvm::SmallVector<llvm::SmallVector<Value>> results;
  for (std::size_t block = 0; block < std::max(product.a_rows.size(), product.a_registers.size()); ++block) {
    llvm::SmallVector<Value>& sums = results.emplace_back();
    for (std::int64_t column = 0; column < product.n; column += instruction.n) {
      llvm::SmallVector<Value> sum(4, arith::ConstantOp::create(b, b.getF32FloatAttr(0)));
      if (!product.acc.empty()) sum.assign(product.acc[block].begin() + column / 2, product.acc[block].begin() + column / 2 + 4);
      for (std::int64_t k = 0; k < product.depth; k += instruction.k) {
        if (product.a.tile) fragment_of(0, product.a, arith::AddIOp::create(b, product.a_rows[block], row_of_warp), k);
        else give(b, 0, llvm::ArrayRef<Value>(product.a_registers[block]).slice(static_cast<std::size_t>(k / instruction.k) * of_step, of_step), left_format);
        fragment_of(1, product.b, constant(b, static_cast<std::int32_t>(column)), k);
        give(b, 2, sum);
        sum = multiplied(b, number, sum.size(), b.getF32Type());
      }
      sums.append(sum);
    }
  }
  return results;
}

llvm::SmallVector<Value> SimtTarget::group_wait(Builder& b, mlir::ValueRange sums, int) const {
  const auto begun = llvm::find_if(in_flight_, [&](const InFlight& each) { return llvm::is_contained(each.sums, sums.front()); });
  llvm::SmallVector<Value> complete, in_order;
  for (const auto& block : group_multiply(b, begun->product)) complete.append(block);
  for (Value sum : sums) in_order.push_back(complete[static_cast<std::size_t>(llvm::find(begun->sums, sum) - begun->sums.begin())]);
  return in_order;
}

void SimtTarget::barrier_of(Builder& b, int warps) const { call(b, "simt_barrier_of", {}, {constant(b, sites_++), constant(b, 0), constant(b, warps)}); }

void SimtTarget::team_barrier(Builder& b, int warps) const {
  Value threads = constant(b, warps * configuration_.lanes), team = arith::DivUIOp::create(b, thread_id(b), threads);
  call(b, "simt_barrier_of", {}, {constant(b, sites_++), arith::MulIOp::create(b, team, threads), constant(b, warps)});
}

void SimtTarget::make_signal(Builder& b, Value signal, int arrivals) const { call(b, "simt_make_signal", {}, {address_of(b, signal), constant(b, arrivals)}); }

void SimtTarget::wait_signal(Builder& b, Value signal, Value phase) const { call(b, "simt_wait_signal", {}, {constant(b, sites_++), address_of(b, signal), phase}); }

void SimtTarget::arrive(Builder& b, Value signal, Value predicate) const {
  call(b, "simt_arrive", {}, {address_of(b, signal), arith::ConstantOp::create(b, b.getI64IntegerAttr(0)), arith::ExtUIOp::create(b, b.getI32Type(), predicate)});
}

void SimtTarget::arrive_expecting(Builder& b, Value signal, std::int64_t bytes) const {
  call(b, "simt_arrive", {}, {address_of(b, signal), arith::ConstantOp::create(b, b.getI64IntegerAttr(bytes)), constant(b, 1)});
}

namespace {

void describe_box(Builder& b, const gpu::BoxCopy& copy) {
  for (auto [size, stride, first, extent] : llvm::zip(copy.sizes, copy.strides, copy.coordinates, copy.box))
    call(b, "simt_box_dimension", {}, {size, stride, first, constant(b, static_cast<std::int32_t>(extent))});
}

}  // namespace

void SimtTarget::copy_box_out(Builder& b, const gpu::BoxCopy& copy, bool adds) const {
  describe_box(b, copy);
  const AtomicElement element = copy.element.isF16() ? AtomicElement::kHalf : copy.element.isBF16() ? AtomicElement::kBfloat : AtomicElement::kFloat;
  call(b, "simt_copy_box_out", {}, {address_of(b, copy.shared), address_of(b, copy.base), constant(b, static_cast<std::int32_t>(bytes_of(copy.element))), constant(b, adds), constant(b, static_cast<std::int32_t>(element))});
}

void SimtTarget::wait_boxes_out(Builder& b) const { call(b, "simt_wait_boxes_out", {}, {}); }

void SimtTarget::copy_box(Builder& b, const gpu::BoxCopy& copy) const {
  describe_box(b, copy);
  call(b, "simt_copy_box", {}, {address_of(b, copy.shared), address_of(b, copy.base), constant(b, static_cast<std::int32_t>(bytes_of(copy.element))), address_of(b, copy.signal)});
}

Value SimtTarget::thread_id(Builder& b) const { return call(b, "simt_thread_id", b.getI32Type(), {}); }
Value SimtTarget::program_id(Builder& b, int axis) const { return call(b, "simt_program_id", b.getI64Type(), constant(b, axis)); }
Value SimtTarget::num_programs(Builder& b, int axis) const { return call(b, "simt_num_programs", b.getI64Type(), constant(b, axis)); }

void SimtTarget::barrier(Builder& b) const { call(b, "simt_barrier", {}, constant(b, sites_++)); }
void SimtTarget::warp_barrier(Builder& b) const { call(b, "simt_warp_barrier", {}, constant(b, sites_++)); }

Value SimtTarget::shuffle(Builder& b, Value word, Value lane) const { return call(b, "simt_shuffle", b.getI32Type(), {constant(b, sites_++), word, lane}); }

Value SimtTarget::shuffle_xor(Builder& b, Value word, int mask) const {
  Value id = thread_id(b);
  Value lane = arith::AndIOp::create(b, id, constant(b, configuration_.lanes - 1));
  return shuffle(b, word, arith::XOrIOp::create(b, lane, constant(b, mask)));
}

// Where a predicate is false the access goes to the machine's sink, which holds what is to be loaded then: branches and selects would cost far more time to compile.
Value SimtTarget::load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const {
  const auto access = [&](Value at) { return LLVM::LoadOp::create(b, type, at, bytes_of(type)).getResult(); };
  if (!predicate) return access(address);
  LLVM::StoreOp::create(b, other ? other : garbage(b, type), sink(b), bytes_of(type));
  return access(arith::SelectOp::create(b, predicate, address, sink(b)));
}

void SimtTarget::store(Builder& b, Value value, Value address, Value predicate) const {
  if (predicate) address = arith::SelectOp::create(b, predicate, address, sink(b));
  LLVM::StoreOp::create(b, value, address, bytes_of(value.getType()));
}

Value SimtTarget::atomic(Builder& b, tile::AtomicKind kind, Value value, Value address, Value expected) const {
  const mlir::Type type = value.getType(), integer = b.getIntegerType(type.getIntOrFloatBitWidth()), wide = b.getI64Type();
  const AtomicElement element = type.isInteger(32)  ? AtomicElement::kInteger32
                                : type.isInteger(64) ? AtomicElement::kInteger64
                                : type.isF16()       ? AtomicElement::kHalf
                                : type.isBF16()      ? AtomicElement::kBfloat
                                : type.isF32()       ? AtomicElement::kFloat
                                                     : AtomicElement::kDouble;
  const auto bits = [&](Value x) {
    if (x.getType() != integer) x = arith::BitcastOp::create(b, integer, x);
    return integer == wide ? x : arith::ExtUIOp::create(b, wide, x).getResult();
  };
  Value old = call(b, "simt_atomic", wide,
                   {constant(b, static_cast<std::int32_t>(kind)), constant(b, static_cast<std::int32_t>(element)), LLVM::PtrToIntOp::create(b, wide, address), bits(value),
                    bits(expected ? expected : value)});
  if (integer != wide) old = arith::TruncIOp::create(b, integer, old);
  return type == integer ? old : arith::BitcastOp::create(b, type, old).getResult();
}

int SimtTarget::atomic_run(tile::AtomicKind kind, mlir::Type element) const { return kind == tile::AtomicKind::Add && element.isF32() ? 4 : 1; }

void SimtTarget::atomic(Builder& b, tile::AtomicKind kind, mlir::ValueRange run, Value address) const {
  for (auto [i, value] : llvm::enumerate(run)) {
    Value at = LLVM::GEPOp::create(b, address.getType(), value.getType(), address, LLVM::GEPArg(static_cast<std::int32_t>(i)));
    atomic(b, kind, value, at, {});
  }
}

void SimtTarget::fence(Builder& b, tile::MemoryOrder order) const { call(b, "simt_fence", {}, {constant(b, order != tile::MemoryOrder::Acquire), constant(b, order != tile::MemoryOrder::Release)}); }

void SimtTarget::copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const {
  call(b, "simt_copy_async", {}, {address_of(b, shared), address_of(b, global), constant(b, bytes), source_bytes ? source_bytes : constant(b, bytes)});
}

void SimtTarget::commit_copies(Builder& b) const { call(b, "simt_commit_copies", {}, {}); }
void SimtTarget::wait_copies(Builder& b, int pending) const { call(b, "simt_wait_copies", {}, constant(b, pending)); }

llvm::SmallVector<Value> SimtTarget::load_matrices(Builder& b, Value address, bool transposed) const {
  Value row = LLVM::PtrToIntOp::create(b, b.getI64Type(), address);
  call(b, "simt_load_matrices", {}, {constant(b, sites_++), row, constant(b, transposed)});
  llvm::SmallVector<Value> words;
  for (int i = 0; i < 4; ++i) words.push_back(call(b, "simt_loaded_word", b.getI32Type(), constant(b, i)));
  return words;
}

// Arithmetic on narrow floats takes place in f32 and is rounded once; what has f32 or f64 is expanded as on the CPU.
Value SimtTarget::elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const {
  if (llvm::isa<arith::BitcastOp, arith::SelectOp>(op)) return {};
  const bool rounds = is_narrow(result);
  if (!rounds && llvm::none_of(operands.getTypes(), is_narrow)) return {};
  if (llvm::isa<arith::TruncFOp>(op)) return rounded(b, operands[0], result);
  llvm::SmallVector<Value> wide;
  for (Value operand : operands) wide.push_back(is_narrow(operand.getType()) ? widened(b, operand) : operand);
  if (llvm::isa<arith::ExtFOp>(op)) return result.isF32() ? wide[0] : arith::ExtFOp::create(b, result, wide[0]).getResult();
  if (op->getName().getDialectNamespace() == "tile") return {};  // conversions that saturate: the general expansion widens
  mlir::OperationState state(b.getLoc(), op->getName());
  state.addOperands(wide);
  state.addTypes(rounds ? b.getF32Type() : result);
  state.addAttributes(op->getAttrs());
  Value computed = b.create(state)->getResult(0);
  return rounds ? rounded(b, computed, result) : computed;
}

void SimtTarget::report_assertion(Builder& b, Value, Value failed, std::int32_t number) const {
  call(b, "simt_report_assertion", {}, {arith::ExtUIOp::create(b, b.getI32Type(), failed), constant(b, number)});
}

}  // namespace tilewright::simt
