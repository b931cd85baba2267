// Conversions through shared memory in row-major order, and what all plans through shared memory have in common: sizes, guards, costs.
#include <algorithm>

#include "compiler/layout/conversion_parts.h"
#include "compiler/layout/queries.h"
#include "compiler/layout/shared_access.h"
#include "compiler/layout/shared_layout.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

template <class Body>
void for_threads(const Layout& layout, Body body) {
  Slot slot;
  for (slot.block = 0; slot.block < layout.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < layout.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < layout.lanes(); ++slot.lane) body(slot);
    }
  }
}

// The memory order of both sides of a reshape, or of one tile with padded rows.
SharedLayout rows(const Layout& layout, std::int64_t padding) {
  std::vector<int> order;
  for (int axis = layout.rank() - 1; axis >= 0; --axis) order.push_back(axis);
  return SharedLayout::strided(layout.extents(), order, padding);
}

}  // namespace

bool finish_shared(const Layout& source, const Layout& target, const ConversionOptions& options, SharedPlan& plan) {
  plan.elements = 0;
  plan.guard_writes = false;
  plan.write_cost = plan.read_cost = {};
  const std::vector<IndexExpression::Range> written = plan.write.ranges(), read = plan.read.ranges();
  auto reach = [&](const std::vector<IndexExpression::Range>& ranges, const std::vector<RegisterGroup>& groups) {
    for (const RegisterGroup& group : groups)
      plan.elements = std::max<std::int64_t>(plan.elements, ranges[group[0]].greatest + static_cast<std::int64_t>(group.size()));
  };
  for (const SharedPass& pass : plan.passes) {
    reach(written, pass.writes);
    reach(read, pass.reads);
    plan.write_cost += access_cost(options.banks, source, plan.write, pass.writes, options.element_bytes);
    plan.read_cost += access_cost(options.banks, target, plan.read, pass.reads, options.element_bytes);
  }
  const std::vector<Bounds> checks = bounds(source);
  const bool full = std::all_of(plan.passes.begin(), plan.passes.end(), [&](const SharedPass& pass) {
    return std::all_of(pass.writes.begin(), pass.writes.end(), [&](const RegisterGroup& group) {
      return std::all_of(group.begin(), group.end(), [&](int reg) { return checks[reg].validity == Validity::kAlways; });
    });
  });
  if (full) return true;
  // Memory of elements of the tile, and whether something else would be written there.
  const Holding holds(source);
  bool clean = true;
  for (const SharedPass& pass : plan.passes) {
    std::vector<bool> taken(plan.elements * source.blocks());
    auto visit = [&](auto body) {
      for_threads(source, [&](Slot slot) {
        for (const RegisterGroup& group : pass.writes) {
          slot.reg = group[0];
          const std::int64_t first = plan.write.at(slot) + plan.elements * slot.block;
          bool any = false;
          for (int reg : group) any = any || holds(slot, reg);
          for (std::size_t i = 0; i < group.size(); ++i) body(first + static_cast<std::int64_t>(i), holds(slot, group[i]), any);
        }
      });
    };
    visit([&](std::int64_t at, bool held, bool) {
      if (held) taken[at] = true;
    });
    visit([&](std::int64_t at, bool held, bool any) {
      if (held || !taken[at]) return;
      if (any) clean = false;
      else plan.guard_writes = true;
    });
  }
  return clean;
}

SharedPlan plan_row_major(const Layout& source, const Layout& target, const ConversionOptions& options) {
  const bool reshape = source.extents() != target.extents();
  std::optional<SharedPlan> best;
  // Rows moved by a word, or by a vector, fall into other banks.
  std::vector<std::int64_t> paddings = {0};
  for (int bytes = 4; bytes <= options.max_vector_bytes && !reshape && source.rank() > 1; bytes *= 2)
    paddings.push_back(std::max(1, bytes / options.element_bytes));
  for (std::int64_t padding : paddings) {
    SharedPlan plan;
    plan.write = *offset_expression(source, rows(source, padding));
    plan.read = *offset_expression(target, rows(target, padding));
    const int limit = std::max(1, options.max_vector_bytes / options.element_bytes);
    SharedPass& pass = plan.passes.emplace_back();
    pass.writes = memory_vectors(source, plan.write, limit, true);
    pass.reads = memory_vectors(target, plan.read, limit, false);
    plan.write_vector = static_cast<int>(pass.writes[0].size()), plan.read_vector = static_cast<int>(pass.reads[0].size());
    if (!finish_shared(source, target, options, plan))
      throw Error(9504, "conversion of layouts: vectors that do not end with the tile").note(source.to_string());
    auto cost = [](const SharedPlan& p) { return p.write_cost.wavefronts + p.read_cost.wavefronts; };
    if (!best || cost(plan) < cost(*best)) best = std::move(plan);
  }
  return *best;
}

}  // namespace tilewright::layout
