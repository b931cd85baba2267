// Roles of warps, and the channels between them.
//
// Each tile of a channel has two signals: `full`, which the copies that fill it complete, and `free`, on which every warp of the consumers arrives. Where threads of the producer write the tiles, every thread
// arrives on both. Whoever sends or receives counts for himself which tile is next and how often the channel has gone round: in phase p of its signals a tile is filled and read for the p-th time.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/shared_tiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

// By the producer; else the copy engine fills it.
bool is_written(mlir::Value channel) {
  return llvm::any_of(channel.getUsers(), [](mlir::Operation* user) { return llvm::isa<tile_gpu::SendTileOp>(user); });
}

}  // namespace

std::int64_t Emitter::slot_bytes(tile_gpu::ChannelType type) { return tile_bytes(tile_gpu::SharedType::get(type.getContext(), 1, type.getShape(), type.getElementType())); }

void Emitter::number_maps() {
  const auto number = [&](mlir::Operation* op, Value view, llvm::SmallVector<std::int64_t> box) {
    const auto argument = llvm::dyn_cast<mlir::BlockArgument>(view);
    if (!argument) return void(fail(op, "copies a part of a tensor"));
    BoxMap map{argument.getArgNumber(), std::move(box)};
    const auto* const found = llvm::find(maps_, map);
    map_of_[op] = static_cast<unsigned>(found - maps_.begin());
    if (found == maps_.end()) maps_.push_back(std::move(map));
  };
  source_.walk([&](tile_gpu::SendOp op) { number(op, op.getView(), box_of(op.getChannel().getType(), op.getMaps())); });
  source_.walk([&](tile_gpu::CopyOutOp op) { number(op, op.getView(), box_of(op.getShared().getType(), op.getMaps())); });
}

void Emitter::emit_channel(tile_gpu::ChannelOp op) {
  const auto type = op.getType();
  Channel& channel = channels_[op.getResult()];
  channel.base = open_buffer(type.getCount() * (slot_bytes(type) + 2 * kSignalBytes), /*tiles=*/1, tile_alignment(type.getShape()));
  channel.full = type.getCount() * slot_bytes(type);
  channel.free = channel.full + type.getCount() * kSignalBytes;
  const mlir::Type pointer = LLVM::LLVMPointerType::get(b_.getContext());
  for (Value* counter : {&channel.next, &channel.phase}) {
    *counter = LLVM::AllocaOp::create(b_, pointer, b_.getI32Type(), i32(1));
    LLVM::StoreOp::create(b_, i32(0), *counter);
  }
}

Emitter::Value Emitter::signal(const Channel& channel, std::int64_t signals, Value slot) { return shared_address(channel.base, arith::MulIOp::create(b_, slot, i32(kSignalBytes)), signals); }

Emitter::Value Emitter::channel_tile(Value channel, Value slot) {
  return shared_address(channels_[channel].base, arith::MulIOp::create(b_, slot, i32(slot_bytes(llvm::cast<tile_gpu::ChannelType>(channel.getType())))));
}

std::pair<Emitter::Value, Emitter::Value> Emitter::take_turn(Value of) {
  const Channel& channel = channels_[of];
  const mlir::Type type = b_.getI32Type();
  Value slot = LLVM::LoadOp::create(b_, type, channel.next), phase = LLVM::LoadOp::create(b_, type, channel.phase);
  Value later = add(slot, i32(1));
  Value wraps = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, later, i32(llvm::cast<tile_gpu::ChannelType>(of.getType()).getCount()));
  LLVM::StoreOp::create(b_, select(wraps, i32(0), later), channel.next);
  LLVM::StoreOp::create(b_, arith::XOrIOp::create(b_, phase, arith::ExtUIOp::create(b_, type, wraps)), channel.phase);
  return {slot, phase};
}

void Emitter::emit_roles(tile_gpu::RolesOp op) {
  Value thread = target_.thread_id(b_);
  const auto inside = [&](Value condition, llvm::function_ref<void()> emit) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    enter_if(condition);
    emit();
  };
  const auto is = [&](arith::CmpIPredicate how, std::int64_t number) { return arith::CmpIOp::create(b_, how, thread, i32(number)).getResult(); };
  inside(is(arith::CmpIPredicate::eq, 0), [&] {
    for (auto made : source_.getOps<tile_gpu::ChannelOp>()) {
      const Channel& channel = channels_[made.getResult()];
      for (std::int64_t slot = 0; slot < made.getType().getCount(); ++slot) {
        const int lanes = is_written(made) ? target_.lanes() : 0;
        target_.make_signal(b_, shared_address(channel.base, {}, channel.full + slot * kSignalBytes), lanes != 0 ? warps_ * lanes : 1);
        target_.make_signal(b_, shared_address(channel.base, {}, channel.free + slot * kSignalBytes), consumer_warps() * std::max(1, lanes));
      }
    }
    for (auto made : source_.getOps<tile_gpu::TurnsOp>())
      for (int group = 0; group < groups(); ++group) target_.make_signal(b_, shared_address(turns_[made.getResult()].base, {}, group * kSignalBytes), GroupProduct().warps);
    target_.publish_signals(b_);
  });
  target_.barrier(b_);
  const int first_of_producer = consumer_warps() * target_.lanes();
  const RoleRegisters registers{static_cast<int>(op.getProducerRegisters().value_or(0)), static_cast<int>(op.getConsumerRegisters().value_or(0))};
  producer_warps_ = target_.producer_warps(consumer_warps(), registers);
  auto role = scf::IfOp::create(b_, is(arith::CmpIPredicate::ult, first_of_producer), /*withElseRegion=*/true);
  role->setAttr(tile_gpu::kConsumersAttr, b_.getI64IntegerAttr(consumer_warps()));
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(&role.getThenRegion().front());
    note(tile_gpu::NoteKind::Together);
    target_.begin_role(b_, consumer_warps(), registers, /*consumes=*/true);
    barrier_warps_ = warps_;
    if (teams_ != 0) enter_team(i32(0));
    group_ = target_.shuffle(b_, arith::DivUIOp::create(b_, warp_, i32(GroupProduct().warps)), i32(0));
    emit_block(op.getConsumers().front());
    if (op.walk([](tile_gpu::CopyOutOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted()) wait_for_copies_out();
    barrier_warps_ = 0;
    team_ = {};
    b_.setInsertionPointToStart(&role.getElseRegion().front());
    note(tile_gpu::NoteKind::Together);
    target_.begin_role(b_, consumer_warps(), registers, /*consumes=*/false);
    if (teams_ == 0) {
      // One thread does all of it: what it does is scalar, and copies are asked for once.
      inside(is(arith::CmpIPredicate::eq, first_of_producer), [&] { emit_block(op.getProducer().front()); });
      return;
    }
    inside(is(arith::CmpIPredicate::ult, first_of_producer + warps_ * target_.lanes()), [&] {
      note(tile_gpu::NoteKind::Together);
      enter_team(i32(consumer_warps()));
      team_ = {};
      emit_block(op.getProducer().front());
    });
  }
}

void Emitter::enter_team(Value first_warp) {
  Value warp = arith::SubIOp::create(b_, arith::DivUIOp::create(b_, target_.thread_id(b_), i32(target_.lanes())), first_warp);
  team_ = target_.shuffle(b_, arith::DivUIOp::create(b_, warp, i32(warps_)), i32(0));
  warp_ = warps_ == 1 ? i32(0) : arith::RemUIOp::create(b_, warp, i32(warps_)).getResult();
}

void Emitter::team_barrier() {
  if (warps_ == 1) target_.warp_barrier(b_);
  else target_.team_barrier(b_, warps_);
}

// A group's signal completes a phase whenever the group before it passes its turn on. The first group's first turn is nobody's to give: it waits for the phase before the first, which is taken as complete.
void Emitter::emit_turns(tile_gpu::TurnsOp op) {
  Turns& turns = turns_[op.getResult()];
  turns.base = open_buffer(groups() * kSignalBytes, /*tiles=*/1, kSignalBytes);
  turns.phase = LLVM::AllocaOp::create(b_, LLVM::LLVMPointerType::get(b_.getContext()), b_.getI32Type(), i32(1));
  LLVM::StoreOp::create(b_, i32(0), turns.phase);
}

void Emitter::emit_take_turn(tile_gpu::TakeTurnOp op) {
  if (groups() == 1) return;
  const Turns& turns = turns_[op.getTurns()];
  Value phase = LLVM::LoadOp::create(b_, b_.getI32Type(), turns.phase), other = arith::XOrIOp::create(b_, phase, i32(1));
  LLVM::StoreOp::create(b_, other, turns.phase);
  Value is_first = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, group_, i32(0));
  Value mine = shared_address(turns.base, arith::MulIOp::create(b_, group_, i32(kSignalBytes)));
  touch_turns(turns.base, true, [&] { target_.wait_signal(b_, mine, select(is_first, other, phase)); });
}

void Emitter::emit_pass_turn(tile_gpu::PassTurnOp op) {
  if (groups() == 1) return;
  Value later = add(group_, i32(1)), is_last = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, later, i32(groups()));
  Value next = shared_address(turns_[op.getTurns()].base, arith::MulIOp::create(b_, select(is_last, i32(0), later), i32(kSignalBytes)));
  Value first = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, lane_, i32(0));
  touch_turns(turns_[op.getTurns()].base, false, [&] { target_.arrive(b_, next, first); });
}

// Marks keep the signals' memory, and tell where a group is alone.
void Emitter::touch_turns(Value base, bool takes, llvm::function_ref<void()> emit) {
  marker_.mark(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Load, base), emit);
  std::prev(b_.getInsertionPoint())->setAttr(tile_gpu::kTurnAttr, b_.getBoolAttr(takes));
}

Emitter::Value Emitter::box_coordinate(Value index) {
  // Beyond the ends of any tensor, and no overflow when the rest of the box is counted.
  constexpr std::int64_t kFar = std::int64_t{1} << 30;
  Value near = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, scalar(index), i64(-kFar)), i64(std::numeric_limits<std::int32_t>::max() - kFar / 1024));
  return arith::TruncIOp::create(b_, b_.getI32Type(), near);
}

BoxCopy Emitter::box_copy(mlir::Operation* op, const ViewParts& view, mlir::ValueRange indices, llvm::SmallVector<std::int64_t> box) {
  BoxCopy copy;
  if (!map_parameters_.empty()) copy.map = map_parameters_[map_of_[op]];
  copy.base = view.base;
  copy.sizes = view.sizes;
  copy.strides = view.strides;
  copy.element = view.element;
  copy.box = std::move(box);
  for (Value index : indices) copy.coordinates.push_back(box_coordinate(index));
  return copy;
}

void Emitter::emit_send(tile_gpu::SendOp op) {
  const auto type = op.getChannel().getType();
  const ViewParts& view = views_.find(op.getView())->second;
  const auto [slot, phase] = take_turn(op.getChannel());
  const Channel& channel = channels_[op.getChannel()];
  // The mark keeps the memory for the channel: what the producer does stands behind all that the consumers do.
  Value is_free = signal(channel, channel.free, slot), unlike = arith::XOrIOp::create(b_, phase, i32(1));
  marker_.mark(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Load, channel.base), [&] { target_.wait_signal(b_, is_free, unlike); });
  mlir::OpBuilder::InsertionGuard guard(b_);
  if (teams_ != 0) enter_if(is_first_thread());
  Value full = signal(channel, channel.full, slot), tile = channel_tile(op.getChannel(), slot);
  BoxCopy copy = box_copy(op, view, op.getIndices(), box_of(type, op.getMaps()));
  copy.signal = full;
  const std::int64_t size = bytes_of(view.element), rows = type.getShape().size() == 1 ? 1 : type.getShape().front(), columns = type.getShape().back(), column = copy.box.back();
  target_.arrive_expecting(b_, full, rows * columns * size);
  const Value first_column = copy.coordinates.back();
  for (std::int64_t at = 0; at < columns; at += column) {
    if (at != 0) copy.coordinates.back() = add(first_column, i32(at));
    copy.shared = shared_address(tile, {}, at * rows * size);
    target_.copy_box(b_, copy);
  }
}

// Between what was read in this place before and what is written, and between that and what is read, the team meets.
void Emitter::emit_send_tile(tile_gpu::SendTileOp op) {
  const auto [slot, phase] = take_turn(op.getChannel());
  const Channel& channel = channels_[op.getChannel()];
  Value is_free = signal(channel, channel.free, slot), unlike = arith::XOrIOp::create(b_, phase, i32(1));
  marker_.mark(tile_gpu::kAccessAttr, access_of(tile_gpu::AccessKind::Load, channel.base), [&] { target_.wait_signal(b_, is_free, unlike); });
  team_barrier();
  handed_ = true;
  write_shared_tile(op, op.getValue(), channel_tile(op.getChannel(), slot));
  handed_ = false;
  team_barrier();
  target_.arrive(b_, signal(channel, channel.full, slot), constant(b_.getI1Type(), 1));
  scalars_[op.getSlot()] = slot;
}

void Emitter::emit_channel_load(tile_gpu::ChannelLoadOp op) {
  handed_ = true;
  read_shared_tile(op, op.getChannel().getType().getShape(), channel_tile(op.getChannel(), scalar(op.getSlot())), op.getTransposed(), /*turn=*/-1);
  handed_ = false;
}

void Emitter::emit_channel_element(tile_gpu::ChannelElementOp op) {
  const mlir::Type element = op.getResult().getType();
  Value offset = arith::MulIOp::create(b_, arith::TruncIOp::create(b_, b_.getI32Type(), scalar(op.getIndex())), i32(bytes_of(element)));
  handed_ = true;
  scalars_[op.getResult()] = from_memory(load_shared(memory_type(element), shared_address(channel_tile(op.getChannel(), scalar(op.getSlot())), offset)), element);
  handed_ = false;
}

void Emitter::emit_receive(tile_gpu::ReceiveOp op) {
  const auto [slot, phase] = take_turn(op.getChannel());
  const Channel& channel = channels_[op.getChannel()];
  target_.wait_signal(b_, signal(channel, channel.full, slot), phase);
  scalars_[op.getSlot()] = slot;
}

void Emitter::emit_release(tile_gpu::ReleaseOp op) {
  Value arrives = is_written(op.getChannel()) ? constant(b_.getI1Type(), 1) : arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, lane_, i32(0)).getResult();
  const Channel& channel = channels_[op.getChannel()];
  // Products of groups of warps have read it when they are complete; what threads read, all of the warp have read before one says so.
  if (llvm::any_of(op.getChannel().getUsers(), [](mlir::Operation* user) { return llvm::isa<tile_gpu::ChannelLoadOp, tile_gpu::ChannelElementOp>(user); })) target_.warp_barrier(b_);
  target_.arrive(b_, signal(channel, channel.free, scalar(op.getSlot())), arrives);
}

}  // namespace tilewright::gpu
