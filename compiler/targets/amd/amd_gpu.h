// The GPU level's questions answered for AMD: fragments of MFMA and WMMA, and code for what only this vendor's instructions do.
#pragma once

#include "compiler/gpu/target.h"
#include "compiler/targets/amd/amd_target.h"

namespace tilewright::amd {

class AmdGpu final : public gpu::GpuTarget {
 public:
  explicit AmdGpu(AmdTarget target) : target_(std::move(target)) {}

  std::string name() const override { return target_.name; }
  void register_dialects(mlir::DialectRegistry& registry) const override;
  int lanes() const override { return target_.lanes; }
  std::int64_t max_shared_bytes() const override { return static_cast<std::int64_t>(target_.shared_bytes); }
  int max_warps() const override { return target_.max_threads / target_.lanes; }

  std::optional<gpu::MatrixInstruction> matrix_instruction(const gpu::DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const override;
  llvm::SmallVector<Value> multiply(Builder& b, const gpu::MatrixInstruction& instruction, mlir::ValueRange a, mlir::ValueRange b_elements,
                                    mlir::ValueRange acc) const override;

  Value thread_id(Builder& b) const override;
  Value program_id(Builder& b, int axis) const override;
  Value num_programs(Builder& b, int axis) const override;
  void barrier(Builder& b) const override;
  void warp_barrier(Builder& b) const override;
  void memory_barrier(Builder& b) const override;
  Value shuffle(Builder& b, Value word, Value lane) const override;
  Value shuffle_xor(Builder& b, Value word, int mask) const override;
  Value load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const override;
  void store(Builder& b, Value value, Value address, Value predicate) const override;
  // With WMMA tiles go through registers: the addresses of reads from staged tiles would fill them.
  bool has_async_copies() const override { return target_.matrices == MatrixFamily::Mfma; }
  void copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const override;
  Value elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const override;
  llvm::StringRef device_scope() const override { return "agent"; }
  void report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const override;

 private:
  AmdTarget target_;
};

}  // namespace tilewright::amd
