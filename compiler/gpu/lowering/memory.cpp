// Loads and stores of views.
//
// A coordinate of a view is a uniform part, which the index gives, plus the position in the tile, which depends on thread and register. Where runs of registers are neighbours in memory and
// aligned, whole runs are accessed at once. Where a run may straddle the end of a row, that happens if the tile lies inside the view along the axis of the runs, which is tested when the kernel
// runs, and a second version accesses element by element.
#include "compiler/gpu/lowering/access.h"
#include "compiler/gpu/lowering/remarks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <limits>
#include <map>

namespace tilewright::gpu {

namespace arith = mlir::arith;
namespace LLVM = mlir::LLVM;
namespace scf = mlir::scf;

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

}  // namespace

Emitter::Access Emitter::open_access(const AccessShape& shape, const Layout* layout) {
  Access access;
  access.view = &views_.find(shape.view)->second;
  const ViewParts& view = *access.view;
  access.layout = layout;
  if (layout) access.bounds = layout::bounds(*layout);
  Value offset;  // i64, elements
  for (auto [d, map] : llvm::enumerate(shape.maps)) {
    Value index = shape.indices[d];
    Dimension dimension;
    if (!tile_type(index)) {
      dimension.uniform = scalar(index);
      if (dimension.uniform.getType() != b_.getI64Type()) dimension.uniform = arith::ExtSIOp::create(b_, b_.getI64Type(), dimension.uniform);
      offset = add(offset, arith::MulIOp::create(b_, dimension.uniform, view.strides[d]));
      dimension.axis = map >= 0 ? static_cast<int>(map) : -1;
      if (dimension.axis >= 0) {
        // In bounds are the positions p with 0 <= uniform + p < size.
        Value low = arith::SubIOp::create(b_, i64(0), dimension.uniform);
        low = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, low, i64(0)), i64(kMost));
        Value high = arith::SubIOp::create(b_, view.sizes[d], dimension.uniform);
        high = arith::MinSIOp::create(b_, arith::MaxSIOp::create(b_, high, low), i64(kMost));
        const mlir::Type i32_type = b_.getI32Type();
        dimension.low = arith::TruncIOp::create(b_, i32_type, low);
        dimension.extent = arith::SubIOp::create(b_, arith::TruncIOp::create(b_, i32_type, high), dimension.low);
      }
    } else {
      const Layout& from = layout_of(index);
      std::vector<int> sources(access.layout->registers());
      if (map == tile::kMapWhole) {
        for (std::size_t reg = 0; reg < sources.size(); ++reg) sources[reg] = static_cast<int>(reg);
      } else {
        sources = matching_registers(*access.layout, from, {{static_cast<int>(map), 0}});
      }
      std::map<int, Value> widened;
      for (int source : sources) {
        Value& coordinate = widened[source];
        if (!coordinate) coordinate = registers(index)[std::max(source, 0)];
        if (coordinate.getType() != b_.getI64Type()) coordinate = arith::ExtSIOp::create(b_, b_.getI64Type(), coordinate);
        dimension.each.push_back(coordinate);
      }
    }
    access.dimensions.push_back(std::move(dimension));
  }
  access.base = view.base;
  if (offset) access.base = LLVM::GEPOp::create(b_, view.base.getType(), memory_type(view.element), view.base, LLVM::GEPArg(offset));

  access.contiguous_axis = shape.contiguous_axis();
  if (access.layout && access.contiguous_axis >= 0) {
    access.width = layout::vector_width(*access.layout, access.contiguous_axis, shape.aligned_elements());
    const Dimension& inner = access.dimensions.back();
    if (access.width > 1 && !shape.runs_are_whole()) {
      Value from_start = arith::CmpIOp::create(b_, arith::CmpIPredicate::eq, inner.low, i32(0));
      Value to_end = arith::CmpIOp::create(b_, arith::CmpIPredicate::sge, inner.extent, i32(access.layout->extents()[access.contiguous_axis]));
      access.whole_runs = and_(from_start, to_end);
    }
  }
  return access;
}

Emitter::Value Emitter::address(Access& access, int reg) {
  Value address = access.base;
  const mlir::Type element = memory_type(access.view->element);
  Value elements;
  std::int64_t constant = 0;
  for (auto [d, dimension] : llvm::enumerate(access.dimensions)) {
    Value stride = access.view->strides[d];
    if (!dimension.each.empty()) {
      elements = add(elements, arith::MulIOp::create(b_, dimension.each[reg], stride));
    } else if (dimension.axis >= 0) {
      const layout::IndexExpression at = layout::coordinate_expression(*access.layout, dimension.axis);
      const bool unit = dimension.axis == access.contiguous_axis && d + 1 == access.dimensions.size();
      const bool adds = at.register_adds();
      Value position = adds ? thread_part(at) : evaluate(at, reg);
      if (position) {
        Value wide = arith::ExtUIOp::create(b_, b_.getI64Type(), position);
        elements = add(elements, unit ? wide : arith::MulIOp::create(b_, wide, stride).getResult());
      }
      if (const std::int64_t own = adds ? at.register_offset(reg) : 0; own != 0) {
        if (unit) constant += own;
        else elements = add(elements, arith::MulIOp::create(b_, i64(own), stride));
      }
    }
  }
  if (elements) address = LLVM::GEPOp::create(b_, address.getType(), element, address, LLVM::GEPArg(elements));
  if (constant != 0) address = LLVM::GEPOp::create(b_, address.getType(), element, address, LLVM::GEPArg(static_cast<std::int32_t>(constant)));
  return address;
}

Emitter::Value Emitter::next_address(Access& access, RunningAddress& running, int reg) {
  std::vector<std::int64_t> offsets;
  std::int64_t constant = 0;
  for (auto [d, dimension] : llvm::enumerate(access.dimensions)) {
    if (dimension.axis < 0 && dimension.each.empty()) continue;
    if (!dimension.each.empty()) return address(access, reg);
    const layout::IndexExpression at = layout::coordinate_expression(*access.layout, dimension.axis);
    if (!at.register_adds()) return address(access, reg);
    const bool unit = dimension.axis == access.contiguous_axis && d + 1 == access.dimensions.size();
    (unit ? constant : offsets.emplace_back()) = at.register_offset(reg);
  }
  const mlir::Type element = memory_type(access.view->element);
  if (!running.at) {
    running.at = address(access, reg);
    running.offsets = offsets;
    running.constant = constant;
    return running.at;
  }
  Value step;
  std::size_t i = 0;
  for (auto [d, dimension] : llvm::enumerate(access.dimensions)) {
    const bool unit = dimension.axis == access.contiguous_axis && d + 1 == access.dimensions.size();
    if (dimension.axis < 0 || unit) continue;
    if (const std::int64_t by = offsets[i] - running.offsets[i]; by != 0) step = add(step, arith::MulIOp::create(b_, i64(by), access.view->strides[d]));
    ++i;
  }
  if (step) running.at = LLVM::GEPOp::create(b_, running.at.getType(), element, running.at, LLVM::GEPArg(step));
  running.offsets = offsets;
  if (constant == running.constant) return running.at;
  return LLVM::GEPOp::create(b_, running.at.getType(), element, running.at, LLVM::GEPArg(static_cast<std::int32_t>(constant - running.constant)));
}

Emitter::Value Emitter::in_bounds(Access& access, int reg) {
  Value all;
  for (auto [d, dimension] : llvm::enumerate(access.dimensions)) {
    Value size = access.view->sizes[d];
    const auto below = [&](Value x, Value limit) { return arith::CmpIOp::create(b_, arith::CmpIPredicate::ult, x, limit).getResult(); };
    if (!dimension.each.empty()) {
      all = and_(all, below(dimension.each[reg], size));
    } else if (dimension.axis < 0) {
      all = and_(all, below(dimension.uniform, size));
    } else if (!(access.runs_inside && dimension.axis == access.contiguous_axis)) {
      // Registers at one position share a check.
      const layout::IndexExpression at = layout::coordinate_expression(*access.layout, dimension.axis);
      Value position = evaluate(at, reg);
      all = and_(all, below(arith::SubIOp::create(b_, position, dimension.low), dimension.extent));
    }
  }
  return all;
}

Registers Emitter::load_registers(tile::LoadOp op, Access& access, int width) {
  const Layout& layout = *access.layout;
  const mlir::Type element = access.view->element, held = memory_type(element);
  Value mask = op.getMask(), other = op.getOther();
  const auto other_of = [&](int reg) {
    if (!other) return zero(held);
    return to_memory(tile_type(other) ? registers(other)[reg] : scalar(other));
  };
  Registers loaded(layout.registers());
  const int axis = width > 1 ? access.contiguous_axis : 0;
  for (const layout::RegisterGroup& group : layout::vector_registers(layout, axis, width)) {
    const int first = group.front();
    if (access.bounds[first].validity == layout::Validity::kNever) {
      for (int reg : group) loaded[reg] = zero(element);
      continue;
    }
    Value predicate = and_(in_bounds(access, first), inside(layout, access.bounds[first], first));
    if (mask) predicate = and_(predicate, registers(mask)[first]);
    if (width == 1) {
      loaded[first] = from_memory(target_.load(b_, held, address(access, first), predicate, other_of(first)), element);
      continue;
    }
    const auto type = mlir::VectorType::get({width}, held);
    Value others = poison(type);
    for (auto [i, reg] : llvm::enumerate(group)) others = LLVM::InsertElementOp::create(b_, others, other_of(reg), i32(static_cast<std::int64_t>(i)));
    Value vector = target_.load(b_, type, address(access, first), predicate, others);
    for (auto [i, reg] : llvm::enumerate(group))
      loaded[reg] = from_memory(LLVM::ExtractElementOp::create(b_, vector, i32(static_cast<std::int64_t>(i))), element);
  }
  return loaded;
}

// The widest run over which a mask is one and the same value.
static int uniform_width(const layout::Layout& layout, int axis, int width, const Registers& mask) {
  for (; width > 1; width /= 2) {
    const bool uniform = llvm::all_of(layout::vector_registers(layout, axis, width), [&](const layout::RegisterGroup& group) {
      return llvm::all_of(group, [&](int reg) { return mask[reg] == mask[group.front()]; });
    });
    if (uniform) break;
  }
  return width;
}

void Emitter::order_memory(mlir::Operation* op, Value view) {
  const auto root = [](Value of) {
    while (auto narrow = of.getDefiningOp<tile::NarrowOp>()) of = narrow.getView();
    return of;
  };
  // Atomic operations of one kind whose order does not matter: nobody asks what was there.
  const auto unordered = [](mlir::Operation* of) {
    auto atomic = llvm::dyn_cast<tile::AtomicOp>(of);
    return atomic && atomic.commutes() && atomic.use_empty();
  };
  const auto together = [&](mlir::Operation* a, tile::AtomicOp b) {
    return unordered(a) && unordered(b) && llvm::cast<tile::AtomicOp>(a).getKind() == b.getKind();
  };
  const bool writes = llvm::isa<tile::StoreOp, tile::AtomicOp>(op);
  // A write of several turns of a loop meets itself.
  bool ordered = writes && !unordered(op) && (op->getParentOfType<scf::ForOp>() || op->getParentOfType<scf::WhileOp>());
  source_.walk([&](mlir::Operation* other) {
    if (auto load = llvm::dyn_cast<tile::LoadOp>(other)) ordered |= writes && root(load.getView()) == root(view);
    if (auto store = llvm::dyn_cast<tile::StoreOp>(other)) ordered |= other != op && root(store.getView()) == root(view);
    if (auto atomic = llvm::dyn_cast<tile::AtomicOp>(other)) ordered |= other != op && root(atomic.getView()) == root(view) && !together(op, atomic);
  });
  if (ordered) meet_for_memory();
}

void Emitter::meet_for_memory() {
  const auto barrier = tile_gpu::BarrierAttr::get(b_.getContext(), tile_gpu::BarrierKind::Memory, barriers_++);
  marker_.mark(tile_gpu::kBarrierAttr, barrier, [&] {
    if (teams_ != 0) team_barrier();
    else if (barrier_warps_ == 0) target_.memory_barrier(b_);
    else target_.barrier_of(b_, barrier_warps_);
  });
}

void Emitter::emit_load(tile::LoadOp op) {
  order_memory(op, op.getView());
  const mlir::Type element = tile::element_type_of(op.getType());
  Access access = open_access(AccessShape::of(op), tile_type(op.getResult()) ? &layout_of(op.getResult()) : nullptr);
  if (!access.layout) {
    Value predicate = in_bounds(access, 0);
    if (op.getMask()) predicate = and_(predicate, scalar(op.getMask()));
    Value other = op.getOther() ? to_memory(scalar(op.getOther())) : zero(memory_type(element));
    scalars_[op.getResult()] = from_memory(target_.load(b_, memory_type(element), address(access, 0), predicate, other), element);
    return;
  }
  int width = access.width;
  if (width > 1 && op.getMask()) width = uniform_width(*access.layout, access.contiguous_axis, width, registers(op.getMask()));
  remark(op, coalescing_remark(AccessShape::of(op), *access.layout, width));
  if (width == 1) {
    if (access.layout->elements() >= 4 * target_.lanes() * warps_) remark(op, "loads element by element");
    return bind(op.getResult(), load_registers(op, access, 1));
  }
  if (!access.whole_runs) return bind(op.getResult(), load_registers(op, access, width));
  auto branch = scf::IfOp::create(b_, flattened_types(op.getResult()), access.whole_runs, /*withElseRegion=*/true);
  const auto version = [&](mlir::Region& region, bool runs) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(&region.front());
    access.runs_inside = runs;
    scf::YieldOp::create(b_, load_registers(op, access, runs ? width : 1));
  };
  version(branch.getThenRegion(), true);
  version(branch.getElseRegion(), false);
  bind(op.getResult(), llvm::to_vector(mlir::ValueRange(branch.getResults())));
}

void Emitter::store_registers(tile::StoreOp op, Access& access, int width) {
  const Layout& layout = *access.layout;
  const Registers& values = registers(op.getValue());
  const mlir::Type held = memory_type(access.view->element);
  Value mask = op.getMask();
  Value owns = owned(layout);
  const layout::Owners owners = layout::owners(layout);
  const int axis = width > 1 ? access.contiguous_axis : 0;
  for (const layout::RegisterGroup& group : layout::vector_registers(layout, axis, width)) {
    const int first = group.front();
    if (access.bounds[first].validity == layout::Validity::kNever || !llvm::is_contained(owners.registers, first)) continue;
    Value predicate = and_(owns, and_(in_bounds(access, first), inside(layout, access.bounds[first], first)));
    if (mask) predicate = and_(predicate, registers(mask)[first]);
    Value value = to_memory(values[first]);
    if (width > 1) {
      value = poison(mlir::VectorType::get({width}, held));
      for (auto [i, reg] : llvm::enumerate(group))
        value = LLVM::InsertElementOp::create(b_, value, to_memory(values[reg]), i32(static_cast<std::int64_t>(i)));
    }
    target_.store(b_, value, address(access, first), predicate);
  }
}

void Emitter::emit_store(tile::StoreOp op) {
  order_memory(op, op.getView());
  Access access = open_access(AccessShape::of(op), tile_type(op.getValue()) ? &layout_of(op.getValue()) : nullptr);
  if (!access.layout) {
    Value predicate = in_bounds(access, 0);
    if (op.getMask()) predicate = and_(predicate, scalar(op.getMask()));
    target_.store(b_, to_memory(scalar(op.getValue())), address(access, 0), and_(predicate, is_first_thread()));
    return;
  }
  int width = access.width;
  if (width > 1 && op.getMask()) width = uniform_width(*access.layout, access.contiguous_axis, width, registers(op.getMask()));
  remark(op, coalescing_remark(AccessShape::of(op), *access.layout, width));
  if (width == 1 || !access.whole_runs) return store_registers(op, access, width);
  auto branch = scf::IfOp::create(b_, mlir::TypeRange(), access.whole_runs, /*withElseRegion=*/true);
  const auto version = [&](mlir::Region& region, bool runs) {
    mlir::OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(&region.front());
    access.runs_inside = runs;
    store_registers(op, access, runs ? width : 1);
  };
  version(branch.getThenRegion(), true);
  version(branch.getElseRegion(), false);
}

}  // namespace tilewright::gpu
