// The GPU level's target on the simulated machine: its instructions are calls of Machine::hooks().
#pragma once

#include "compiler/gpu/target.h"
#include "tests/gpu/machine.h"

namespace tilewright::simt {

class SimtTarget final : public gpu::GpuTarget {
 public:
  explicit SimtTarget(const Configuration& configuration) : configuration_(configuration) {}

  std::string name() const override { return configuration_.name; }
  void register_dialects(mlir::DialectRegistry&) const override {}
  int lanes() const override { return configuration_.lanes; }
  std::int64_t max_shared_bytes() const override { return 227 * 1024; }
  int max_warps() const override { return 8; }

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
  bool has_async_copies() const override { return configuration_.has_async_copies; }
  Value atomic(Builder& b, tile::AtomicKind kind, Value value, Value address, Value expected) const override;
  int atomic_run(tile::AtomicKind kind, mlir::Type element) const override;
  void atomic(Builder& b, tile::AtomicKind kind, mlir::ValueRange run, Value address) const override;
  void fence(Builder& b, tile::MemoryOrder order) const override;
  void copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const override;
  void commit_copies(Builder& b) const override;
  void wait_copies(Builder& b, int pending) const override;
  llvm::SmallVector<Value> load_matrices(Builder& b, Value address, bool transposed) const override;
  std::optional<gpu::GroupProduct> group_product(const gpu::DotElements& elements) const override;
  llvm::SmallVector<llvm::SmallVector<Value>> group_multiply(Builder& b, const gpu::GroupMultiply& product) const override;
  llvm::SmallVector<Value> group_wait(Builder& b, mlir::ValueRange sums, int begun_since) const override;
  void barrier_of(Builder& b, int warps) const override;
  void team_barrier(Builder& b, int warps) const override;
  void make_signal(Builder& b, Value signal, int arrivals) const override;
  void wait_signal(Builder& b, Value signal, Value phase) const override;
  void arrive(Builder& b, Value signal, Value predicate) const override;
  void arrive_expecting(Builder& b, Value signal, std::int64_t bytes) const override;
  void copy_box(Builder& b, const gpu::BoxCopy& copy) const override;
  void copy_box_out(Builder& b, const gpu::BoxCopy& copy, bool adds) const override;
  void wait_boxes_out(Builder& b) const override;
  Value elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const override;
  void report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const override;

 private:
  void give(Builder& b, int operand, mlir::ValueRange values, mlir::Type format = {}) const;  // to a matrix instruction
  std::int32_t number_of(const gpu::MatrixInstruction& instruction, const std::string& key) const;
  llvm::SmallVector<Value> multiplied(Builder& b, std::int32_t instruction, std::size_t count, mlir::Type element) const;

  const Configuration& configuration_;
  struct InFlight {
    gpu::GroupMultiply product;
    llvm::SmallVector<Value> sums;  // what stands for them until then
  };
  mutable std::vector<InFlight> in_flight_;
  mutable std::int32_t sites_ = 0;  // places of the code where threads wait, one number each
};

// Calls a function of Machine::hooks(), which is declared where it is not; null for one without a result.
mlir::Value call_hook(mlir::OpBuilder& b, mlir::Location loc, const char* name, mlir::Type result, mlir::ValueRange arguments);

// Machines to test on: "simt32" has warps of 32 lanes, matrix instructions and asynchronous copies, "simt32r" roles beside them; "simt8" has small warps and matrix instructions of its own.
const std::vector<Configuration>& configurations();

}  // namespace tilewright::simt
