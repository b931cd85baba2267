#include "compiler/targets/nvidia/nvidia_gpu.h"

#include "compiler/targets/nvidia/cuda_functions.h"
#include "compiler/targets/nvidia/inline_assembly.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <map>

namespace tilewright::nvidia {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace NVVM = mlir::NVVM;
using layout::LinearMap;

namespace {

using Builder = gpu::GpuTarget::Builder;
using mlir::Value;

constexpr std::uint32_t kAllLanes = 0xffffffff;

// How an access of a type is spelled: some registers of one width, in a vector where there are several.
struct AccessForm {
  int words = 1;
  unsigned bits = 32;  // of each
  std::string suffix() const { return (words == 1 ? std::string() : ".v" + std::to_string(words)) + ".b" + std::to_string(bits); }
  std::string constraint() const { return bits == 64 ? "l" : bits == 32 ? "r" : "h"; }
};

unsigned total_bits(mlir::Type type) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(type)) return static_cast<unsigned>(vector.getNumElements()) * vector.getElementTypeBitWidth();
  return type.getIntOrFloatBitWidth();
}

AccessForm form_of(mlir::Type type) {
  const unsigned bits = total_bits(type);
  if (bits <= 32) return {1, bits};
  if (bits == 64 && !llvm::isa<mlir::VectorType>(type)) return {1, 64};
  return {static_cast<int>(bits / 32), 32};
}

// A value as the words of its form, and back. An 8-bit word travels in a 16-bit register.
llvm::SmallVector<Value> to_words(Builder& b, Value value, const AccessForm& form) {
  const mlir::Type word = b.getIntegerType(form.bits);
  if (form.words == 1) {
    Value bits = value.getType() == word ? value : LLVM::BitcastOp::create(b, word, value).getResult();
    return {form.bits == 8 ? LLVM::ZExtOp::create(b, b.getI16Type(), bits).getResult() : bits};
  }
  Value vector = LLVM::BitcastOp::create(b, mlir::VectorType::get({form.words}, word), value);
  llvm::SmallVector<Value> words;
  for (int i = 0; i < form.words; ++i) words.push_back(LLVM::ExtractElementOp::create(b, vector, constant(b, b.getI32Type(), i)));
  return words;
}

Value from_words(Builder& b, llvm::ArrayRef<Value> words, const AccessForm& form, mlir::Type type) {
  const mlir::Type word = b.getIntegerType(form.bits);
  if (form.words == 1) {
    Value bits = form.bits == 8 ? LLVM::TruncOp::create(b, word, words[0]).getResult() : words[0];
    return type == word ? bits : LLVM::BitcastOp::create(b, type, bits).getResult();
  }
  Value vector = LLVM::PoisonOp::create(b, mlir::VectorType::get({form.words}, word));
  for (int i = 0; i < form.words; ++i) vector = LLVM::InsertElementOp::create(b, vector, words[i], constant(b, b.getI32Type(), i));
  return LLVM::BitcastOp::create(b, type, vector);
}

std::string operand_list(int first, int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "$" : ", $") + std::to_string(first + i);
  return count == 1 ? list : "{" + list + "}";
}

}  // namespace

void NvidiaGpu::register_dialects(mlir::DialectRegistry& registry) const { registry.insert<NVVM::NVVMDialect>(); }

const char* NvidiaGpu::float8_name(mlir::Type type) { return llvm::isa<mlir::Float8E4M3FNType>(type) ? "e4m3" : llvm::isa<mlir::Float8E5M2Type>(type) ? "e5m2" : nullptr; }

// Fragments: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type", and for 8-bit floats "Matrix Fragments for mma.m16n8k32".
std::optional<gpu::MatrixInstruction> NvidiaGpu::matrix_instruction(const gpu::DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const {
  const char *left = float8_name(elements.left), *right = float8_name(elements.right);
  const bool bytes = left != nullptr && right != nullptr && has_float8();
  if (!elements.acc.isF32() || !(elements.left.isF16() || elements.left.isBF16() || bytes) || k < (bytes ? 32 : 16)) return std::nullopt;
  constexpr std::int64_t kSmallProduct = 4096;  // a few rows of a small product are sooner done one by one than padded
  if ((m < 4 || n < 4) && m * n * k < kSmallProduct) return std::nullopt;
  const std::vector<layout::Dimension> rows_16_columns_16 = {{"dim0", 4}, {"dim1", 4}}, rows_16_columns_8 = {{"dim0", 4}, {"dim1", 3}};
  gpu::MatrixInstruction instruction;
  instruction.acc = LinearMap({{"register", {{0, 1}, {8, 0}}}, {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}}, rows_16_columns_8);
  if (bytes) {
    instruction.name = std::string(left) + "." + right;
    instruction.m = 16, instruction.n = 8, instruction.k = 32;
    instruction.a = LinearMap({{"register", {{0, 1}, {0, 2}, {8, 0}, {0, 16}}}, {"lane", {{0, 4}, {0, 8}, {1, 0}, {2, 0}, {4, 0}}}}, {{"dim0", 4}, {"dim1", 5}});
    instruction.b = LinearMap({{"register", {{1, 0}, {2, 0}, {16, 0}}}, {"lane", {{4, 0}, {8, 0}, {0, 1}, {0, 2}, {0, 4}}}}, {{"dim0", 5}, {"dim1", 3}});
    return instruction;
  }
  instruction.name = elements.left.isBF16() ? "bf16.bf16" : "f16.f16";
  instruction.m = 16, instruction.n = 8, instruction.k = 16;
  instruction.a = LinearMap({{"register", {{0, 1}, {8, 0}, {0, 8}}}, {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}}, rows_16_columns_16);
  instruction.b = LinearMap({{"register", {{1, 0}, {8, 0}}}, {"lane", {{2, 0}, {4, 0}, {0, 1}, {0, 2}, {0, 4}}}}, rows_16_columns_8);
  return instruction;
}

llvm::SmallVector<mlir::Value> NvidiaGpu::multiply(Builder& b, const gpu::MatrixInstruction& instruction, mlir::ValueRange a, mlir::ValueRange b_elements,
                                                   mlir::ValueRange acc) const {
  llvm::SmallVector<Value> operands;
  append_words(b, a, operands);
  append_words(b, b_elements, operands);
  llvm::append_range(operands, acc);
  const std::string text = "mma.sync.aligned.m16n8k" + std::to_string(instruction.k) + ".row.col.f32." + instruction.name +
                           ".f32 {$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};";
  const mlir::Type f32 = b.getF32Type();
  const auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
  Value all = inline_assembly(b, result, operands, text, "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", false);
  llvm::SmallVector<Value> sums;
  for (int i = 0; i < 4; ++i) sums.push_back(LLVM::ExtractValueOp::create(b, all, i));
  return sums;
}

mlir::Value NvidiaGpu::thread_id(Builder& b) const { return NVVM::ThreadIdXOp::create(b, b.getI32Type()); }

mlir::Value NvidiaGpu::program_id(Builder& b, int axis) const {
  const mlir::Type i32 = b.getI32Type();
  Value id = axis == 0 ? NVVM::BlockIdXOp::create(b, i32).getResult() : axis == 1 ? NVVM::BlockIdYOp::create(b, i32).getResult() : NVVM::BlockIdZOp::create(b, i32).getResult();
  return arith::ExtUIOp::create(b, b.getI64Type(), id);
}

mlir::Value NvidiaGpu::num_programs(Builder& b, int axis) const {
  const mlir::Type i32 = b.getI32Type();
  Value count = axis == 0 ? NVVM::GridDimXOp::create(b, i32).getResult() : axis == 1 ? NVVM::GridDimYOp::create(b, i32).getResult() : NVVM::GridDimZOp::create(b, i32).getResult();
  return arith::ExtUIOp::create(b, b.getI64Type(), count);
}

void NvidiaGpu::barrier(Builder& b) const { NVVM::Barrier0Op::create(b); }

void NvidiaGpu::warp_barrier(Builder& b) const { NVVM::SyncWarpOp::create(b, constant(b, b.getI32Type(), kAllLanes)); }

mlir::Value NvidiaGpu::shuffle(Builder& b, Value word, Value lane) const {
  const mlir::Type i32 = b.getI32Type();
  return NVVM::ShflOp::create(b, i32, constant(b, i32, kAllLanes), word, lane, constant(b, i32, 31), NVVM::ShflKind::idx, mlir::UnitAttr());
}

mlir::Value NvidiaGpu::shuffle_xor(Builder& b, Value word, int mask) const {
  const mlir::Type i32 = b.getI32Type();
  return NVVM::ShflOp::create(b, i32, constant(b, i32, kAllLanes), word, constant(b, i32, mask), constant(b, i32, 31), NVVM::ShflKind::bfly, mlir::UnitAttr());
}

mlir::Value NvidiaGpu::combine_lanes(Builder& b, tile::ReduceKind kind, Value word) const {
  using NVVM::ReduxKind;
  static const std::map<tile::ReduceKind, ReduxKind> kinds = {{tile::ReduceKind::Sum, ReduxKind::ADD},  {tile::ReduceKind::And, ReduxKind::AND},   {tile::ReduceKind::Or, ReduxKind::OR},
                                                              {tile::ReduceKind::Xor, ReduxKind::XOR},  {tile::ReduceKind::MinS, ReduxKind::MIN},  {tile::ReduceKind::MaxS, ReduxKind::MAX},
                                                              {tile::ReduceKind::MinU, ReduxKind::UMIN}, {tile::ReduceKind::MaxU, ReduxKind::UMAX}};
  const auto found = kinds.find(kind);
  if (found == kinds.end()) return {};
  return NVVM::ReduxOp::create(b, b.getI32Type(), word, found->second, constant(b, b.getI32Type(), kAllLanes));
}

mlir::Value NvidiaGpu::load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const {
  if (!predicate) return LLVM::LoadOp::create(b, type, address, total_bits(type) / 8);
  const AccessForm form = form_of(type);
  llvm::SmallVector<Value> operands = {address, predicate};
  std::string outputs, inputs = "l,b";
  if (!other) other = LLVM::PoisonOp::create(b, type);
  llvm::append_range(operands, to_words(b, other, form));
  llvm::SmallVector<mlir::Type> types;
  for (int i = 0; i < form.words; ++i) {
    outputs += "=" + form.constraint() + ",";
    inputs += "," + std::to_string(i);
    types.push_back(form.bits == 8 ? b.getI16Type() : b.getIntegerType(form.bits));
  }
  const std::string text = "@$" + std::to_string(form.words + 1) + " ld.global" + form.suffix() + " " + operand_list(0, form.words) + ", [$" + std::to_string(form.words) + "];";
  const mlir::Type result = form.words == 1 ? types[0] : mlir::Type(LLVM::LLVMStructType::getLiteral(b.getContext(), types));
  Value loaded = inline_assembly(b, result, operands, text, outputs + inputs, true);
  llvm::SmallVector<Value> words;
  if (form.words == 1) words.push_back(loaded);
  else for (int i = 0; i < form.words; ++i) words.push_back(LLVM::ExtractValueOp::create(b, loaded, i));
  return from_words(b, words, form, type);
}

void NvidiaGpu::store(Builder& b, Value value, Value address, Value predicate) const {
  const mlir::Type type = value.getType();
  if (!predicate) {
    LLVM::StoreOp::create(b, value, address, total_bits(type) / 8);
    return;
  }
  const AccessForm form = form_of(type);
  llvm::SmallVector<Value> operands = {address, predicate};
  llvm::append_range(operands, to_words(b, value, form));
  std::string constraints = "l,b";
  for (int i = 0; i < form.words; ++i) constraints += "," + form.constraint();
  inline_assembly(b, LLVM::LLVMVoidType::get(b.getContext()), operands, "@$1 st.global" + form.suffix() + " [$0], " + operand_list(2, form.words) + ";", constraints, true);
}

int NvidiaGpu::atomic_run(tile::AtomicKind kind, mlir::Type element) const {
  if (target_.capability < 90 || kind != tile::AtomicKind::Add) return 1;
  return element.isF32() ? 4 : element.isF16() || element.isBF16() ? 8 : 1;
}

// Vectors of floats, or of words with two narrow ones.
void NvidiaGpu::atomic(Builder& b, tile::AtomicKind, mlir::ValueRange run, Value address) const {
  const mlir::Type element = run.front().getType();
  llvm::SmallVector<Value> operands = {address};
  if (element.isF32()) llvm::append_range(operands, run);
  else append_words(b, run, operands);
  const int words = static_cast<int>(operands.size()) - 1;
  const std::string type = element.isF32() ? ".f32" : element.isF16() ? ".noftz.f16x2" : ".noftz.bf16x2";
  std::string constraints = "l";
  for (int i = 0; i < words; ++i) constraints += element.isF32() ? ",f" : ",r";
  // The vector's size stands between what becomes of subnormals and the type.
  const std::string vector = words == 1 ? "" : ".v" + std::to_string(words);
  const std::size_t dot = type.rfind('.');
  inline_effect(b, operands, "red.relaxed.gpu.global.add" + type.substr(0, dot) + vector + type.substr(dot) + " [$0], " + operand_list(1, words) + ";", constraints);
}

void NvidiaGpu::copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const {
  const std::string text = std::string("cp.async.") + (bytes == 16 ? "cg" : "ca") + ".shared.global [$0], [$1], " + std::to_string(bytes);
  const auto none = LLVM::LLVMVoidType::get(b.getContext());
  Value address = LLVM::PtrToIntOp::create(b, b.getI32Type(), shared);
  if (!source_bytes) return void(inline_assembly(b, none, {address, global}, text + ";", "r,l,~{memory}", true));
  inline_assembly(b, none, {address, global, source_bytes}, text + ", $2;", "r,l,r,~{memory}", true);
}

void NvidiaGpu::commit_copies(Builder& b) const {
  inline_assembly(b, LLVM::LLVMVoidType::get(b.getContext()), {}, "cp.async.commit_group;", "~{memory}", true);
}

void NvidiaGpu::wait_copies(Builder& b, int pending) const {
  inline_assembly(b, LLVM::LLVMVoidType::get(b.getContext()), {}, "cp.async.wait_group " + std::to_string(pending) + ";", "~{memory}", true);
}

llvm::SmallVector<mlir::Value> NvidiaGpu::load_matrices(Builder& b, Value address, bool transposed) const {
  const mlir::Type i32 = b.getI32Type();
  const std::string text = std::string("ldmatrix.sync.aligned.m8n8.x4") + (transposed ? ".trans" : "") + ".shared.b16 {$0, $1, $2, $3}, [$4];";
  Value all = inline_assembly(b, LLVM::LLVMStructType::getLiteral(b.getContext(), {i32, i32, i32, i32}), {LLVM::PtrToIntOp::create(b, i32, address)}, text,
                              "=r,=r,=r,=r,r,~{memory}", true);
  llvm::SmallVector<Value> words;
  for (int i = 0; i < 4; ++i) words.push_back(LLVM::ExtractValueOp::create(b, all, i));
  return words;
}

mlir::Value NvidiaGpu::elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const {
  if (auto external = llvm::dyn_cast<tile::ExternOp>(op)) return call_cuda_function(b, external, operands);
  if (has_float8()) {
    if (auto decode = llvm::dyn_cast<tile::DecodeF8Op>(op)) {
      const std::string text = std::string("{ .reg .b32 pair; .reg .b16 low, high; cvt.rn.f16x2.") + float8_name(decode.getFormat()) + "x2 pair, $1; mov.b32 {low, high}, pair; cvt.f32.f16 $0, low; }";
      return inline_assembly(b, b.getF32Type(), LLVM::ZExtOp::create(b, b.getI16Type(), operands[0]).getResult(), text, "=f,h", false);
    }
    if (auto encode = llvm::dyn_cast<tile::EncodeF8Op>(op)) {
      const std::string text = std::string("cvt.rn.satfinite.") + float8_name(encode.getFormat()) + "x2.f32 $0, 0f00000000, $1;";
      return LLVM::TruncOp::create(b, b.getI8Type(), inline_assembly(b, b.getI16Type(), operands[0], text, "=h,f", false));
    }
  }
  if (!result.isF32()) return {};
  if (llvm::isa<mlir::math::Exp2Op>(op)) return inline_assembly(b, result, operands, "ex2.approx.ftz.f32 $0, $1;", "=f,f", false);
  if (llvm::isa<mlir::math::RsqrtOp>(op)) return inline_assembly(b, result, operands, "rsqrt.approx.f32 $0, $1;", "=f,f", false);
  return {};
}

void NvidiaGpu::report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const {
  inline_assembly(b, LLVM::LLVMVoidType::get(b.getContext()), {board, failed, constant(b, b.getI32Type(), number + 1)}, "@$1 st.volatile.global.u32 [$0], $2;", "l,b,r", true);
}

}  // namespace tilewright::nvidia
