// The walk over a kernel: scalars, views, loops, branches, and the choice of the file that emits each tile operation.
#include "compiler/targets/cpu/lowering/emitter.h"
#include "compiler/transforms/atomic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "runtime/artifact.h"

#include <limits>
#include <utility>

namespace tilewright::cpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

Emitter::Emitter(mlir::func::FuncOp source, const CpuTarget& target)
    : source_(source), target_(target), arena_(target.vector_bits), b_(source.getLoc(), source.getContext()), lanes_(target.lanes32()),
      valid_lanes_(target.lanes32()) {}

mlir::FailureOr<std::int64_t> Emitter::run() {
  b_.setInsertionPoint(source_);
  const mlir::Type pointer = LLVM::LLVMPointerType::get(b_.getContext());
  const auto type = b_.getFunctionType({pointer, pointer, pointer, pointer}, {});
  auto emitted = mlir::func::FuncOp::create(b_, source_.getName(), type);
  mlir::Block* entry = emitted.addEntryBlock();
  b_.setInsertionPointToStart(entry);
  arguments_ = entry->getArgument(0);
  program_id_ = entry->getArgument(1);
  num_programs_ = entry->getArgument(2);
  scratch_ = entry->getArgument(3);
  bind_arguments();
  emit_block(source_.getBody().front());
  b_.setLoc(source_.getLoc());
  mlir::func::ReturnOp::create(b_);
  if (failed_) return mlir::failure();
  const std::int64_t bytes = arena_.assign_offsets(sizeof(ScratchPrefix));
  source_.erase();
  return bytes;
}

void Emitter::bind_arguments() {
  Value count = LLVM::LoadOp::create(b_, b_.getI64Type(), num_programs_, 8);
  always_ = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, count, i64(std::numeric_limits<std::int64_t>::min()));
  std::int64_t slot = 0;
  const auto next = [&](mlir::Type type) {
    Value address = gep(arguments_, i64(slot++), b_.getI64Type());
    return LLVM::LoadOp::create(b_, type, address, 8).getResult();
  };
  for (auto [i, argument] : llvm::enumerate(source_.getArguments())) {
    auto view = llvm::dyn_cast<tile::ViewType>(argument.getType());
    if (!view) {
      Value bits = next(memory_type(argument.getType()));
      if (argument.getType().isInteger(1)) bits = arith::CmpIOp::create(b_, arith::CmpIPredicate::ne, bits, int_like(bits.getType(), 0));
      else if (argument.getType() != register_type(argument.getType())) bits = widen_bits(bits, argument.getType());
      scalars_[argument] = bits;
      continue;
    }
    ViewParts parts;
    parts.element = view.getElementType();
    parts.unit_inner_stride = static_cast<bool>(source_.getArgAttr(i, "tile.unit_inner_stride"));
    parts.base = next(LLVM::LLVMPointerType::get(b_.getContext()));
    for (std::int64_t d = 0; d < view.getRank(); ++d) parts.sizes.push_back(next(b_.getI64Type()));
    for (std::int64_t d = 0; d < view.getRank(); ++d) parts.strides.push_back(next(b_.getI64Type()));
    views_[argument] = parts;
  }
}

void Emitter::emit_block(mlir::Block& block) {
  for (mlir::Operation& op : block) {
    if (failed_) return;
    if (op.hasTrait<mlir::OpTrait::IsTerminator>()) return;
    b_.setLoc(op.getLoc());
    emit_operation(&op);
  }
}

void Emitter::emit_operation(mlir::Operation* op) {
  if (auto narrow = llvm::dyn_cast<tile::NarrowOp>(op)) return emit_narrow(narrow);
  if (auto store = llvm::dyn_cast<tile::StoreOp>(op)) return emit_store(store);
  if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(op)) return emit_atomic(atomic);
  if (auto fence = llvm::dyn_cast<tile::FenceOp>(op)) return void(create_fence(b_, fence.getOrder(), /*scope=*/{}));
  if (auto loop_op = llvm::dyn_cast<scf::ForOp>(op)) return emit_for(loop_op);
  if (auto branch = llvm::dyn_cast<scf::IfOp>(op)) return emit_if(branch);
  if (auto loop_op = llvm::dyn_cast<scf::WhileOp>(op)) return emit_while(loop_op);
  if (auto assertion = llvm::dyn_cast<tile::AssertOp>(op)) return emit_assert(assertion);
  if (llvm::isa<tile::PrintOp>(op)) {
    fail(op, "print needs the device 'reference'");
    return;
  }
  if (auto reduce = llvm::dyn_cast<tile::ReduceOp>(op)) return emit_reduce(reduce);
  if (auto arg = llvm::dyn_cast<tile::ArgMaxOp>(op)) return emit_arg_extreme(arg.getResult(), arg.getInput(), arg.getAxis(), true, arg.getIsUnsigned());
  if (auto arg = llvm::dyn_cast<tile::ArgMinOp>(op)) return emit_arg_extreme(arg.getResult(), arg.getInput(), arg.getAxis(), false, arg.getIsUnsigned());
  if (op->getNumResults() == 0) {
    fail(op, "is not known to the CPU target");
    return;
  }
  if (tile_type(op->getResult(0))) emit_tile(op);
  else emit_scalar(op);
}

void Emitter::emit_tile(mlir::Operation* op) {
  if (llvm::all_of(op->getResults(), [&](Value result) { return plan_.is_inline(result); })) {
    auto constant = llvm::dyn_cast<arith::ConstantOp>(op);
    if (!constant || llvm::cast<mlir::DenseElementsAttr>(constant.getValue()).isSplat()) return;
  }
  if (auto dot = llvm::dyn_cast<tile::DotOp>(op)) return emit_dot(dot);
  if (auto scan = llvm::dyn_cast<tile::ScanOp>(op)) return emit_scan(scan);
  if (auto topk = llvm::dyn_cast<tile::TopKOp>(op)) return emit_topk(topk);
  if (auto transpose = llvm::dyn_cast<tile::TransposeOp>(op)) return emit_transpose(transpose);
  if (auto concat = llvm::dyn_cast<tile::ConcatOp>(op)) return emit_concat(concat);
  materialise(op->getResult(0));
}

void Emitter::emit_scalar(mlir::Operation* op) {
  const auto grid_value = [&](Value array, std::int64_t axis) {
    return LLVM::LoadOp::create(b_, b_.getI64Type(), gep(array, i64(axis), b_.getI64Type()), 8).getResult();
  };
  Value emitted;
  if (llvm::isa<arith::ConstantOp>(op)) return;  // made where it is used
  if (auto id = llvm::dyn_cast<tile::ProgramIdOp>(op)) {
    emitted = grid_value(program_id_, id.getAxis());
  } else if (auto count = llvm::dyn_cast<tile::NumProgramsOp>(op)) {
    emitted = grid_value(num_programs_, count.getAxis());
  } else if (auto size = llvm::dyn_cast<tile::SizeOp>(op)) {
    emitted = views_.find(size.getView())->second.sizes[size.getAxis()];
  } else if (auto load = llvm::dyn_cast<tile::LoadOp>(op)) {
    emitted = evaluate_load(load, {}).value;
  } else if (auto reshape = llvm::dyn_cast<tile::ReshapeOp>(op)) {
    emitted = evaluate(reshape.getInput(), Coords(tile_type(reshape.getInput()).getRank(), Coord{Coord::Uniform, i64(0)})).value;
  } else if (is_elementwise(op)) {
    llvm::SmallVector<Lanes> operands;
    for (Value operand : op->getOperands()) operands.push_back({scalar(operand), true});
    emitted = elementwise(op, operands).value;
  } else {
    fail(op, "is not known to the CPU target");
    emitted = i64(0);
  }
  scalars_[op->getResult(0)] = emitted;
}

void Emitter::emit_narrow(tile::NarrowOp op) {
  ViewParts parts = views_.find(op.getView())->second;
  const std::int64_t axis = op.getAxis();
  Value size = parts.sizes[axis];
  Value start = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, scalar(op.getStart()), i64(0)), size);
  Value rest = arith::SubIOp::create(b_, size, start);
  parts.sizes[axis] = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, scalar(op.getSize()), i64(0)), rest);
  const bool inner = parts.unit_inner_stride && axis + 1 == static_cast<std::int64_t>(parts.strides.size());
  Value offset = inner ? start : arith::MulIOp::create(b_, start, parts.strides[axis]).getResult();
  parts.base = gep(parts.base, offset, memory_type(parts.element));
  views_[op.getResult()] = parts;
}

// ---- carried values

llvm::SmallVector<Emitter::Value> Emitter::carry_in(mlir::ValueRange inits, mlir::ValueRange arguments) {
  llvm::SmallVector<Value> scalars;
  for (auto [init, argument] : llvm::zip(inits, arguments)) {
    const auto type = tile_type(init);
    if (!type) {
      scalars.push_back(scalar(init));
      continue;
    }
    Buffer* buffer = arena_.create(type.getShape(), scratch_type(type.getElementType()));
    copy_to(init, buffer);
    buffers_[argument] = buffer;
  }
  return scalars;
}

void Emitter::hint_yields(mlir::ValueRange yields, mlir::ValueRange arguments) {
  for (auto [yielded, argument] : llvm::zip(yields, arguments)) {
    if (tile_type(yielded) && llvm::count(yields, yielded) == 1 && plan_.may_overwrite(yielded, argument)) hints_[yielded] = buffers_[argument];
  }
}

llvm::SmallVector<Emitter::Value> Emitter::carry_back(mlir::ValueRange yields, mlir::ValueRange arguments) {
  llvm::SmallVector<Value> scalars;
  llvm::SmallVector<std::pair<Buffer*, Buffer*>> staged;  // what reads other arguments is staged, so that none is overwritten before it is read
  llvm::SmallVector<std::pair<Value, Buffer*>> direct;
  for (auto [yielded, argument] : llvm::zip(yields, arguments)) {
    const auto type = tile_type(yielded);
    if (!type) {
      scalars.push_back(scalar(yielded));
      continue;
    }
    Buffer* target = buffers_[argument];
    const auto source = buffers_.find(yielded);
    if (source != buffers_.end() && source->second == target) continue;
    const bool own_buffer = source != buffers_.end() && !llvm::isa<mlir::BlockArgument>(yielded) && !hints_.contains(yielded);
    if (own_buffer) {
      direct.push_back({yielded, target});
      continue;
    }
    Buffer* stage = arena_.create(type.getShape(), scratch_type(type.getElementType()));
    copy_to(yielded, stage);
    staged.push_back({stage, target});
  }
  for (auto [yielded, target] : direct) copy_to(yielded, target);
  for (auto [stage, target] : staged) {
    for_each(stage->shape, [&](const Coords& at) { write_buffer(target, stage->element, at, read_buffer(stage, stage->element, at)); });
  }
  return scalars;
}

void Emitter::bind_scalars(mlir::ValueRange values, mlir::ValueRange emitted) {
  std::size_t next = 0;
  for (Value value : values) {
    if (!tile_type(value)) scalars_[value] = emitted[next++];
  }
}

// ---- loops and branches

void Emitter::emit_for(scf::ForOp op) {
  const llvm::SmallVector<Value> inits = carry_in(op.getInitArgs(), op.getRegionIterArgs());
  Value from = scalar(op.getLowerBound()), to = scalar(op.getUpperBound()), step = scalar(op.getStep());
  arena_.enter_loop();
  auto emitted = scf::ForOp::create(b_, from, to, step, inits);
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    if (inits.empty()) b_.setInsertionPoint(emitted.getBody()->getTerminator());
    else b_.setInsertionPointToEnd(emitted.getBody());
    scalars_[op.getInductionVar()] = emitted.getInductionVar();
    bind_scalars(op.getRegionIterArgs(), emitted.getRegionIterArgs());
    mlir::ValueRange yields = op.getBody()->getTerminator()->getOperands();
    hint_yields(yields, op.getRegionIterArgs());
    NextTiles outer = std::exchange(next_tiles_, next_tiles(op));
    emit_block(*op.getBody());
    next_tiles_ = std::move(outer);
    if (!failed_) {
      const llvm::SmallVector<Value> next = carry_back(yields, op.getRegionIterArgs());
      if (!inits.empty()) scf::YieldOp::create(b_, next);
    }
  }
  for (auto [result, argument] : llvm::zip(op.getResults(), op.getRegionIterArgs())) {
    if (tile_type(result)) {
      buffers_[result] = buffers_[argument];
      arena_.touch(buffers_[argument]);
    }
  }
  arena_.leave_loop();
  bind_scalars(op.getResults(), emitted.getResults());
}

void Emitter::emit_if(scf::IfOp op) {
  llvm::SmallVector<mlir::Type> types;
  for (Value result : op.getResults()) {
    const auto type = tile_type(result);
    if (type) buffers_[result] = arena_.create(type.getShape(), scratch_type(type.getElementType()));
    else types.push_back(register_type(result.getType()));
  }
  const bool has_else = !op.getElseRegion().empty();
  auto emitted = scf::IfOp::create(b_, types, scalar(op.getCondition()), has_else);
  const auto branch = [&](mlir::Block& source, mlir::Block* target) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    if (types.empty()) b_.setInsertionPoint(target->getTerminator());
    else b_.setInsertionPointToEnd(target);
    emit_block(source);
    if (failed_) return;
    llvm::SmallVector<Value> scalars;
    for (auto [yielded, result] : llvm::zip(source.getTerminator()->getOperands(), op.getResults())) {
      if (tile_type(yielded)) copy_to(yielded, buffers_[result]);
      else scalars.push_back(scalar(yielded));
    }
    if (!types.empty()) scf::YieldOp::create(b_, scalars);
  };
  branch(*op.thenBlock(), emitted.thenBlock());
  if (has_else) branch(*op.elseBlock(), emitted.elseBlock());
  bind_scalars(op.getResults(), emitted.getResults());
}

void Emitter::emit_while(scf::WhileOp op) {
  const llvm::SmallVector<Value> inits = carry_in(op.getInits(), op.getBeforeArguments());
  llvm::SmallVector<mlir::Type> before_types, after_types;
  for (Value init : inits) before_types.push_back(init.getType());
  for (Value result : op.getResults()) {
    const auto type = tile_type(result);
    if (!type) after_types.push_back(register_type(result.getType()));
    else buffers_[result] = arena_.create(type.getShape(), scratch_type(type.getElementType()));
  }
  arena_.enter_loop();
  auto emitted = scf::WhileOp::create(b_, after_types, inits);
  {
    mlir::OpBuilder::InsertionGuard guard(b_);
    const llvm::SmallVector<mlir::Location> before_locs(before_types.size(), b_.getLoc()), after_locs(after_types.size(), b_.getLoc());
    mlir::Block* before = b_.createBlock(&emitted.getBefore(), {}, before_types, before_locs);
    bind_scalars(op.getBeforeArguments(), before->getArguments());
    emit_block(*op.getBeforeBody());
    if (failed_) return;
    auto condition = op.getConditionOp();
    llvm::SmallVector<Value> passed;
    for (auto [value, argument, result] : llvm::zip(condition.getArgs(), op.getAfterArguments(), op.getResults())) {
      if (!tile_type(value)) {
        passed.push_back(scalar(value));
        continue;
      }
      copy_to(value, buffers_[result]);
      buffers_[argument] = buffers_[result];
    }
    scf::ConditionOp::create(b_, scalar(condition.getCondition()), passed);

    mlir::Block* after = b_.createBlock(&emitted.getAfter(), {}, after_types, after_locs);
    bind_scalars(op.getAfterArguments(), after->getArguments());
    emit_block(*op.getAfterBody());
    if (failed_) return;
    scf::YieldOp::create(b_, carry_back(op.getAfterBody()->getTerminator()->getOperands(), op.getBeforeArguments()));
  }
  for (Value result : op.getResults()) {
    if (tile_type(result)) arena_.touch(buffers_[result]);
  }
  arena_.leave_loop();
  bind_scalars(op.getResults(), emitted.getResults());
}

// The driver's callback (CpuCallbacks in scratch) is told the message; the kernel runs on.
void Emitter::emit_assert(tile::AssertOp op) {
  Value holds;
  if (!tile_type(op.getCondition())) {
    holds = scalar(op.getCondition());
  } else {
    const auto shape = tile_type(op.getCondition()).getShape();
    Buffer* all = arena_.create({}, b_.getI8Type());
    write_buffer(all, b_.getI1Type(), {}, {int_like(b_.getI1Type(), 1), true});
    for_each_scalar(shape, {}, [&](Coords at) {
      Value so_far = read_buffer(all, b_.getI1Type(), {}).value;
      write_buffer(all, b_.getI1Type(), {}, {and_values(so_far, evaluate(op.getCondition(), at).value), true});
    });
    holds = read_buffer(all, b_.getI1Type(), {}).value;
  }
  Value failed = arith::XOrIOp::create(b_, holds, int_like(b_.getI1Type(), 1));
  auto branch = scf::IfOp::create(b_, failed, /*withElseRegion=*/false);
  mlir::OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(branch.thenBlock());
  const mlir::Type pointer = scratch_.getType();
  std::string text = op.getMessage().str();
  if (auto where = llvm::dyn_cast<mlir::FileLineColLoc>(op.getLoc()))
    text += " (" + where.getFilename().str() + ":" + std::to_string(where.getLine()) + ":" + std::to_string(where.getColumn()) + ")";
  auto module = source_->getParentOfType<mlir::ModuleOp>();
  const std::string name = "message_" + std::to_string(messages_++);
  {
    mlir::OpBuilder::InsertionGuard at_module(b_);
    b_.setInsertionPointToStart(module.getBody());
    text.push_back('\0');
    const auto type = LLVM::LLVMArrayType::get(b_.getI8Type(), text.size());
    LLVM::GlobalOp::create(b_, type, /*isConstant=*/true, LLVM::Linkage::Internal, name, b_.getStringAttr(text));
  }
  Value message = LLVM::AddressOfOp::create(b_, pointer, name);
  Value callback = LLVM::LoadOp::create(b_, pointer, scratch_, 8);
  Value context = LLVM::LoadOp::create(b_, pointer, gep(scratch_, i64(1), b_.getI64Type()), 8);
  const auto signature = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b_.getContext()), {pointer, pointer});
  LLVM::CallOp::create(b_, signature, mlir::ValueRange{callback, context, message});
}

}  // namespace tilewright::cpu
