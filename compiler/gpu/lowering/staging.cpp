// Tiles that stay in shared memory: filled by asynchronous copies, read in the layouts of matrix instructions.
#include "compiler/gpu/dot_layouts.h"
#include "compiler/gpu/lowering/access.h"
#include "compiler/gpu/lowering/remarks.h"
#include "compiler/gpu/shared_tiles.h"
#include "compiler/layout/shape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <limits>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;

namespace {

// The product that alone reads a tile, where nothing before it changes what the tile is read from: copies on the way fill other slots.
tile::DotOp only_product(mlir::Operation* load) {
  if (!load->hasOneUse()) return {};
  auto dot = llvm::dyn_cast<tile::DotOp>(*load->getUsers().begin());
  if (!dot || dot->getBlock() != load->getBlock()) return {};
  for (mlir::Operation* op = load->getNextNode(); op != dot; op = op->getNextNode())
    if (!llvm::isa<tile_gpu::LocalLoadOp, tile_gpu::ChannelLoadOp, tile_gpu::CopyAsyncOp, tile_gpu::CommitOp, tile::LoadOp>(op) && !mlir::isMemoryEffectFree(op)) return {};
  return dot;
}

constexpr const char* kReads = "the tile is read from shared memory";

bool copies_before(mlir::Operation* load, tile::DotOp dot) {
  for (mlir::Operation* op = load->getNextNode(); op != dot; op = op->getNextNode())
    if (llvm::isa<tile_gpu::CopyAsyncOp>(op)) return true;
  return false;
}

}  // namespace

void Emitter::emit_alloc(tile_gpu::AllocOp op) {
  const auto type = op.getType();
  const std::int64_t number = buffers_;
  allocated_[op.getResult()] = open_buffer(tile_bytes(type) * type.getCount(), type.getCount(), kTileAlignment, /*of_teams=*/teams_ != 0);
  if (type.getCount() > 1) note(tile_gpu::NoteKind::Restart, {}, {number});
}

std::int64_t Emitter::staged_bytes(mlir::Operation* at) {
  std::int64_t bytes = 0;
  source_.walk([&](tile_gpu::ChannelOp op) { bytes += channel_bytes(op.getType()); });
  source_.walk([&](tile_gpu::AllocOp op) {
    mlir::Operation* here = op->getBlock()->findAncestorOpInBlock(*at);
    if (!here || here->isBeforeInBlock(op)) return;
    const bool is_used = llvm::any_of(op->getUsers(), [&](mlir::Operation* user) { return !op->getBlock()->findAncestorOpInBlock(*user)->isBeforeInBlock(here); });
    if (is_used) bytes += tile_bytes(op.getType()) * op.getType().getCount();
  });
  return bytes;
}

void Emitter::end_turn(mlir::scf::ForOp loop) {
  llvm::SmallVector<std::int64_t> turning;
  loop.walk([&](tile_gpu::LocalLoadOp op) {
    if (!op.getTurn() || op->getParentOfType<mlir::scf::ForOp>() != loop) return;
    const std::int64_t buffer = access_of(tile_gpu::AccessKind::Load, allocated_[op.getShared()]).getBuffer();
    if (!llvm::is_contained(turning, buffer)) turning.push_back(buffer);
  });
  if (!turning.empty()) note(tile_gpu::NoteKind::Turn, {}, turning);
}

Emitter::Value Emitter::shared_tile(Value shared, Value slot) {
  const auto type = llvm::cast<tile_gpu::SharedType>(shared.getType());
  Value offset = type.getCount() == 1 ? Value() : arith::MulIOp::create(b_, slot, i32(tile_bytes(type))).getResult();
  return shared_address(of_team(allocated_[shared]), offset);
}

// Whether all of a tile lies inside of its view; null where index tiles say where it lies.
Emitter::Value Emitter::tile_inside(const Access& access) {
  Value all;
  for (auto [d, dimension] : llvm::enumerate(access.dimensions)) {
    if (!dimension.each.empty()) return {};
    if (dimension.axis < 0) {
      all = and_(all, arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, dimension.uniform, access.view->sizes[d]));
      continue;
    }
    all = and_(all, arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, dimension.low, i32(0)));
    all = and_(all, arith::CmpIOp::create(b_, arith::CmpIPredicate::sge, dimension.extent, i32(access.layout->extents()[dimension.axis])));
  }
  return all;
}

void Emitter::emit_copy_async(tile_gpu::CopyAsyncOp op) {
  const auto type = llvm::cast<tile_gpu::SharedType>(op.getShared().getType());
  const Layout layout = op.getLayout().layout();
  const auto offsets = layout::offset_expression(layout, arrangement(type.getShape(), type.getElementType()));
  if (!offsets) return void(fail(op, "a layout that has no place in shared memory"));
  publish_scratch();
  mlir::OpBuilder::InsertionGuard guard(b_);
  const auto only_if = [this](Value condition) {
    if (condition) b_.setInsertionPointToStart(&mlir::scf::IfOp::create(b_, condition, /*withElseRegion=*/false).getThenRegion().front());
  };
  only_if(scalar(op.getPredicate()));  // a tile that is not wanted is not read either
  const AccessShape shape = {op.getView(), op.getIndices(), op.getMaps(), type.getShape(), type.getElementType()};
  Access access = open_access(shape, &layout);
  const auto runs = layout::vector_registers(layout, access.contiguous_axis, access.width);
  remark(op, coalescing_remark(shape, layout, access.width));
  remark(op, bank_remark(layout::access_cost({}, layout, *offsets, runs, static_cast<int>(bytes_of(type.getElementType()))), "the tile is copied to shared memory"));
  access.runs_inside = true;  // along the runs, what lies outside is cut off by the number of bytes
  Value tile = shared_tile(op.getShared(), scalar(op.getSlot()));
  only_if(owned(layout));
  Value whole = op.getMask() ? Value() : tile_inside(access);
  if (!whole) return copy_runs(op, access, *offsets, tile, /*whole=*/false);
  auto branch = mlir::scf::IfOp::create(b_, whole, /*withElseRegion=*/true);
  b_.setInsertionPointToStart(&branch.getThenRegion().front());
  copy_runs(op, access, *offsets, tile, /*whole=*/true);
  b_.setInsertionPointToStart(&branch.getElseRegion().front());
  copy_runs(op, access, *offsets, tile, /*whole=*/false);
}

void Emitter::copy_runs(tile_gpu::CopyAsyncOp op, Access& access, const layout::IndexExpression& offsets, Value tile, bool whole) {
  const Layout& layout = *access.layout;
  const std::int64_t size = bytes_of(access.view->element);
  const Dimension& inner = access.dimensions.back();
  const tile_gpu::AccessAttr mark = access_of(tile_gpu::AccessKind::Copy, tile, op.getTurn() ? static_cast<std::int64_t>(*op.getTurn()) : -1);
  const layout::Owners owners = layout::owners(layout);
  RunningAddress addresses;
  for (const layout::RegisterGroup& group : layout::vector_registers(layout, access.contiguous_axis, access.width)) {
    const int first = group.front();
    if (!llvm::is_contained(owners.registers, first)) continue;
    Value from = next_address(access, addresses, first);
    // What lies outside of the tile has no place of its own in memory.
    mlir::OpBuilder::InsertionGuard guard(b_);
    if (Value held = inside(layout, access.bounds[first], first))
      b_.setInsertionPointToStart(&mlir::scf::IfOp::create(b_, held, /*withElseRegion=*/false).getThenRegion().front());
    Value bytes;
    if (!whole) {
      // The tile begins at a multiple of the run's length, so what lies below the view's first element is whole runs.
      Value position = arith::SubIOp::create(b_, coordinate(layout, access.contiguous_axis, first), inner.low);
      Value left = arith::SubIOp::create(b_, inner.extent, position);
      left = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, left, i32(0)), i32(access.width));
      Value reads = and_(in_bounds(access, first), arith::CmpIOp::create(b_, arith::CmpIPredicate::sge, position, i32(0)));
      if (op.getMask()) reads = and_(reads, registers(op.getMask())[first]);
      bytes = select(reads, arith::MulIOp::create(b_, left, i32(size)), i32(0));
      // An address that nothing is read from may be any: that of the view.
      from = select(arith::CmpIOp::create(b_, arith::CmpIPredicate::sgt, bytes, i32(0)), from, access.view->base);
    }
    Value to = shared_element(tile, offsets, first, size);
    marker_.mark(tile_gpu::kAccessAttr, mark, [&] { target_.copy_async(b_, to, from, static_cast<int>(access.width * size), bytes); });
  }
}

void Emitter::emit_commit() {
  target_.commit_copies(b_);
  note(tile_gpu::NoteKind::Commit);
}

void Emitter::emit_wait(tile_gpu::WaitOp op) {
  target_.wait_copies(b_, static_cast<int>(op.getPending()));
  note(tile_gpu::NoteKind::Wait, static_cast<std::int64_t>(op.getPending()));
}

void Emitter::emit_local_load(tile_gpu::LocalLoadOp op) {
  const std::int64_t turn = op.getTurn() ? static_cast<std::int64_t>(*op.getTurn()) : -1;
  read_shared_tile(op, op.getShared().getType().getShape(), shared_tile(op.getShared(), scalar(op.getSlot())), op.getTransposed(), turn);
}

void Emitter::read_shared_tile(mlir::Operation* op, llvm::ArrayRef<std::int64_t> shape, Value tile, bool transposed, std::int64_t turn) {
  Value loaded = op->getResult(0);
  const mlir::Type element = tile_type(loaded).getElementType();
  const std::int64_t size = bytes_of(element);
  // The layout over the axes of the memory.
  const Layout wanted = transposed ? layout::transposed(layout_of(loaded), {1, 0}) : layout_of(loaded);
  const layout::SharedLayout memory = arrangement(shape, element);
  Registers result(wanted.registers());
  const auto at = [this, tile, size](const layout::IndexExpression& offsets, int reg) { return shared_element(tile, offsets, reg, size); };

  const auto loads = matrix_loads(wanted, 1, size);
  if (const auto addresses = loads ? layout::offset_expression(loads->addresses, memory) : std::nullopt) {
    std::vector<layout::RegisterGroup> rows;  // of 16 bytes, an address each
    const int each = loads->registers_of_read();
    for (int read = 0; each * read < wanted.registers(); ++read) rows.push_back(layout::RegisterGroup(static_cast<std::size_t>(16 / size), loads->address_register(read)));
    remark(op, bank_remark(layout::access_cost({}, loads->addresses, *addresses, rows, static_cast<int>(size)), kReads));
    // Read by read, when a dot first needs a register of it: what is read early takes up registers.
    Loader load = [this, at, element, mark = access_of(tile_gpu::AccessKind::Matrices, tile, turn), loads = *loads, addresses = *addresses](Registers& into, int reg) {
      const int e = loads.word_elements, read = reg / loads.registers_of_read();
      llvm::SmallVector<Value> words;
      marker_.mark(tile_gpu::kAccessAttr, mark, [&] { words = target_.load_matrices(b_, at(addresses, loads.address_register(read)), loads.transposed); });
      for (auto [i, word] : llvm::enumerate(words)) {
        Value elements = LLVM::BitcastOp::create(b_, mlir::VectorType::get({e}, element), word);
        for (int at = 0; at < e; ++at) into[e * (4 * read + static_cast<int>(i)) + at] = LLVM::ExtractElementOp::create(b_, elements, i32(at));
      }
    };
    bind(loaded, std::move(result));
    tile::DotOp dot = only_product(op);
    const auto instruction = dot ? operand_layouts(target_, dot, layout_of(dot.getAcc())).instruction : std::nullopt;
    // Where copies stand before the dot, its first step is read ahead of them.
    const std::int64_t now = !instruction ? std::numeric_limits<std::int64_t>::max() : copies_before(op, dot) ? instruction->k : 0;
    const int depth_axis = dot && dot.getA() == loaded ? 1 : 0;
    for (int reg = 0; reg < wanted.registers(); reg += each) {
      const bool of_first_step = layout_of(loaded).coordinates({.reg = reg})[depth_axis] < now;
      if (of_first_step) load(tiles_[loaded], reg);
    }
    if (instruction) loaders_[loaded] = std::move(load);
    return;
  }

  const auto offsets = layout::offset_expression(wanted, memory);
  if (!offsets) return void(fail(op, "a layout that has no place in shared memory"));
  for (int width = static_cast<int>(16 / size); width >= 1; width /= 2) {
    const auto groups = layout::consecutive_registers(*offsets, {}, width);
    if (!groups) continue;
    remark(op, bank_remark(layout::access_cost({}, wanted, *offsets, *groups, static_cast<int>(size)), kReads));
    for (const layout::RegisterGroup& group : *groups) {
      Value address = at(*offsets, group.front());
      if (width == 1) {
        result[group.front()] = from_memory(load_shared(memory_type(element), address, turn), element);
        continue;
      }
      Value vector = load_shared(mlir::VectorType::get({width}, memory_type(element)), address, turn);
      for (auto [i, reg] : llvm::enumerate(group))
        result[reg] = from_memory(LLVM::ExtractElementOp::create(b_, vector, i32(static_cast<std::int64_t>(i))), element);
    }
    break;
  }
  bind(loaded, std::move(result));
}

void Emitter::emit_local_store(tile_gpu::LocalStoreOp op) {
  if (llvm::any_of(op.getShared().getUsers(), [](mlir::Operation* user) { return llvm::isa<tile_gpu::CopyOutOp>(user); })) wait_for_copies_out();
  publish_scratch();
  write_shared_tile(op, op.getValue(), shared_tile(op.getShared(), {}));
  target_.publish_tile(b_);
  publish_scratch();
}

void Emitter::write_shared_tile(mlir::Operation* op, Value value, Value tile) {
  const mlir::Type element = tile_type(value).getElementType();
  const std::int64_t size = bytes_of(element);
  const Layout& layout = layout_of(value);
  const auto offsets = layout::offset_expression(layout, arrangement(tile_type(value).getShape(), element));
  if (!offsets) return void(fail(op, "a layout that has no place in shared memory"));
  const std::vector<layout::Bounds> bounds = layout::bounds(layout);
  const layout::Owners owners = layout::owners(layout);
  mlir::OpBuilder::InsertionGuard guard(b_);
  enter_if(owned(layout));
  int width = static_cast<int>(16 / size);
  while (!layout::consecutive_registers(*offsets, {}, width)) width /= 2;  // a register alone is one
  const auto groups = *layout::consecutive_registers(*offsets, {}, width);
  remark(op, bank_remark(layout::access_cost({}, layout, *offsets, groups, static_cast<int>(size)), "the tile is written to shared memory"));
  for (const layout::RegisterGroup& group : groups) {
    const int first = group.front();
    if (!llvm::is_contained(owners.registers, first) || bounds[first].validity == layout::Validity::kNever) continue;
    mlir::OpBuilder::InsertionGuard inner(b_);
    enter_if(inside(layout, bounds[first], first));
    Value address = shared_element(tile, *offsets, first, size);
    if (width == 1) {
      store_shared(to_memory(registers(value)[first]), address);
      continue;
    }
    Value vector = LLVM::PoisonOp::create(b_, mlir::VectorType::get({width}, memory_type(element)));
    for (auto [i, reg] : llvm::enumerate(group)) vector = LLVM::InsertElementOp::create(b_, vector, to_memory(registers(value)[reg]), i32(static_cast<std::int64_t>(i)));
    store_shared(vector, address);
  }
}

}  // namespace tilewright::gpu
