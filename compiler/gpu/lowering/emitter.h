// The code generator of the GPU level: one kernel over tiles with layouts to code of one thread.
//
// A tile becomes the registers that its layout gives a thread, each an SSA value of the element's type. Registers in which no thread holds an element are poison. Scalars are the
// same in all threads. Loops and branches carry registers in place of tiles; they are uniform, since only scalars steer them, so every thread meets every barrier.
//
// The emitted function takes the slots of runtime/artifact.h as i64 parameters. What it touches in shared memory are buffers (tile_gpu.buffer), each access marked with its own; where
// buffers lie, and where threads wait for each other, passes say that follow. One idea a file: control.cpp walks, index.cpp computes coordinates, memory.cpp loads and stores, convert.cpp moves tiles between layouts,
// and the other operations are in files of their names.
#pragma once

#include "compiler/gpu/access.h"
#include "compiler/gpu/ir/TileGpuDialect.h"
#include "compiler/gpu/marker.h"
#include "compiler/gpu/target.h"
#include "compiler/layout/conversion.h"
#include "compiler/layout/index_expression.h"
#include "compiler/layout/queries.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tilewright::gpu {

using Registers = llvm::SmallVector<mlir::Value>;

struct ViewParts {
  mlir::Value base;                                   // !llvm.ptr<1>
  llvm::SmallVector<mlir::Value, 4> sizes, strides;  // i64
  mlir::Type element;
};

class Emitter {
 public:
  Emitter(mlir::func::FuncOp source, const GpuTarget& target, int warps);

  // Emits the function in the place of `source`, under its name, and erases `source`.
  mlir::LogicalResult run();

  int launch_warps() const { return consumer_warps() + producer_warps_; }
  int team_warps() const { return teams_ == 0 ? 0 : warps_; }  // 0: there are no teams
  // Kernel arguments whose boxes are copied, with the extents of the box; in the order of the parameters that stand behind the others.
  struct BoxMap {
    unsigned argument = 0;
    llvm::SmallVector<std::int64_t> box;
    friend bool operator==(const BoxMap&, const BoxMap&) = default;
  };
  llvm::ArrayRef<BoxMap> maps() const { return maps_; }
  const std::vector<std::string>& assertions() const { return assertions_; }
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  using Value = mlir::Value;
  using Layout = layout::Layout;

  // ---- control.cpp
  void bind_arguments(mlir::func::FuncOp function);
  void emit_block(mlir::Block& block);  // without its terminator
  void emit_operation(mlir::Operation* op);
  void emit_for(mlir::scf::ForOp op);
  void emit_if(mlir::scf::IfOp op);
  void emit_while(mlir::scf::WhileOp op);
  void emit_assert(tile::AssertOp op);
  void emit_narrow(tile::NarrowOp op);
  Registers flattened(mlir::ValueRange values);                            // scalars and the registers of tiles, in order
  void bind_flattened(mlir::ValueRange values, mlir::ValueRange emitted);  // the other way round
  llvm::SmallVector<mlir::Type> flattened_types(mlir::ValueRange values);

  // ---- elementwise.cpp
  void emit_elementwise(mlir::Operation* op);
  void emit_generator(mlir::Operation* op);  // constant, splat, arange
  void emit_rearranged(mlir::Operation* op);  // reshape, broadcast, transpose: the same registers under other coordinates
  Value elementwise(mlir::Operation* op, mlir::ValueRange operands, mlir::Type result);
  Value divide(mlir::Operation* op, Value x, Value y);

  // ---- index.cpp
  Value coordinate(const Layout& layout, int axis, int reg);       // i32, of the element that a register of this thread holds
  Value bounded_coordinate(const Layout& layout, int axis, int reg);  // the last coordinate of the tile where the register is outside
  Value evaluate(const layout::IndexExpression& expression, int reg);  // i32
  // The same as a number, null for 0, plus a constant that address arithmetic can take up; of a register's constant only what meets bits of the thread is in the number, so that registers share it.
  // That keeps few numbers for long: right for tiles that stay in memory, not where registers are short and every address is used once.
  struct Position {
    Value variable;
    std::int64_t constant;
  };
  Position position(const layout::IndexExpression& expression, int reg);
  Value xored(const layout::IndexExpression::Word& word, std::uint32_t constant);
  Value digits_part(const layout::IndexExpression& expression);
  Value thread_part(const layout::IndexExpression& expression);        // i32; the part that is the same for all registers
  Value inside(const Layout& layout, const layout::Bounds& bounds, int reg);  // i1, whether the register holds an element; null: in every thread
  Value owned(const Layout& layout);                                          // i1, whether this thread's elements are its own; null: in every thread
  void enter_if(Value condition);                                             // what is emitted next runs where it holds; null: everywhere
  // Registers of `to` and the register of `from` that is at the same coordinates in every thread, along the axes given as pairs (axis of to, axis of from).
  std::vector<int> matching_registers(const Layout& to, const Layout& from, llvm::ArrayRef<std::pair<int, int>> axes);

  // ---- memory.cpp
  struct Access;          // where the elements of one load or store are
  struct RunningAddress;  // of one run after the other
  void emit_load(tile::LoadOp op);
  void emit_store(tile::StoreOp op);
  // Where something written to a tensor is loaded, or written over, what one thread does there is ordered with what others do by a barrier before `op`.
  void order_memory(mlir::Operation* op, Value view);
  void meet_for_memory();  // all threads of the block, or of the role
  Access open_access(const AccessShape& shape, const Layout* layout);
  Value address(Access& access, int reg);
  Value next_address(Access& access, RunningAddress& running, int reg);
  Value tile_inside(const Access& access);
  void copy_runs(tile_gpu::CopyAsyncOp op, Access& access, const layout::IndexExpression& offsets, Value tile, bool whole);
  Value in_bounds(Access& access, int reg);
  Registers load_registers(tile::LoadOp op, Access& access, int width);
  void store_registers(tile::StoreOp op, Access& access, int width);

  // ---- atomic.cpp
  void emit_atomic(tile::AtomicOp op);
  void emit_scalar_atomic(tile::AtomicOp op);
  void emit_fence(tile::FenceOp op);
  bool emit_atomic_runs(tile::AtomicOp op, Access& access, RunningAddress& start);
  Value act(tile::AtomicOp op, Value value, Value address, Value expected, Value predicate);

  // ---- staging.cpp: tiles that stay in shared memory
  void emit_alloc(tile_gpu::AllocOp op);
  void emit_copy_async(tile_gpu::CopyAsyncOp op);
  void emit_commit();
  void emit_wait(tile_gpu::WaitOp op);
  void emit_local_load(tile_gpu::LocalLoadOp op);
  // Reads the tile of `shape` at an address; `turn` as in AccessAttr.
  void read_shared_tile(mlir::Operation* op, llvm::ArrayRef<std::int64_t> shape, Value tile, bool transposed, std::int64_t turn);
  void write_shared_tile(mlir::Operation* op, Value value, Value tile);
  void emit_local_store(tile_gpu::LocalStoreOp op);
  void end_turn(mlir::scf::ForOp loop);  // of the tiles that the loop uses in turns
  Value shared_tile(Value shared, Value slot);  // address of one of the tiles
  std::int64_t staged_bytes(mlir::Operation* at);  // of tiles that are in shared memory there
  using Loader = std::function<void(Registers&, int)>;  // brings a register, and others with it
  Value fetch(Value tile, int reg);                     // a register of a tile that may not have been loaded yet

  // ---- convert.cpp
  void emit_convert(tile_gpu::ConvertLayoutOp op);
  Registers convert(Registers registers, const Layout& from, const Layout& to, mlir::Type element);
  Registers convert_by_shuffles(const Registers& registers, const layout::ConversionPlan& plan, const Layout& to, mlir::Type element);
  std::int64_t exchange_inside_warps(const layout::SharedPlan& plan, const Layout& from, const Layout& to, std::int64_t size);  // its number, or 0
  Registers convert_by_memory(const Registers& registers, const layout::ConversionPlan& plan, const Layout& from, const Layout& to, mlir::Type element);
  Value choose(const layout::ThreadChoice& choice, llvm::function_ref<Value(int)> value);
  Registers shuffled(const Registers& elements, llvm::function_ref<Value(Value)> shuffle);  // any element types, as words

  // ---- reduce.cpp
  using Combine = llvm::function_ref<Registers(mlir::ValueRange, mlir::ValueRange)>;
  void emit_reduce(tile::ReduceOp op);
  void emit_arg_extreme(mlir::Operation* op, bool largest, bool is_unsigned);
  using AcrossLanes = std::function<Value(Value)>;  // combines the parts of all lanes at once; null from it, or none: not possible
  AcrossLanes across_lanes(tile::ReduceOp op);
  // Reduces tiles of one layout along an axis; `identity` gives a neutral element for each, or is empty.
  std::vector<Registers> reduce(llvm::ArrayRef<Registers> tiles, const Layout& layout, int axis, llvm::ArrayRef<Value> identity, Combine combine, const AcrossLanes& across = {});
  Registers combine(tile::ReduceKind kind, mlir::Region& region, mlir::ValueRange left, mlir::ValueRange right);
  Value identity(tile::ReduceKind kind, mlir::Type element);  // null: none
  // Narrow floats are combined in f32 and rounded once, but by combiners of the author.
  Registers widened_for(tile::ReduceKind kind, Registers tile);
  Registers rounded_after(Registers tile, mlir::Type element);

  // ---- dot.cpp
  void emit_dot(tile::DotOp op);
  void emit_matrix_dot(tile::DotOp op, const MatrixInstruction& instruction);
  void emit_scalar_dot(tile::DotOp op);

  // ---- group_dot.cpp
  void emit_group_dot(tile_gpu::GroupDotOp op);
  void emit_group_wait(tile_gpu::GroupWaitOp op);
  // Marks what touches operands of a product that were written to shared memory: barriers and not signals order that.
  void touch_stored(tile_gpu::GroupDotOp op, llvm::function_ref<void()> emit);

  // ---- roles.cpp
  struct Channel {
    Value base;                       // address of the tiles
    std::int64_t full = 0, free = 0;  // of the first signal of each kind, from there
    Value next, phase;                           // !llvm.ptr, variables of this thread: the tile whose turn it is, and its phase
  };
  struct Turns {
    Value base;   // address of the signals, one for each group: it may take its next turn
    Value phase;  // !llvm.ptr, a variable of this thread: of the next turn
  };
  void number_maps();
  void emit_channel(tile_gpu::ChannelOp op);
  void emit_roles(tile_gpu::RolesOp op);
  void emit_turns(tile_gpu::TurnsOp op);
  void emit_take_turn(tile_gpu::TakeTurnOp op);
  void emit_pass_turn(tile_gpu::PassTurnOp op);
  void touch_turns(Value base, bool takes, llvm::function_ref<void()> emit);
  void emit_send(tile_gpu::SendOp op);
  void emit_send_tile(tile_gpu::SendTileOp op);
  Value box_coordinate(Value index);  // i32
  BoxCopy box_copy(mlir::Operation* op, const ViewParts& view, mlir::ValueRange indices, llvm::SmallVector<std::int64_t> box);  // without what it is copied to or from in shared memory

  // ---- copies_out.cpp
  void emit_copy_out(tile_gpu::CopyOutOp op);
  void wait_for_copies_out();  // until all that the one who issues them has begun have read shared memory

  void emit_channel_load(tile_gpu::ChannelLoadOp op);
  void emit_channel_element(tile_gpu::ChannelElementOp op);
  void emit_receive(tile_gpu::ReceiveOp op);
  void emit_release(tile_gpu::ReleaseOp op);
  std::pair<Value, Value> take_turn(Value channel);  // slot and phase, i32
  Value signal(const Channel& channel, std::int64_t signals, Value slot);
  Value channel_tile(Value channel, Value slot);
  static std::int64_t slot_bytes(tile_gpu::ChannelType type);
  int groups() const { return std::max(1, warps_ / GroupProduct().warps); }  // of the consumers
  int consumer_warps() const { return warps_ * std::max(1, teams_); }
  void enter_team(Value first_warp);  // what is emitted next is done by teams, from that warp of the block on
  void team_barrier();
  Value is_first_thread();  // i1, of those that work together here
  Value of_team(Value base);  // of a buffer that every team has: where this team's is

  // ---- scan.cpp, order.cpp, gather.cpp
  void emit_scan(tile::ScanOp op);
  // Scans tiles of one layout, which counts_in_order(), along an axis; `identity` as in reduce().
  std::vector<Registers> scan(llvm::ArrayRef<Registers> tiles, const Layout& layout, int axis, bool reverse, llvm::ArrayRef<Value> identity, Combine combine);
  void emit_topk(tile::TopKOp op);
  void emit_sorted_in_warp(tile::TopKOp op, const Layout& sorted);
  void emit_ranked(tile::TopKOp op);
  void emit_sorted(tile::TopKOp op, std::int64_t padded);
  Value order_key(Value element, bool is_unsigned, bool descending);  // an unsigned integer of the element's width
  void emit_take(tile::TakeOp op);
  void emit_concat(tile::ConcatOp op);
  void emit_slice(tile::SliceOp op);

  // ---- shared.cpp: shared memory; scratch memory of one operation
  // The address of a new buffer that is the operation's own.
  Value open_scratch(std::int64_t bytes);
  // A phase of accesses begins (#tile_gpu.access): what was written to scratch before is seen by every thread, and what was read may be overwritten.
  void publish_scratch();
  Value open_buffer(std::int64_t bytes, std::int64_t tiles, std::int64_t alignment, bool of_teams = false);
  void note(tile_gpu::NoteKind kind, std::optional<std::int64_t> pending = {}, llvm::ArrayRef<std::int64_t> buffers = {});
  // What an operation does to the buffer that an address is in.
  tile_gpu::AccessAttr access_of(tile_gpu::AccessKind kind, Value address, std::int64_t turn = -1);
  Value shared_address(Value base, Value offset, std::int64_t constant_offset = 0);  // bytes
  Value shared_element(Value base, const layout::IndexExpression& offsets, int reg, std::int64_t size);
  void store_shared(Value value, Value address);
  Value load_shared(mlir::Type type, Value address, std::int64_t turn = -1);
  // The offset in bytes of what a register holds, in an array with these strides in elements; i32.
  Value offset_in(llvm::ArrayRef<std::int64_t> strides, llvm::ArrayRef<Value> coordinates, mlir::Type element);
  // The positions first ... first + count - 1 along an axis.
  struct Window {
    int axis;
    std::int64_t first, count;
  };
  // Writes the elements of a tile to scratch at `base`, each once; or those of a window alone, the first of which is at position 0.
  void write_strided(const Registers& registers, const Layout& layout, mlir::Type element, Value base, llvm::ArrayRef<std::int64_t> strides, std::optional<Window> window = {});
  void write_row_major(const Registers& registers, const Layout& layout, mlir::Type element, Value base);
  // A register for each of `layout`, read at the offset in bytes that is given for it; registers that no thread uses are zero.
  Registers read_elements(const Layout& layout, mlir::Type element, Value base, llvm::function_ref<Value(int)> offset);
  static std::int64_t row_major_bytes(const Layout& layout, mlir::Type element);

  // ---- small helpers; emitter.cpp
  const Registers& registers(Value tile);
  Value scalar(Value source);
  void bind(Value tile, Registers registers);
  Value i32(std::int64_t value);
  Value i64(std::int64_t value);
  Value constant(mlir::Type type, std::int64_t value);  // of an integer, or of a float
  Value zero(mlir::Type type);
  Value poison(mlir::Type type);
  Value and_(Value a, Value b);   // null is true
  Value select(Value condition, Value a, Value b);
  Value add(Value a, Value b);
  Value bits_of(Value scalar);                     // as an integer
  Value from_bits(Value bits, mlir::Type type);
  static std::int64_t bytes_of(mlir::Type element);  // in memory; a bool takes one
  mlir::Type memory_type(mlir::Type element);      // a bool is a byte
  Value to_memory(Value scalar);
  Value from_memory(Value value, mlir::Type element);
  bool fail(mlir::Operation* op, const llvm::Twine& message);
  void remark(mlir::Operation* op, llvm::StringRef text) { remark(op->getLoc(), text); }
  void remark(mlir::Location at, llvm::StringRef text);  // once; nothing for an empty text

  static mlir::RankedTensorType tile_type(Value value) { return llvm::dyn_cast<mlir::RankedTensorType>(value.getType()); }
  const Layout& layout_of(Value tile);  // cached

  mlir::func::FuncOp source_;
  const GpuTarget& target_;
  int warps_;
  mlir::ImplicitLocOpBuilder b_;
  bool failed_ = false;
  mlir::Operation* current_ = nullptr;  // of the source
  std::int64_t buffers_ = 0, barriers_ = 0;
  // Of accesses that are emitted now (#tile_gpu.access). What is handed over by signals is volatile, too: no pass takes two reads for one.
  bool apart_ = false;
  bool handed_ = false;
  std::int64_t by_warps_ = 0;
  std::vector<std::tuple<Layout, Layout, std::int64_t>> exchanges_;  // inside of warps: layouts and bytes of an element
  Marker marker_;       // listens to the builder
  int producer_warps_ = 0;
  int teams_ = 0;  // of the consumers; 0: they are one
  int barrier_warps_ = 0;  // of the role that is emitted; 0: all warps of the block
  llvm::SmallVector<BoxMap> maps_;
  llvm::SmallVector<Value> map_parameters_;
  llvm::DenseMap<mlir::Operation*, unsigned> map_of_;
  llvm::DenseMap<Value, Channel> channels_;
  llvm::DenseMap<Value, Turns> turns_;
  std::vector<std::string> assertions_, remarks_;

  Value lane_, warp_;  // i32
  Value group_;        // i32, the same in all lanes; of warps that multiply together
  Value team_;         // i32, the same in all lanes; null where consumers are no teams, and in the producer. warp_ then is the warp's number in its team
  Value board_;        // i64, where failed assertions are reported
  llvm::DenseMap<Value, Value> scalars_;
  llvm::DenseMap<Value, Registers> tiles_;
  llvm::DenseMap<Value, Loader> loaders_;
  llvm::DenseMap<Value, ViewParts> views_;
  llvm::DenseMap<Value, Value> allocated_;  // addresses of shared tiles
  llvm::DenseMap<mlir::Attribute, std::unique_ptr<Layout>> layouts_;
};

}  // namespace tilewright::gpu
