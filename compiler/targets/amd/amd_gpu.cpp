#include "compiler/targets/amd/amd_gpu.h"

#include "compiler/targets/amd/fragments.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::amd {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace ROCDL = mlir::ROCDL;
namespace scf = mlir::scf;

namespace {

using Builder = gpu::GpuTarget::Builder;
using mlir::Value;

constexpr unsigned kGlobalSpace = 1, kConstantSpace = 4;
constexpr unsigned kAccessBytes = 16;  // the widest
constexpr llvm::StringLiteral kZerosName = "tile_gpu_zeros";

Value constant(Builder& b, std::int32_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); }

unsigned bytes_of(mlir::Type type) {
  const auto vector = llvm::dyn_cast<mlir::VectorType>(type);
  const unsigned bits = vector ? static_cast<unsigned>(vector.getNumElements()) * vector.getElementTypeBitWidth() : type.getIntOrFloatBitWidth();
  return bits / 8;
}

Value packed(Builder& b, mlir::ValueRange elements) {
  Value vector = LLVM::PoisonOp::create(b, mlir::VectorType::get({static_cast<std::int64_t>(elements.size())}, elements.front().getType()));
  for (auto [i, element] : llvm::enumerate(elements)) vector = LLVM::InsertElementOp::create(b, vector, element, constant(b, static_cast<std::int32_t>(i)));
  return vector;
}

// The instructions take bf16 as 16-bit words.
Value as_operand(Builder& b, mlir::ValueRange elements) {
  Value vector = packed(b, elements);
  if (!elements.front().getType().isBF16()) return vector;
  return LLVM::BitcastOp::create(b, mlir::VectorType::get({static_cast<std::int64_t>(elements.size())}, b.getI16Type()), vector);
}

// Sixteen zero bytes in global memory.
Value address_of_zeros(Builder& b, mlir::Type pointer) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<mlir::ModuleOp>();
  if (!module.lookupSymbol(kZerosName)) {
    const mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    const auto bytes = mlir::RankedTensorType::get({kAccessBytes}, b.getI8Type());
    LLVM::GlobalOp::create(b, LLVM::LLVMArrayType::get(b.getI8Type(), kAccessBytes), /*isConstant=*/true, LLVM::Linkage::Internal, kZerosName,
                           mlir::DenseElementsAttr::get(bytes, b.getI8IntegerAttr(0)), /*alignment=*/kAccessBytes, kGlobalSpace);
  }
  const auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace);
  Value address = LLVM::AddressOfOp::create(b, global, kZerosName);
  return pointer == global ? address : LLVM::AddrSpaceCastOp::create(b, pointer, address).getResult();
}

// Whether all bits are 0, as far as they are defined.
bool is_zero(Value value) {
  mlir::Attribute attribute;
  if (mlir::matchPattern(value, mlir::m_Constant(&attribute))) {
    if (auto integer = llvm::dyn_cast<mlir::IntegerAttr>(attribute)) return integer.getValue().isZero();
    if (auto real = llvm::dyn_cast<mlir::FloatAttr>(attribute)) return real.getValue().isPosZero();
    return false;
  }
  if (value.getDefiningOp<LLVM::PoisonOp>()) return true;
  auto insert = value.getDefiningOp<LLVM::InsertElementOp>();
  return insert && is_zero(insert.getValue()) && is_zero(insert.getVector());
}

// A fence of the block that concerns shared memory alone, so that accesses to global memory stay in flight.
void shared_fence(Builder& b, LLVM::AtomicOrdering ordering) {
  auto fence = LLVM::FenceOp::create(b, ordering, "workgroup");
  fence->setAttr(LLVM::LLVMDialect::getMmraAttrName(), LLVM::MMRATagAttr::get(b.getContext(), "amdgpu-synchronize-as", "local"));
}

// The control word of a DPP move that brings each lane the value of lane ^ mask; 0: there is none.
std::uint32_t dpp_control(MatrixFamily family, int mask) {
  if (mask < 4) {  // quad_perm: two bits for each of four lanes
    std::uint32_t control = 0;
    for (int lane = 0; lane < 4; ++lane) control |= static_cast<std::uint32_t>(lane ^ mask) << (2 * lane);
    return control;
  }
  if (mask == 7) return 0x141;   // row_half_mirror
  if (mask == 15) return 0x140;  // row_mirror
  if (mask == 8) return 0x128;   // row_ror:8
  if (mask < 16 && family == MatrixFamily::Wmma) return 0x160 | static_cast<std::uint32_t>(mask);  // row_xmask
  return 0;
}

}  // namespace

void AmdGpu::register_dialects(mlir::DialectRegistry& registry) const { registry.insert<ROCDL::ROCDLDialect>(); }

std::optional<gpu::MatrixInstruction> AmdGpu::matrix_instruction(const gpu::DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const {
  const gpu::MatrixInstruction& instruction = amd::matrix_instruction(target_.matrices);
  if (!(elements.left.isF16() || elements.left.isBF16()) || !elements.acc.isF32() || m < instruction.m || n < instruction.n || k < instruction.k) return std::nullopt;
  return instruction;
}

llvm::SmallVector<mlir::Value> AmdGpu::multiply(Builder& b, const gpu::MatrixInstruction&, mlir::ValueRange a, mlir::ValueRange b_elements, mlir::ValueRange acc) const {
  const bool is_f16 = a.front().getType().isF16();
  Value left = as_operand(b, a), right = as_operand(b, b_elements), sum = packed(b, acc);
  const mlir::Type type = sum.getType();
  Value result;
  if (target_.matrices == MatrixFamily::Mfma) {
    Value none = constant(b, 0);  // no broadcast or permutation of blocks
    const llvm::SmallVector<Value> operands = {left, right, sum, none, none, none};
    if (is_f16) result = ROCDL::mfma_f32_16x16x16f16::create(b, type, operands);
    else result = ROCDL::mfma_f32_16x16x16bf16_1k::create(b, type, operands);
  } else {
    if (is_f16) result = ROCDL::wmma_f32_16x16x16_f16::create(b, type, left, right, sum);
    else result = ROCDL::wmma_f32_16x16x16_bf16::create(b, type, left, right, sum);
  }
  llvm::SmallVector<Value> sums;
  for (std::size_t i = 0; i < acc.size(); ++i) sums.push_back(LLVM::ExtractElementOp::create(b, result, constant(b, static_cast<std::int32_t>(i))));
  return sums;
}

mlir::Value AmdGpu::thread_id(Builder& b) const { return ROCDL::ThreadIdXOp::create(b, b.getI32Type()); }

mlir::Value AmdGpu::program_id(Builder& b, int axis) const {
  const mlir::Type i32 = b.getI32Type();
  Value id = axis == 0 ? ROCDL::BlockIdXOp::create(b, i32).getResult() : axis == 1 ? ROCDL::BlockIdYOp::create(b, i32).getResult() : ROCDL::BlockIdZOp::create(b, i32).getResult();
  return arith::ExtUIOp::create(b, b.getI64Type(), id);
}

// The hidden arguments behind a kernel's own begin with the block counts, one i32 an axis.
mlir::Value AmdGpu::num_programs(Builder& b, int axis) const {
  const auto pointer = LLVM::LLVMPointerType::get(b.getContext(), kConstantSpace);
  Value hidden = LLVM::CallIntrinsicOp::create(b, pointer, b.getStringAttr("llvm.amdgcn.implicitarg.ptr"), mlir::ValueRange{}).getResult(0);
  Value address = LLVM::GEPOp::create(b, pointer, b.getI32Type(), hidden, LLVM::GEPArg(axis));
  Value count = LLVM::LoadOp::create(b, b.getI32Type(), address, /*alignment=*/4, /*isVolatile=*/false, /*isNonTemporal=*/false, /*isInvariant=*/true);
  return arith::ExtUIOp::create(b, b.getI64Type(), count);
}

void AmdGpu::barrier(Builder& b) const {
  shared_fence(b, LLVM::AtomicOrdering::release);
  ROCDL::SBarrierOp::create(b);
  shared_fence(b, LLVM::AtomicOrdering::acquire);
}

// Lanes of a wave are in step; what remains is that memory operations keep their order.
void AmdGpu::warp_barrier(Builder& b) const {
  const auto fence = [&](LLVM::AtomicOrdering ordering) { LLVM::FenceOp::create(b, ordering, "wavefront"); };
  fence(LLVM::AtomicOrdering::release);
  LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.amdgcn.wave.barrier"), mlir::ValueRange{});
  fence(LLVM::AtomicOrdering::acquire);
}

void AmdGpu::memory_barrier(Builder& b) const {
  LLVM::FenceOp::create(b, LLVM::AtomicOrdering::release, "workgroup");
  ROCDL::SBarrierOp::create(b);
  LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acquire, "workgroup");
}

mlir::Value AmdGpu::shuffle(Builder& b, Value word, Value lane) const {
  Value byte = arith::ShLIOp::create(b, lane, constant(b, 2));
  return ROCDL::DsBpermuteOp::create(b, b.getI32Type(), byte, word);
}

mlir::Value AmdGpu::shuffle_xor(Builder& b, Value word, int mask) const {
  constexpr int kSwizzleLanes = 32, kAllRows = 0xf;
  if (const std::uint32_t control = dpp_control(target_.matrices, mask); control != 0) {
    Value old = LLVM::PoisonOp::create(b, b.getI32Type());
    return ROCDL::DPPUpdateOp::create(b, b.getI32Type(), old, word, control, kAllRows, kAllRows, /*boundCtrl=*/true);
  }
  if (mask < kSwizzleLanes) return ROCDL::DsSwizzleOp::create(b, b.getI32Type(), word, constant(b, mask << 10 | (kSwizzleLanes - 1)));
  Value lane = arith::AndIOp::create(b, thread_id(b), constant(b, target_.lanes - 1));
  return shuffle(b, word, arith::XOrIOp::create(b, lane, constant(b, mask)));
}

// Without branches: a lane that does not take part reads zeros.
mlir::Value AmdGpu::load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const {
  if (!predicate) return LLVM::LoadOp::create(b, type, address, bytes_of(type));
  Value from = LLVM::SelectOp::create(b, predicate, address, address_of_zeros(b, address.getType()));
  Value loaded = LLVM::LoadOp::create(b, type, from, bytes_of(type));
  return !other || is_zero(other) ? loaded : arith::SelectOp::create(b, predicate, loaded, other).getResult();
}

void AmdGpu::store(Builder& b, Value value, Value address, Value predicate) const {
  const mlir::OpBuilder::InsertionGuard guard(b);
  if (predicate) {
    auto branch = scf::IfOp::create(b, predicate, /*withElseRegion=*/false);
    b.setInsertionPointToStart(&branch.getThenRegion().front());
  }
  LLVM::StoreOp::create(b, value, address, bytes_of(value.getType()));
}

// Through registers, at once. Bytes behind the source's are read with it, which do no harm inside an aligned access, and are masked.
void AmdGpu::copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const {
  constexpr int kWord = 4;
  const mlir::Type i32 = b.getI32Type();
  const mlir::Type type = bytes == kWord ? i32 : mlir::Type(mlir::VectorType::get({bytes / kWord}, i32));
  const auto keep = [&](Value value) { LLVM::StoreOp::create(b, value, shared, static_cast<unsigned>(bytes)); };
  if (!source_bytes) return keep(load(b, type, global, {}, {}));
  const auto more_than = [&](int count) { return arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, source_bytes, constant(b, count)).getResult(); };
  Value loaded = load(b, type, global, more_than(0), {});
  Value bits = arith::ShLIOp::create(b, arith::AndIOp::create(b, source_bytes, constant(b, kWord - 1)), constant(b, 3));
  Value mask = arith::SubIOp::create(b, arith::ShLIOp::create(b, constant(b, 1), bits), constant(b, 1));
  llvm::SmallVector<Value> words;
  for (int first = 0; first < bytes; first += kWord) {
    Value word = bytes == kWord ? loaded : LLVM::ExtractElementOp::create(b, loaded, constant(b, first / kWord)).getResult();
    Value part = arith::SelectOp::create(b, more_than(first), arith::AndIOp::create(b, word, mask), constant(b, 0));
    words.push_back(arith::SelectOp::create(b, more_than(first + kWord - 1), word, part));
  }
  keep(bytes == kWord ? words.front() : packed(b, words));
}

mlir::Value AmdGpu::elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const {
  if (!result.isF32()) return {};
  if (llvm::isa<mlir::math::Exp2Op>(op)) return ROCDL::ROCDLExp2::create(b, result, operands.front());
  if (llvm::isa<mlir::math::RsqrtOp>(op)) return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr("llvm.amdgcn.rsq.f32"), operands).getResult(0);
  return {};
}

void AmdGpu::report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const {
  auto branch = scf::IfOp::create(b, failed, /*withElseRegion=*/false);
  const mlir::OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&branch.getThenRegion().front());
  Value address = LLVM::IntToPtrOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace), board);
  LLVM::StoreOp::create(b, constant(b, number + 1), address, /*alignment=*/4, /*isVolatile=*/true);
}

}  // namespace tilewright::amd
