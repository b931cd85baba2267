// The code generator of the CPU target: one kernel of the tile dialect to vector code on scratch memory.
//
// Every tile is either *inline* or in a *buffer*. An inline tile is an expression, evaluated at the coordinates where it is used (elementwise
// arithmetic, broadcasts, loads with one reader). A buffered tile is computed by a loop nest at its definition. The plan (plan.h) decides which.
// A loop nest runs over the extents of the tile; along its last extent other than 1 it moves by whole vectors.
//
// f16 and bf16 tiles are held as f32 values that the narrow type can represent: widening costs nothing, narrowing is a rounding.
//
// The emitted function has the calling convention of runtime/artifact.h. One idea a file: expression.cpp evaluates, nest.cpp loops, memory.cpp
// loads and stores, atomic.cpp, dot.cpp, reduce.cpp, order.cpp the operations of their names, control.cpp loops and branches, prefetch.cpp
// what the next iteration of a loop will load.
#pragma once

#include "compiler/ir/TileOps.h"
#include "compiler/targets/cpu/cpu_target.h"
#include "compiler/targets/cpu/lowering/buffers.h"
#include "compiler/targets/cpu/lowering/plan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tilewright::cpu {

// A coordinate along one dimension of a tile: one number for all lanes, consecutive numbers from a scalar, or a number a lane.
struct Coord {
  enum Kind { Uniform, Consecutive, PerLane };
  Kind kind = Uniform;
  mlir::Value value;  // i64; PerLane: vector<lanes x i64>
};
using Coords = llvm::SmallVector<Coord, 4>;

bool varies(const Coords& at);                           // from lane to lane
Coords without(const Coords& at, std::int64_t axis);

// The last axis whose extent is not 1, other than `except`; -1: there is none. Vectors run along it.
std::int64_t last_extended_axis(llvm::ArrayRef<std::int64_t> shape, std::int64_t except = -1);

// The value of a tile at some coordinates: a scalar when it is the same in every lane.
struct Lanes {
  mlir::Value value;
  bool uniform = true;
};

struct ViewParts {
  mlir::Value base;  // !llvm.ptr
  llvm::SmallVector<mlir::Value, 4> sizes, strides;  // i64
  mlir::Type element;
  bool unit_inner_stride = false;
};

class Emitter {
 public:
  Emitter(mlir::func::FuncOp source, const CpuTarget& target);

  // Emits the function in the place of `source`, under its name, and returns the bytes of scratch it needs.
  mlir::FailureOr<std::int64_t> run();

  // What runs element by element rather than by vectors, and why; "file:line:column: text".
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  using Value = mlir::Value;
  using Body = llvm::function_ref<void(Value)>;

  // ---- control.cpp
  void emit_block(mlir::Block& block);  // without its terminator
  void emit_operation(mlir::Operation* op);
  void emit_scalar(mlir::Operation* op);
  void emit_tile(mlir::Operation* op);
  void emit_narrow(tile::NarrowOp op);
  void emit_for(mlir::scf::ForOp op);
  void emit_if(mlir::scf::IfOp op);
  void emit_while(mlir::scf::WhileOp op);
  void emit_assert(tile::AssertOp op);
  void bind_arguments();
  // Carried tiles live in one buffer a loop argument; carried scalars are carried by the emitted loop.
  llvm::SmallVector<Value> carry_in(mlir::ValueRange inits, mlir::ValueRange arguments);
  llvm::SmallVector<Value> carry_back(mlir::ValueRange yields, mlir::ValueRange arguments);
  void hint_yields(mlir::ValueRange yields, mlir::ValueRange arguments);
  void bind_scalars(mlir::ValueRange values, mlir::ValueRange emitted);

  // ---- expression.cpp
  Lanes evaluate(Value tile, const Coords& at);             // from its buffer, or as an expression
  Lanes evaluate_definition(Value tile, const Coords& at);  // by its defining operation
  Lanes evaluate_load(tile::LoadOp op, const Coords& at);
  Lanes evaluate_reshape(tile::ReshapeOp op, const Coords& at);
  Lanes evaluate_take(tile::TakeOp op, const Coords& at);
  Value scalar(Value source);
  Lanes elementwise(mlir::Operation* op, llvm::ArrayRef<Lanes> operands);
  Lanes read_buffer(Buffer* buffer, mlir::Type element, const Coords& at);
  // Lanes beyond the extent fall into the padding of the buffer's own row, unless keep_neighbours, which masks them.
  void write_buffer(Buffer* buffer, mlir::Type element, const Coords& at, Lanes value, bool keep_neighbours = false);
  Value buffer_address(Buffer* buffer);
  struct BufferAddress {
    Value base;     // of the element at lane 0, or of what the offsets count from
    Value offsets;  // elements, one a lane, where lanes are not consecutive
  };
  BufferAddress address_in(Buffer* buffer, const Coords& at, bool consecutive);

  // ---- conversions.cpp: elementwise operations that LLVM leaves undefined, or that concern the narrow floats
  Value convert(mlir::Operation* op, llvm::ArrayRef<Value> operands, mlir::Type result);  // null: nothing special about op
  Value double_to_odd_float(Value f64);
  Value math_abs(Value x);
  Value round_to(Value f32, mlir::Type narrow);
  Value widen_bits(Value bits, mlir::Type narrow);
  Value narrow_bits(Value rounded, mlir::Type narrow);
  Value divide(mlir::Operation* op, Value x, Value y);
  Value float_to_int(Value x, mlir::Type result, bool is_signed);

  // ---- nest.cpp
  // Calls body at every coordinate of shape, by vectors along the last extent other than 1.
  void for_each(llvm::ArrayRef<std::int64_t> shape, llvm::function_ref<void(const Coords&)> body);
  // The same without `axis` and with lanes along the last extent other than 1 among the rest; body gets coordinates with axis left to it.
  void for_each_but(llvm::ArrayRef<std::int64_t> shape, std::int64_t axis, llvm::function_ref<void(Coords)> body);
  void for_each_scalar(llvm::ArrayRef<std::int64_t> shape, llvm::ArrayRef<std::int64_t> skip, llvm::function_ref<void(Coords)> body);
  void lane_loop(std::int64_t extent, llvm::function_ref<void(Coord)> body);
  void loop(std::int64_t from, std::int64_t to, std::int64_t step, Body body);
  llvm::SmallVector<Value> loop_carrying(std::int64_t from, std::int64_t to, std::int64_t step, mlir::ValueRange inits,
                                         llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  // Emits `nest` twice where it loads or stores: without bounds checks if everything lies inside, with them otherwise.
  void versioned(llvm::ArrayRef<Value> roots, mlir::Operation* store, llvm::function_ref<void()> nest);

  // ---- memory.cpp
  void emit_store(tile::StoreOp op);
  void collect_loads(Value tile, llvm::SmallVectorImpl<tile::LoadOp>& loads);
  Value inside(Value view, mlir::OperandRange indices, llvm::ArrayRef<std::int64_t> maps, llvm::ArrayRef<std::int64_t> shape);
  struct Access {
    Value base;      // !llvm.ptr of the element at lane 0, or of element 0 with offsets a lane
    Value offsets;   // vector of i64 elements, where lanes are not consecutive in memory
    Lanes in_bounds; // i1; no value: certainly
    bool consecutive = false;
    bool uniform = true;
  };
  Access access(const ViewParts& view, mlir::OperandRange indices, llvm::ArrayRef<std::int64_t> maps, const Coords& at, bool check);
  Lanes load_memory(const ViewParts& view, const Access& access, Lanes mask, Lanes other);
  void store_memory(const ViewParts& view, const Access& access, Lanes mask, Lanes value);
  Value load_mask(Value mask);
  Value store_mask(Value mask, mlir::Type memory_element);
  Value lane_offsets_address(Value base, Value offsets, mlir::Type memory_element);

  // ---- atomic.cpp
  void emit_atomic(tile::AtomicOp op);
  // Acts on one element, and gives what it was as it lies in memory. Values are as in registers.
  Value act_atomically(tile::AtomicKind kind, mlir::Type element, Value address, Value value, Value expected);
  Value add_narrow(mlir::Type narrow, Value address, Value value);

  // ---- materialising; materialise.cpp and the operation's own file
  Buffer* materialise(Value tile);                        // at the definition
  void copy_to(Value tile, Buffer* buffer);               // any tile into a buffer of its shape
  Buffer* result_buffer(Value tile);                      // the hinted or a new buffer, and bound to the tile
  void emit_dot(tile::DotOp op);
  void emit_reduce(tile::ReduceOp op);
  void emit_scan(tile::ScanOp op);
  void emit_arg_extreme(Value result, Value input, std::int64_t axis, bool largest, bool is_unsigned);
  void emit_topk(tile::TopKOp op);
  void emit_transpose(tile::TransposeOp op);
  void emit_concat(tile::ConcatOp op);
  void write_elements(mlir::DenseElementsAttr elements, Buffer* buffer);
  void transpose_lanes(llvm::SmallVectorImpl<Value>& rows);

  // ---- dot.cpp
  struct Matrix {  // a dot operand in scratch: address of element (0,0), element strides
    Value address;
    Value row_stride, column_stride;
    mlir::Type element;
  };
  Matrix dot_operand(Value tile, Value batch);
  struct DotBlock {  // one block of the accumulator
    tile::DotOp op;
    Matrix a, b;
    Buffer* out;
    Value batch, row, column;  // no batch: null
    std::int64_t rows, columns, depth;
  };
  void dot_block(DotBlock block);
  llvm::SmallVector<Value> temporaries_;  // operands copied for the dot being emitted

  // ---- prefetch.cpp
  struct NextTile {  // rows of consecutive elements that the next iteration loads
    Value address, row_stride;
    mlir::Type element;  // in memory
    std::int64_t rows = 1, elements = 1;
  };
  struct NextTiles {
    mlir::Block* body = nullptr;  // of the loop
    llvm::SmallVector<NextTile> tiles;
  };
  Value in_next_iteration(Value value, mlir::scf::ForOp loop);
  std::optional<NextTile> next_tile(tile::LoadOp load, mlir::scf::ForOp loop);
  NextTiles next_tiles(mlir::scf::ForOp loop);
  void prefetch(const NextTile& tile, Value part, std::int64_t parts);  // one of `parts` shares of its lines
  NextTiles next_tiles_;  // of the loop being emitted, until a dot has asked for them

  // ---- reduce.cpp
  llvm::SmallVector<Value> combine(tile::ReduceKind kind, mlir::Region& region, llvm::ArrayRef<Value> left, llvm::ArrayRef<Value> right);
  llvm::SmallVector<Value> combine_lanes(tile::ReduceKind kind, mlir::Region& region, llvm::SmallVector<Value> values);
  llvm::SmallVector<Buffer*> open_results(mlir::ResultRange results);
  void close_results(mlir::ResultRange results, llvm::ArrayRef<Buffer*> buffers);
  Value first_lane(Value vector);
  Value identity(tile::ReduceKind kind, mlir::Type type);

  // ---- order.cpp
  Value ranks_before(Value x, Value y, bool largest, bool is_unsigned);  // by value alone, NaN last
  Value sort_key(Value x, bool largest, bool is_unsigned);
  void topk_narrow(tile::TopKOp op, Coords at, Buffer* values, Buffer* indices, Buffer* keys);
  void topk_wide(tile::TopKOp op, Coords at, Buffer* values, Buffer* indices);

  // ---- small helpers; nest.cpp
  static std::uint32_t size_in_bytes(mlir::Type element) { return (element.getIntOrFloatBitWidth() + 7) / 8; }
  mlir::Type memory_type(mlir::Type element) const;   // in a tensor: i1 as i8, narrow floats as i16
  mlir::Type scratch_type(mlir::Type element) const;  // in scratch: i1 as i8, narrow floats as f32
  mlir::Type register_type(mlir::Type element) const; // narrow floats as f32
  mlir::Type with_lanes(mlir::Type element) const;
  Value splat(Value scalar);
  Value as_vector(Lanes lanes) { return lanes.uniform ? splat(lanes.value) : lanes.value; }
  Value i64(std::int64_t value);
  Value i32(std::int32_t value);
  Value step_vector();  // 0, 1, 2, … as i64
  Value constant_like(mlir::Type type, double value);
  Value int_like(mlir::Type type, std::int64_t value);
  Value valid_mask();   // lanes inside the extent, in the last vector of a row; no value when all are
  Value lane_positions(const Coord& coord);
  Value gep(Value base, Value offset, mlir::Type element);
  Value load_vector(Value address, mlir::Type memory_element, Value mask, Value pass_through);
  Value and_(Value a, Value b) { return !a ? b : !b ? a : and_values(a, b); }
  Value and_values(Value a, Value b);
  bool fail(mlir::Operation* op, const llvm::Twine& message);
  void remark(mlir::Operation* op, llvm::StringRef text);

  static mlir::RankedTensorType tile_type(Value tile) { return llvm::dyn_cast<mlir::RankedTensorType>(tile.getType()); }

  mlir::func::FuncOp source_;
  const CpuTarget& target_;
  Plan plan_;
  BufferArena arena_;
  mlir::ImplicitLocOpBuilder b_;
  bool failed_ = false;
  std::vector<std::string> remarks_;
  int messages_ = 0;  // of assertions, as globals

  int lanes_;                 // of the vectors of the nest being emitted
  std::int64_t valid_lanes_;  // of the vector being emitted
  bool check_bounds_ = true;  // in the version being emitted

  Value arguments_, program_id_, num_programs_, scratch_;
  Value always_;  // an i1 that is true, which LLVM does not know
  llvm::DenseMap<Value, Value> scalars_;
  llvm::DenseMap<Value, ViewParts> views_;
  llvm::DenseMap<Value, Buffer*> buffers_;
  llvm::DenseMap<Value, Buffer*> hints_;
};

}  // namespace tilewright::cpu
