// The GPU level's questions answered for NVIDIA: fragments of mma.sync, and code for what only this vendor's instructions do.
#pragma once

#include "compiler/gpu/target.h"
#include "compiler/targets/nvidia/nvidia_target.h"

namespace tilewright::nvidia {

class NvidiaGpu final : public gpu::GpuTarget {
 public:
  explicit NvidiaGpu(NvidiaTarget target) : target_(std::move(target)) {}

  std::string name() const override { return target_.name; }
  void register_dialects(mlir::DialectRegistry& registry) const override;
  int lanes() const override { return kWarpSize; }
  std::int64_t max_shared_bytes() const override { return static_cast<std::int64_t>(target_.shared_bytes); }
  Value combine_lanes(Builder& b, tile::ReduceKind kind, Value word) const override;
  int max_warps() const override { return target_.max_threads / kWarpSize; }

  std::optional<gpu::MatrixInstruction> matrix_instruction(const gpu::DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const override;
  llvm::SmallVector<Value> multiply(Builder& b, const gpu::MatrixInstruction& instruction, mlir::ValueRange a, mlir::ValueRange b_elements,
                                    mlir::ValueRange acc) const override;

  Value thread_id(Builder& b) const override;
  Value program_id(Builder& b, int axis) const override;
  Value num_programs(Builder& b, int axis) const override;
  void barrier(Builder& b) const override;
  void warp_barrier(Builder& b) const override;
  Value shuffle(Builder& b, Value word, Value lane) const override;
  Value shuffle_xor(Builder& b, Value word, int mask) const override;
  Value load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const override;
  void store(Builder& b, Value value, Value address, Value predicate) const override;
  using gpu::GpuTarget::atomic;
  int atomic_run(tile::AtomicKind kind, mlir::Type element) const override;
  void atomic(Builder& b, tile::AtomicKind kind, mlir::ValueRange run, Value address) const override;
  bool has_async_copies() const override { return true; }
  void copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const override;
  void commit_copies(Builder& b) const override;
  void wait_copies(Builder& b, int pending) const override;
  llvm::SmallVector<Value> load_matrices(Builder& b, Value address, bool transposed) const override;
  std::optional<gpu::GroupProduct> group_product(const gpu::DotElements& elements) const override;
  llvm::SmallVector<llvm::SmallVector<Value>> group_multiply(Builder& b, const gpu::GroupMultiply& product) const override;
  int producer_warps(int consumer_warps, gpu::RoleRegisters registers) const override;
  void begin_role(Builder& b, int consumer_warps, gpu::RoleRegisters registers, bool consumes) const override;
  void barrier_of(Builder& b, int warps) const override;
  void team_barrier(Builder& b, int warps) const override;
  void make_signal(Builder& b, Value signal, int arrivals) const override;
  void publish_signals(Builder& b) const override;
  llvm::SmallVector<Value> group_wait(Builder& b, mlir::ValueRange sums, int begun_since) const override;
  void publish_tile(Builder& b) const override;
  void wait_signal(Builder& b, Value signal, Value phase) const override;
  void arrive(Builder& b, Value signal, Value predicate) const override;
  void arrive_expecting(Builder& b, Value signal, std::int64_t bytes) const override;
  void copy_box(Builder& b, const gpu::BoxCopy& copy) const override;
  void copy_box_out(Builder& b, const gpu::BoxCopy& copy, bool adds) const override;
  void finish_boxes_out(Builder& b) const override;
  void wait_boxes_out(Builder& b) const override;
  mlir::DictionaryAttr map_parameter(mlir::MLIRContext* context) const override;
  Value elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const override;
  llvm::StringRef device_scope() const override { return "device"; }
  void report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const override;

 private:
  static const char* float8_name(mlir::Type type);           // as instructions spell the format; null for other types
  bool has_float8() const { return target_.capability >= 89; }  // conversions and products of 8-bit floats

  NvidiaTarget target_;
};

}  // namespace tilewright::nvidia
