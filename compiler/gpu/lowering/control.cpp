// The walk over a kernel: arguments, loops, branches, and the choice of the file that emits each operation.
#include "compiler/gpu/lowering/emitter.h"
#include "compiler/gpu/transforms/native_layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

constexpr unsigned kGlobalSpace = 1;

bool has_assertion(mlir::func::FuncOp function) {
  return function.walk([](tile::AssertOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
}

// A loop of a role around others, over the tiles of a program that stays.
bool stays_in_roles(scf::ForOp op) {
  if (!llvm::isa<tile_gpu::RolesOp>(op->getParentOp())) return false;
  return op.getBody()->walk([](scf::ForOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
}

// What each turn needs before and behind the loops inside would take registers while these run, which need all there are.
LLVM::LoopAnnotationAttr without_code_motion(mlir::MLIRContext* context) {
  const auto disabled = LLVM::LoopLICMAttr::get(context, mlir::BoolAttr::get(context, true), {});
  return LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, {}, {}, disabled, {}, {}, {}, {}, {}, {}, {}, {}, {});
}

}  // namespace

Emitter::Emitter(mlir::func::FuncOp source, const GpuTarget& target, int warps)
    : source_(source), target_(target), warps_(warps), b_(source.getLoc(), source.getContext()) {
  b_.setListener(&marker_);
}

mlir::LogicalResult Emitter::run() {
  b_.setInsertionPoint(source_);
  std::size_t slots = has_assertion(source_) ? 1 : 0;
  for (mlir::Type type : source_.getArgumentTypes()) {
    auto view = llvm::dyn_cast<tile::ViewType>(type);
    slots += view ? 1 + 2 * view.getRank() : 1;
  }
  const std::string name = source_.getName().str();
  source_.setName(name + ".tile");
  number_maps();
  for (auto roles : source_.getOps<tile_gpu::RolesOp>()) teams_ = static_cast<int>(roles.getTeams().value_or(0));
  llvm::SmallVector<mlir::Type> parameters(slots, b_.getI64Type());
  const mlir::DictionaryAttr map_parameter = target_.map_parameter(b_.getContext());
  if (map_parameter) parameters.append(maps_.size(), LLVM::LLVMPointerType::get(b_.getContext()));
  auto emitted = mlir::func::FuncOp::create(b_, name, b_.getFunctionType(parameters, {}));
  for (std::size_t i = slots; i < parameters.size(); ++i) emitted.setArgAttrs(static_cast<unsigned>(i), map_parameter);
  emitted->setAttr(tile_gpu::kKernelAttr, b_.getUnitAttr());
  b_.setInsertionPointToStart(emitted.addEntryBlock());
  llvm::append_range(map_parameters_, emitted.getArguments().drop_front(slots));

  Value thread = target_.thread_id(b_);
  const int lanes = target_.lanes();
  lane_ = arith::AndIOp::create(b_, thread, i32(lanes - 1));
  warp_ = warps_ == 1 ? i32(0) : arith::DivUIOp::create(b_, thread, i32(lanes)).getResult();
  bind_arguments(emitted);
  emit_block(source_.getBody().front());
  b_.setLoc(source_.getLoc());
  mlir::func::ReturnOp::create(b_);
  if (failed_) return mlir::failure();
  source_.erase();
  return mlir::success();
}

void Emitter::bind_arguments(mlir::func::FuncOp function) {
  unsigned slot = 0;
  const auto next = [&] { return Value(function.getArgument(slot++)); };
  for (Value argument : source_.getArguments()) {
    if (auto view = llvm::dyn_cast<tile::ViewType>(argument.getType())) {
      ViewParts parts;
      parts.element = view.getElementType();
      parts.base = LLVM::IntToPtrOp::create(b_, LLVM::LLVMPointerType::get(b_.getContext(), kGlobalSpace), next());
      for (std::int64_t d = 0; d < view.getRank(); ++d) parts.sizes.push_back(next());
      for (std::int64_t d = 0; d < view.getRank(); ++d) parts.strides.push_back(next());
      views_[argument] = std::move(parts);
      continue;
    }
    Value bits = next();
    const mlir::Type type = argument.getType();
    if (const mlir::Type integer = b_.getIntegerType(type.getIntOrFloatBitWidth()); integer != bits.getType()) bits = arith::TruncIOp::create(b_, integer, bits);
    scalars_[argument] = from_bits(bits, type);
  }
  if (has_assertion(source_)) board_ = next();
}

void Emitter::emit_block(mlir::Block& block) {
  for (mlir::Operation& op : block.without_terminator()) {
    if (failed_) return;
    b_.setLoc(op.getLoc());
    current_ = &op;
    emit_operation(&op);
  }
}

void Emitter::emit_operation(mlir::Operation* op) {
  if (auto loop = llvm::dyn_cast<scf::ForOp>(op)) return emit_for(loop);
  if (auto branch = llvm::dyn_cast<scf::IfOp>(op)) return emit_if(branch);
  if (auto loop = llvm::dyn_cast<scf::WhileOp>(op)) return emit_while(loop);
  if (auto narrow = llvm::dyn_cast<tile::NarrowOp>(op)) return emit_narrow(narrow);
  if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) return emit_load(load);
  if (auto store = llvm::dyn_cast<tile::StoreOp>(op)) return emit_store(store);
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(op)) return emit_atomic(atomic);
  if (auto fence = llvm::dyn_cast<tile::FenceOp>(op)) return emit_fence(fence);
  if (auto assertion = llvm::dyn_cast<tile::AssertOp>(op)) return emit_assert(assertion);
  if (auto alloc = llvm::dyn_cast<tile_gpu::AllocOp>(op)) return emit_alloc(alloc);
  if (auto channel = llvm::dyn_cast<tile_gpu::ChannelOp>(op)) return emit_channel(channel);
  if (auto roles = llvm::dyn_cast<tile_gpu::RolesOp>(op)) return emit_roles(roles);
  if (auto turns = llvm::dyn_cast<tile_gpu::TurnsOp>(op)) return emit_turns(turns);
  if (auto take = llvm::dyn_cast<tile_gpu::TakeTurnOp>(op)) return emit_take_turn(take);
  if (auto pass = llvm::dyn_cast<tile_gpu::PassTurnOp>(op)) return emit_pass_turn(pass);
  if (auto send = llvm::dyn_cast<tile_gpu::SendOp>(op)) return emit_send(send);
  if (auto send = llvm::dyn_cast<tile_gpu::SendTileOp>(op)) return emit_send_tile(send);
  if (auto copy = llvm::dyn_cast<tile_gpu::CopyOutOp>(op)) return emit_copy_out(copy);
  if (auto load = llvm::dyn_cast<tile_gpu::ChannelLoadOp>(op)) return emit_channel_load(load);
  if (auto element = llvm::dyn_cast<tile_gpu::ChannelElementOp>(op)) return emit_channel_element(element);
  if (llvm::isa<tile_gpu::TeamOp>(op)) {
    scalars_[op->getResult(0)] = arith::ExtUIOp::create(b_, b_.getI64Type(), team_);
    return;
  }
  if (auto receive = llvm::dyn_cast<tile_gpu::ReceiveOp>(op)) return emit_receive(receive);
  if (auto release = llvm::dyn_cast<tile_gpu::ReleaseOp>(op)) return emit_release(release);
  if (auto dot = llvm::dyn_cast<tile_gpu::GroupDotOp>(op)) return emit_group_dot(dot);
  if (auto wait = llvm::dyn_cast<tile_gpu::GroupWaitOp>(op)) return emit_group_wait(wait);
  if (auto copy = llvm::dyn_cast<tile_gpu::CopyAsyncOp>(op)) return emit_copy_async(copy);
  if (llvm::isa<tile_gpu::CommitOp>(op)) return emit_commit();
  if (auto wait = llvm::dyn_cast<tile_gpu::WaitOp>(op)) return emit_wait(wait);
  if (auto local = llvm::dyn_cast<tile_gpu::LocalLoadOp>(op)) return emit_local_load(local);
  if (auto store = llvm::dyn_cast<tile_gpu::LocalStoreOp>(op)) return emit_local_store(store);
  if (auto convert = llvm::dyn_cast<tile_gpu::ConvertLayoutOp>(op)) return emit_convert(convert);
  if (auto dot = llvm::dyn_cast<tile::DotOp>(op)) return emit_dot(dot);
  if (auto reduce = llvm::dyn_cast<tile::ReduceOp>(op)) return emit_reduce(reduce);
  if (auto arg = llvm::dyn_cast<tile::ArgMaxOp>(op)) return emit_arg_extreme(op, true, arg.getIsUnsigned());
  if (auto arg = llvm::dyn_cast<tile::ArgMinOp>(op)) return emit_arg_extreme(op, false, arg.getIsUnsigned());
  if (auto scan = llvm::dyn_cast<tile::ScanOp>(op)) return emit_scan(scan);
  if (auto topk = llvm::dyn_cast<tile::TopKOp>(op)) return emit_topk(topk);
  if (auto take = llvm::dyn_cast<tile::TakeOp>(op)) return emit_take(take);
  if (auto concat = llvm::dyn_cast<tile::ConcatOp>(op)) return emit_concat(concat);
  if (auto slice = llvm::dyn_cast<tile::SliceOp>(op)) return emit_slice(slice);
  if (llvm::isa<tile::ReshapeOp, tile::BroadcastOp, tile::TransposeOp>(op)) return emit_rearranged(op);
  if (llvm::isa<arith::ConstantOp, tile::SplatOp, tile::ArangeOp>(op)) return emit_generator(op);
  if (auto id = llvm::dyn_cast<tile::ProgramIdOp>(op)) {
    scalars_[id] = target_.program_id(b_, static_cast<int>(id.getAxis()));
    return;
  }
  if (auto count = llvm::dyn_cast<tile::NumProgramsOp>(op)) {
    scalars_[count] = target_.num_programs(b_, static_cast<int>(count.getAxis()));
    return;
  }
  if (auto size = llvm::dyn_cast<tile::SizeOp>(op)) {
    scalars_[size] = views_.find(size.getView())->second.sizes[size.getAxis()];
    return;
  }
  if (is_elementwise(op)) return emit_elementwise(op);
  if (llvm::isa<tile::PrintOp>(op)) return void(fail(op, "print needs the device 'reference'"));
  fail(op, "'" + op->getName().getStringRef() + "' has no code on GPUs");
}

void Emitter::emit_narrow(tile::NarrowOp op) {
  ViewParts parts = views_.find(op.getView())->second;
  const auto axis = static_cast<std::size_t>(op.getAxis());
  const auto clamp = [&](Value x, Value high) { return arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, x, i64(0)), high).getResult(); };
  Value start = clamp(scalar(op.getStart()), parts.sizes[axis]);
  Value rest = arith::SubIOp::create(b_, parts.sizes[axis], start);
  parts.sizes[axis] = clamp(scalar(op.getSize()), rest);
  Value offset = arith::MulIOp::create(b_, start, parts.strides[axis]);
  parts.base = LLVM::GEPOp::create(b_, parts.base.getType(), memory_type(parts.element), parts.base, LLVM::GEPArg(offset));
  views_[op.getResult()] = std::move(parts);
}

Registers Emitter::flattened(mlir::ValueRange values) {
  Registers all;
  for (Value value : values) {
    if (tile_type(value)) llvm::append_range(all, registers(value));
    else all.push_back(scalar(value));
  }
  return all;
}

llvm::SmallVector<mlir::Type> Emitter::flattened_types(mlir::ValueRange values) {
  llvm::SmallVector<mlir::Type> types;
  for (Value value : values) {
    if (auto tile = tile_type(value)) types.append(layout_of(value).registers(), tile.getElementType());
    else types.push_back(value.getType());
  }
  return types;
}

void Emitter::bind_flattened(mlir::ValueRange values, mlir::ValueRange emitted) {
  for (Value value : values) {
    if (!tile_type(value)) {
      scalars_[value] = emitted.front();
      emitted = emitted.drop_front();
      continue;
    }
    const auto count = static_cast<std::size_t>(layout_of(value).registers());
    bind(value, llvm::to_vector(emitted.take_front(count)));
    emitted = emitted.drop_front(count);
  }
}

void Emitter::emit_for(scf::ForOp op) {
  auto loop = scf::ForOp::create(b_, scalar(op.getLowerBound()), scalar(op.getUpperBound()), scalar(op.getStep()), flattened(op.getInits()));
  if (stays_in_roles(op)) loop->setAttr("loop_annotation", without_code_motion(b_.getContext()));
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    mlir::Block* body = loop.getBody();
    b_.setInsertionPointToStart(body);
    if (!body->empty() && body->back().hasTrait<mlir::OpTrait::IsTerminator>()) body->back().erase();
    b_.setInsertionPointToEnd(body);
    note(tile_gpu::NoteKind::Together);
    scalars_[op.getInductionVar()] = loop.getInductionVar();
    bind_flattened(op.getRegionIterArgs(), loop.getRegionIterArgs());
    emit_block(*op.getBody());
    end_turn(op);
    scf::YieldOp::create(b_, flattened(op.getBody()->getTerminator()->getOperands()));
  }
  bind_flattened(op.getResults(), loop.getResults());
}

void Emitter::emit_if(scf::IfOp op) {
  const bool has_else = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(b_, flattened_types(op.getResults()), scalar(op.getCondition()), has_else);
  const auto emit_region = [&](mlir::Region& from, mlir::Region& to) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    mlir::Block* body = &to.front();
    b_.setInsertionPointToStart(body);
    if (!body->empty() && body->back().hasTrait<mlir::OpTrait::IsTerminator>()) body->back().erase();
    b_.setInsertionPointToEnd(body);
    note(tile_gpu::NoteKind::Together);
    emit_block(from.front());
    scf::YieldOp::create(b_, flattened(from.front().getTerminator()->getOperands()));
  };
  emit_region(op.getThenRegion(), branch.getThenRegion());
  if (has_else) emit_region(op.getElseRegion(), branch.getElseRegion());
  bind_flattened(op.getResults(), branch.getResults());
}

void Emitter::emit_while(scf::WhileOp op) {
  auto loop = scf::WhileOp::create(b_, flattened_types(op.getResults()), flattened(op.getInits()));
  mlir::OpBuilder::InsertionGuard guard(b_);
  const auto open = [&](mlir::Region& region, mlir::ValueRange arguments) {
    llvm::SmallVector<mlir::Type> types = flattened_types(arguments);
    mlir::Block* body = b_.createBlock(&region, {}, types, llvm::SmallVector<mlir::Location>(types.size(), b_.getLoc()));
    note(tile_gpu::NoteKind::Together);
    bind_flattened(arguments, body->getArguments());
  };
  open(loop.getBefore(), op.getBeforeArguments());
  emit_block(*op.getBeforeBody());
  scf::ConditionOp::create(b_, scalar(op.getConditionOp().getCondition()), flattened(op.getConditionOp().getArgs()));
  open(loop.getAfter(), op.getAfterArguments());
  emit_block(*op.getAfterBody());
  scf::YieldOp::create(b_, flattened(op.getYieldOp()->getOperands()));
  bind_flattened(op.getResults(), loop.getResults());
}

void Emitter::emit_assert(tile::AssertOp op) {
  Value holds;
  if (tile_type(op.getCondition())) {
    const Layout& layout = layout_of(op.getCondition());
    const std::vector<layout::Bounds> bounds = layout::bounds(layout);
    for (auto [reg, value] : llvm::enumerate(registers(op.getCondition()))) {
      if (bounds[reg].validity == layout::Validity::kNever) continue;
      Value at = value;
      if (Value there = inside(layout, bounds[reg], static_cast<int>(reg))) at = select(there, at, constant(b_.getI1Type(), 1));
      holds = and_(holds, at);
    }
  } else {
    holds = scalar(op.getCondition());
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto file = llvm::dyn_cast<mlir::FileLineColLoc>(op.getLoc())) stream << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn() << ": ";
  stream << op.getMessage();
  Value failed = arith::XOrIOp::create(b_, holds, constant(b_.getI1Type(), 1));
  target_.report_assertion(b_, board_, failed, static_cast<std::int32_t>(assertions_.size()));
  assertions_.push_back(text);
}

}  // namespace tilewright::gpu
