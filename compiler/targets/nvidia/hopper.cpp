// What sm_90a adds: products of four warps that read shared memory themselves (wgmma), copies of boxes by the copy engine (TMA), and the signals they share (mbarriers).
#include "compiler/targets/nvidia/inline_assembly.h"
#include "compiler/targets/nvidia/matrix_descriptor.h"
#include "compiler/targets/nvidia/nvidia_gpu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <algorithm>

namespace tilewright::nvidia {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
using mlir::Value;

namespace {

using Builder = gpu::GpuTarget::Builder;

constexpr int kConsumersBarrier = 1;  // of the hardware's sixteen; barrier 0 is that of all warps
constexpr int kGroupWarps = 4, kProducerRegisters = 24, kMostRegisters = 240, kRegisterUnit = 8;
constexpr std::int64_t kMapBytes = 128, kMapAlignment = 64;

Value address_of(Builder& b, Value pointer) { return LLVM::PtrToIntOp::create(b, b.getI32Type(), pointer); }

// The descriptor of an operand that begins at `row` (i32 or null) of its rows or columns that are not depth, as far as it is the same for all steps along the depth.
Value descriptor(Builder& b, const gpu::SharedOperand& operand, Value row) {
  const MatrixDescriptor form = matrix_descriptor(operand.rows, operand.depth_along_rows);
  Value address = address_of(b, operand.tile);
  if (row) address = arith::AddIOp::create(b, address, arith::MulIOp::create(b, row, constant(b, b.getI32Type(), form.row_bytes)));
  address = arith::ShRUIOp::create(b, arith::AndIOp::create(b, address, constant(b, b.getI32Type(), 0x3ffff)), constant(b, b.getI32Type(), 4));
  Value wide = arith::ExtUIOp::create(b, b.getI64Type(), address);
  return arith::OrIOp::create(b, wide, constant(b, b.getI64Type(), static_cast<std::int64_t>(form.fixed_bits)));
}

std::string list(int first, std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "$" : ", $") + std::to_string(first + static_cast<int>(i));
  return text + "}";
}

}  // namespace

std::optional<gpu::GroupProduct> NvidiaGpu::group_product(const gpu::DotElements& elements) const {
  if (!target_.has_roles || !elements.acc.isF32()) return std::nullopt;
  // Only 16-bit elements can be transposed on their way from shared memory.
  if (float8_name(elements.left) && float8_name(elements.right)) return gpu::GroupProduct{.k = 32, .max_n_beside_left = 64, .along_depth = true};
  if (!elements.left.isF16() && !elements.left.isBF16()) return std::nullopt;
  // With more columns beside a left operand that lives as long as a loop, ptxas 13.0 has been seen to use its registers for something else.
  return gpu::GroupProduct{.max_n_beside_left = 64};
}

// All of it is one piece of assembly, the wait too or one more piece that the accumulators are tied to: between the fence and the wait no other instruction may touch the accumulators, or the assembler makes every product wait for the one before.
llvm::SmallVector<llvm::SmallVector<mlir::Value>> NvidiaGpu::group_multiply(Builder& b, const gpu::GroupMultiply& product) const {
  const std::size_t blocks = std::max(product.a_rows.size(), product.a_registers.size());
  const auto sums = static_cast<std::size_t>(product.n / 2);  // of a thread, for 64 rows
  const bool from_zero = product.acc.empty();
  const bool of_bytes = float8_name(product.elements.left) != nullptr;
  const std::int64_t element_bytes = of_bytes ? 1 : 2, step_depth = 32 / element_bytes;  // 32 bytes of depth in one instruction
  const auto name_of = [&](mlir::Type type) { return std::string(of_bytes ? float8_name(type) : type.isBF16() ? "bf16" : "f16"); };
  const std::string form = "k" + std::to_string(step_depth) + ".f32." + name_of(product.elements.left) + "." + name_of(product.elements.right) + " ";

  llvm::SmallVector<Value> operands;
  std::string constraints;
  for (std::size_t i = 0; i < blocks * sums; ++i) constraints += "=f,";
  int next = static_cast<int>(blocks * sums);  // number of the next operand
  const auto give = [&](Value value, const std::string& constraint) {
    operands.push_back(value);
    constraints += constraint + ",";
    return next++;
  };
  if (!from_zero)
    for (std::size_t i = 0; i < blocks * sums; ++i) give(product.acc[i / sums][i % sums], std::to_string(i));

  const auto step_of = [&](const gpu::SharedOperand& operand, std::int64_t k) { return matrix_descriptor(operand.rows, operand.depth_along_rows).step(k, element_bytes); };
  const int b_base = give(descriptor(b, product.b, {}), "l");
  llvm::SmallVector<int> a_base;
  for (Value row : product.a_rows) a_base.push_back(give(descriptor(b, product.a, row), "l"));

  std::string text = "{ .reg .pred adds, sets; .reg .b32 none; .reg .b64 left, right; mov.b32 none, 0; setp.eq.b32 adds, none, 0; setp.ne.b32 sets, none, 0; wgmma.fence.sync.aligned; ";
  // The descriptor of a step is told from the first one here: of sums outside, a loop would keep each in registers.
  const auto stepped = [&](const char* name, int base, std::int64_t step) {
    if (step == 0) return "$" + std::to_string(base);
    text += std::string("add.s64 ") + name + ", $" + std::to_string(base) + ", " + std::to_string(step) + "; ";
    return std::string(name);
  };
  for (std::int64_t k = 0; k < product.depth; k += step_depth) {
    const std::string b_operand = stepped("right", b_base, step_of(product.b, k));
    for (std::size_t block = 0; block < blocks; ++block) {
      std::string a_operand, a_order;
      if (product.a.tile) {
        a_operand = stepped("left", a_base[block], step_of(product.a, k));
        if (!of_bytes) a_order = product.a.depth_along_rows ? ", 0" : ", 1";
      } else {
        const std::size_t each = 4 * static_cast<std::size_t>(4 / element_bytes);  // of a thread, in four words
        const auto elements = llvm::ArrayRef<Value>(product.a_registers[block]).slice(static_cast<std::size_t>(k / step_depth) * each, each);
        const int first = next;
        llvm::SmallVector<Value> words;
        append_words(b, elements, words);
        for (Value word : words) give(word, "r");
        a_operand = list(first, words.size());
      }
      text += "wgmma.mma_async.sync.aligned.m64n" + std::to_string(product.n) + form + list(static_cast<int>(block * sums), sums) + ", " + a_operand + ", " +
              b_operand + ", " + (from_zero && k == 0 ? "sets" : "adds") + ", 1, 1" + a_order + (of_bytes ? "; " : product.b.depth_along_rows ? ", 0; " : ", 1; ");
    }
  }
  text += product.waits ? "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0; }" : "wgmma.commit_group.sync.aligned; }";

  const auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), llvm::SmallVector<mlir::Type>(blocks * sums, b.getF32Type()));
  Value all = inline_assembly(b, type, operands, text, constraints + "~{memory}", true);
  llvm::SmallVector<llvm::SmallVector<Value>> results(blocks);
  for (std::size_t i = 0; i < blocks * sums; ++i) results[i / sums].push_back(LLVM::ExtractValueOp::create(b, all, static_cast<std::int64_t>(i)));
  return results;
}

llvm::SmallVector<Value> NvidiaGpu::group_wait(Builder& b, mlir::ValueRange sums, int begun_since) const {
  std::string constraints;
  for (std::size_t i = 0; i < sums.size(); ++i) constraints += "=f,";
  for (std::size_t i = 0; i < sums.size(); ++i) constraints += std::to_string(i) + ",";
  const auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), llvm::SmallVector<mlir::Type>(sums.size(), b.getF32Type()));
  Value all = inline_assembly(b, type, sums, "wgmma.wait_group.sync.aligned " + std::to_string(begun_since) + ";", constraints + "~{memory}", true);
  llvm::SmallVector<Value> results;
  for (std::size_t i = 0; i < sums.size(); ++i) results.push_back(LLVM::ExtractValueOp::create(b, all, static_cast<std::int64_t>(i)));
  return results;
}

// The registers of a multiprocessor's quarter are handed out to threads alike when a block begins. Where three warps share a quarter, a group of four gives nearly all of its own to the consumers; a single
// warp could not.
int NvidiaGpu::producer_warps(int consumer_warps, gpu::RoleRegisters registers) const { return consumer_warps > kGroupWarps || registers.producer != 0 ? kGroupWarps : 1; }

void NvidiaGpu::begin_role(Builder& b, int consumer_warps, gpu::RoleRegisters registers, bool consumes) const {
  if (producer_warps(consumer_warps, registers) == 1) return;
  // What consumers take must have been handed out: more would be waited for, for ever.
  const int warps = consumer_warps + kGroupWarps, each = std::min(target_.max_registers, target_.registers_per_multiprocessor / (kWarpSize * warps)) / kRegisterUnit * kRegisterUnit;
  const int left = each * warps - kProducerRegisters * kGroupWarps;
  if (registers.producer == 0) registers = {kProducerRegisters, std::min(kMostRegisters, left / consumer_warps / kRegisterUnit * kRegisterUnit)};
  inline_effect(b, {}, std::string("setmaxnreg.") + (consumes ? "inc" : "dec") + ".sync.aligned.u32 " + std::to_string(consumes ? registers.consumers : registers.producer) + ";", "");
}

void NvidiaGpu::barrier_of(Builder& b, int warps) const {
  inline_effect(b, {}, "bar.sync " + std::to_string(kConsumersBarrier) + ", " + std::to_string(warps * kWarpSize) + ";", "");
}

void NvidiaGpu::team_barrier(Builder& b, int warps) const {
  Value team = arith::DivUIOp::create(b, thread_id(b), constant(b, b.getI32Type(), warps * kWarpSize));
  Value number = arith::AddIOp::create(b, team, constant(b, b.getI32Type(), kConsumersBarrier));
  inline_effect(b, {number}, "bar.sync $0, " + std::to_string(warps * kWarpSize) + ";", "r");
}

void NvidiaGpu::make_signal(Builder& b, Value signal, int arrivals) const {
  inline_effect(b, {address_of(b, signal)}, "mbarrier.init.shared::cta.b64 [$0], " + std::to_string(arrivals) + ";", "r");
}

void NvidiaGpu::publish_signals(Builder& b) const { inline_effect(b, {}, "fence.mbarrier_init.release.cluster;", ""); }

void NvidiaGpu::wait_signal(Builder& b, Value signal, Value phase) const {
  inline_effect(b, {address_of(b, signal), phase}, "{ .reg .pred done; again: mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1; @done bra over; bra again; over: }", "r,r");
}

void NvidiaGpu::publish_tile(Builder& b) const { inline_effect(b, {}, "fence.proxy.async.shared::cta;", ""); }

void NvidiaGpu::arrive(Builder& b, Value signal, Value predicate) const {
  inline_effect(b, {address_of(b, signal), predicate}, "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b");
}

void NvidiaGpu::arrive_expecting(Builder& b, Value signal, std::int64_t bytes) const {
  inline_effect(b, {address_of(b, signal)}, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], " + std::to_string(bytes) + ";", "r");
}

void NvidiaGpu::copy_box(Builder& b, const gpu::BoxCopy& copy) const {
  llvm::SmallVector<Value> operands = {address_of(b, copy.shared), copy.map, address_of(b, copy.signal)};
  std::string coordinates, constraints = "r,l,r";
  for (Value coordinate : llvm::reverse(copy.coordinates)) {
    coordinates += (coordinates.empty() ? "$" : ", $") + std::to_string(operands.size());
    constraints += ",r";
    operands.push_back(coordinate);
  }
  inline_effect(b, operands,
                "cp.async.bulk.tensor." + std::to_string(copy.coordinates.size()) + "d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {" + coordinates + "}], [$2];", constraints);
}

void NvidiaGpu::copy_box_out(Builder& b, const gpu::BoxCopy& copy, bool adds) const {
  llvm::SmallVector<Value> operands = {address_of(b, copy.shared), copy.map};
  std::string coordinates, constraints = "r,l";
  for (Value coordinate : llvm::reverse(copy.coordinates)) {
    coordinates += (coordinates.empty() ? "$" : ", $") + std::to_string(operands.size());
    constraints += ",r";
    operands.push_back(coordinate);
  }
  inline_effect(b, operands,
                std::string(adds ? "cp.reduce.async.bulk.tensor." : "cp.async.bulk.tensor.") + std::to_string(copy.coordinates.size()) + "d.global.shared::cta" + (adds ? ".add" : "") + ".bulk_group [$1, {" +
                    coordinates + "}], [$0];",
                constraints);
}

void NvidiaGpu::finish_boxes_out(Builder& b) const { inline_effect(b, {}, "cp.async.bulk.commit_group;", ""); }

void NvidiaGpu::wait_boxes_out(Builder& b) const { inline_effect(b, {}, "cp.async.bulk.wait_group.read 0;", ""); }

mlir::DictionaryAttr NvidiaGpu::map_parameter(mlir::MLIRContext* context) const {
  mlir::Builder b(context);
  const auto named = [&](llvm::StringRef name, mlir::Attribute value) { return b.getNamedAttr(name, value); };
  return b.getDictionaryAttr({named("llvm.byval", mlir::TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), kMapBytes))), named("llvm.align", b.getI64IntegerAttr(kMapAlignment))});
}

}  // namespace tilewright::nvidia
