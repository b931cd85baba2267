// What the neutral GPU level asks of a vendor's target: facts for choosing layouts, and code for what only the vendor's instructions do.
#pragma once

#include "compiler/ir/TileOps.h"
#include "compiler/layout/linear_map.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tilewright::tile_gpu {
class GroupDotOp;
}

namespace tilewright::gpu {

// What a product is of; 8-bit floats by their format, though their bits are i8.
struct DotElements {
  mlir::Type left, right, acc;
  static DotElements of(tile::DotOp dot) { return {dot.getAElement(), dot.getBElement(), dot.getAcc().getType().getElementType()}; }
  static DotElements of(tile_gpu::GroupDotOp dot);
};

// An instruction of one warp that adds the product of an m x k and a k x n matrix to an m x n accumulator. Each map takes "register" and "lane" to "dim0" and
// "dim1" of its matrix; registers count elements, not machine words.
struct MatrixInstruction {
  std::string name;
  int m = 0, n = 0, k = 0;
  layout::LinearMap a, b, acc;
};

// Products of m x k and k x n matrices by a group of consecutive warps, which reads operands from shared memory itself. Warp i of a group holds rows 16 i ... 16 i + 15 of the accumulator in
// the fragments of the MatrixInstruction for these elements, and of a left operand that is in registers.
struct GroupProduct {
  int warps = 4;
  int m = 64, k = 16;           // of one instruction
  int max_n = 256;              // a multiple of 8
  int max_n_beside_left = 256;  // where the left operand stays in registers around the loop, since its rows are no multiples of row_bytes
  int max_accumulators = 200;   // elements of a thread, of all products of a loop, where one of them is begun a turn ahead
  int max_together = 216;       // the same where products of a turn are begun together
  int row_bytes = 128;          // of operands in shared memory (shared_tiles.h): the rows of their columns
  bool along_depth = false;     // operands in shared memory have to have the depth along the rows of memory
  int max_box_extent = 256, max_box_rank = 5;  // of what one copy brings to shared memory, along each dimension, and of the tensor that it is from
};

// An operand of a group product in shared memory: a column of `row_bytes` after the other, `rows` each.
struct SharedOperand {
  mlir::Value tile;               // !llvm.ptr<3>, the same in all threads
  std::int64_t rows = 0;          // of the tile in memory
  bool depth_along_rows = false;  // the product's depth runs along the rows of memory, not across
};

// The products of one group: rows and columns by `depth`, one accumulator for each of some blocks of GroupProduct::m rows.
struct GroupMultiply {
  DotElements elements;
  std::int64_t n = 0, depth = 0;
  SharedOperand a, b;                                                 // a without a tile: from registers
  llvm::SmallVector<mlir::Value> a_rows;                              // i32; the first row of each block, in shared memory
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> a_registers;      // of each block, step by step along the depth
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> acc;              // of each block, fragment by fragment; empty: zeros
  bool waits = true;                                                  // else the sums may not be touched before group_wait(); a is in shared memory
};

// A copy of a box of a view to shared memory, or from there.
struct BoxCopy {
  mlir::Value map;                            // what map_parameter() describes, or null
  mlir::Value base;                           // !llvm.ptr<1>, of the view
  mlir::ValueRange sizes, strides;            // i64, of the view
  mlir::Type element;
  llvm::SmallVector<mlir::Value> coordinates;  // i32, of the first element, by the view's dimensions; may lie outside
  llvm::SmallVector<std::int64_t> box;         // extents by the view's dimensions
  mlir::Value shared;                          // !llvm.ptr<3>: rows of the last dimension, as shared tiles lie
  mlir::Value signal;                          // !llvm.ptr<3>: told when the box has arrived; null for one from shared memory
};

// Registers of a thread of each role; 0: the target chooses.
struct RoleRegisters {
  int producer = 0, consumers = 0;
};

// Immutable; code is emitted where the builder stands. Values named word are i32, addresses !llvm.ptr or !llvm.ptr<1> for views and !llvm.ptr<3> for shared memory.
class GpuTarget {
 public:
  using Builder = mlir::ImplicitLocOpBuilder;
  using Value = mlir::Value;

  virtual ~GpuTarget() = default;

  virtual std::string name() const = 0;
  virtual void register_dialects(mlir::DialectRegistry& registry) const = 0;  // those that its code uses beyond arith, math, scf and LLVM
  virtual int lanes() const = 0;  // of a warp
  virtual std::int64_t max_shared_bytes() const = 0;
  virtual int max_warps() const = 0;

  // The instruction for products of these elements that have these extents at least; nullopt: dots are scalar code.
  virtual std::optional<MatrixInstruction> matrix_instruction(const DotElements& elements, std::int64_t m, std::int64_t n, std::int64_t k) const = 0;
  // The accumulator's elements after one such instruction; elements in the order of registers.
  virtual llvm::SmallVector<Value> multiply(Builder& b, const MatrixInstruction& instruction, mlir::ValueRange a, mlir::ValueRange b_elements,
                                            mlir::ValueRange acc) const = 0;

  virtual Value thread_id(Builder& b) const = 0;                    // i32, in the block
  virtual Value program_id(Builder& b, int axis) const = 0;         // i64
  virtual Value num_programs(Builder& b, int axis) const = 0;       // i64
  virtual void barrier(Builder& b) const = 0;                       // of the block; orders shared memory
  virtual void warp_barrier(Builder& b) const = 0;                  // of the warp; orders shared memory
  virtual void memory_barrier(Builder& b) const { barrier(b); }     // orders global memory too
  virtual Value shuffle(Builder& b, Value word, Value lane) const = 0;      // `word` of another lane of the warp; every lane takes part
  virtual Value shuffle_xor(Builder& b, Value word, int mask) const = 0;    // `word` of lane ^ mask
  virtual Value combine_lanes(Builder& b, tile::ReduceKind kind, Value word) const { return {}; }  // of all lanes, in every lane; null: not in one instruction

  // Global memory. `type` is a scalar or a vector of up to 16 bytes, which the address is aligned to; without a predicate (null) the access always takes place.
  // Where the predicate is false the result is `other`, or undefined if that is null.
  virtual Value load(Builder& b, mlir::Type type, Value address, Value predicate, Value other) const = 0;
  virtual void store(Builder& b, Value value, Value address, Value predicate) const = 0;

  // An atomic operation of one thread on an element of global memory, relaxed and at the scope of the device: what was there. `expected` goes with compare_exchange, else it is null.
  virtual Value atomic(Builder& b, tile::AtomicKind kind, Value value, Value address, Value expected) const;

  // The same on a run of neighbours, whose address is aligned to its size, each element by itself; nobody asks what was there. How many make a run at most: a power of two; 1: there is nothing of the kind.
  virtual int atomic_run(tile::AtomicKind kind, mlir::Type element) const { return 1; }
  virtual void atomic(Builder& b, tile::AtomicKind kind, mlir::ValueRange run, Value address) const {}

  // Orders what one thread does, at the scope of the device; with a barrier beside it what the block does.
  virtual void fence(Builder& b, tile::MemoryOrder order) const;

  // Copies from global to shared memory that go on while the threads do other things, and reads of matrices from shared memory by whole warps. Without them tiles go through registers.
  virtual bool has_async_copies() const { return false; }
  // Begins to copy 4, 8 or 16 bytes, of which all but the first `source_bytes` (i32; null: none) become zero; both addresses are aligned to `bytes`. A target may carry it out at once.
  virtual void copy_async(Builder& b, Value shared, Value global, int bytes, Value source_bytes) const {}
  virtual void commit_copies(Builder& b) const {}                 // what this thread has begun since the last time is a group
  virtual void wait_copies(Builder& b, int pending) const {}      // for all of this thread's groups but the last so many
  // Four words a lane, from four matrices of 8 rows of 16 bytes: lane 8 i + r gives the address of row r of matrix i, and word i of lane 4 r + c is the c-th word of row r of matrix i; with
  // `transposed`, of elements of 2 bytes, word i is made of the elements 2 c and 2 c + 1 of column r.
  virtual llvm::SmallVector<Value> load_matrices(Builder& b, Value address, bool transposed) const { return {}; }

  // Roles: warps that hand tiles in shared memory to each other. A signal is 8 bytes of shared memory. It completes a phase when as many threads as it was made for have arrived and all bytes that
  // were announced have come; phases are counted from 0, and waiting for a phase takes its number modulo 2.
  virtual std::optional<GroupProduct> group_product(const DotElements& elements) const { return std::nullopt; }  // nullopt: no roles for these elements
  virtual llvm::SmallVector<llvm::SmallVector<Value>> group_multiply(Builder& b, const GroupMultiply& product) const { return {}; }
  // `sums`: all of one product that does not wait, in any order. Those begun before are complete too; of those begun since, `begun_since` may go on.
  virtual llvm::SmallVector<Value> group_wait(Builder& b, mlir::ValueRange sums, int begun_since) const { return {}; }
  virtual int producer_warps(int consumer_warps, RoleRegisters registers) const { return 1; }                         // of which one thread works
  virtual void begin_role(Builder& b, int consumer_warps, RoleRegisters registers, bool consumes) const {}           // by all threads of the role
  virtual void barrier_of(Builder& b, int warps) const {}                                // of the block's first so many warps
  virtual void team_barrier(Builder& b, int warps) const {}                              // of the thread's team: so many warps, the block's first ones the first team
  virtual void make_signal(Builder& b, Value signal, int arrivals) const {}              // by one thread
  virtual void publish_signals(Builder& b) const {}                                      // by that thread, before a barrier of the block
  virtual void wait_signal(Builder& b, Value signal, Value phase) const {}               // returns at once where the phase, or the one after it, is complete
  virtual void arrive(Builder& b, Value signal, Value predicate) const {}                // where the predicate holds
  virtual void arrive_expecting(Builder& b, Value signal, std::int64_t bytes) const {}   // and announces so many bytes
  virtual void copy_box(Builder& b, const BoxCopy& copy) const {}
  virtual void publish_tile(Builder& b) const {}  // what this thread has written to shared memory is there for the group products and copies of boxes of all that meet it at a barrier
  // From shared memory, or `adds` to what is there, f16, bf16 or f32. Goes on behind finish_boxes_out(), which ends what this thread has begun, until wait_boxes_out(): then all of that has read shared memory.
  virtual void copy_box_out(Builder& b, const BoxCopy& copy, bool adds) const {}
  virtual void finish_boxes_out(Builder& b) const {}
  virtual void wait_boxes_out(Builder& b) const {}
  // Attributes of a parameter that holds what copies of boxes of one view need; null: they need none.
  virtual mlir::DictionaryAttr map_parameter(mlir::MLIRContext* context) const { return {}; }

  // An elementwise operation of `math` or `arith` on scalars in the target's own way; null: the general expansion will do.
  virtual Value elementwise(Builder& b, mlir::Operation* op, mlir::ValueRange operands, mlir::Type result) const = 0;

  virtual llvm::StringRef device_scope() const { return {}; }  // LLVM's name of the scope that all programs of a launch share

  // Stores `number` + 1 at the address in `board` where the condition does not hold.
  virtual void report_assertion(Builder& b, Value board, Value failed, std::int32_t number) const = 0;
};

}  // namespace tilewright::gpu
