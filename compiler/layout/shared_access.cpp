// Vectors of registers in shared memory, and the wavefronts of their accesses.
#include "compiler/layout/shared_access.h"

#include <algorithm>

#include "compiler/layout/queries.h"

namespace tilewright::layout {
namespace {

// A vector that is wholly in or wholly out of the tile in every thread.
bool moves_together(const Layout& layout, const std::vector<RegisterGroup>& groups) {
  const std::vector<Bounds> checks = bounds(layout);
  if (std::all_of(checks.begin(), checks.end(), [](const Bounds& b) { return b.validity == Validity::kAlways; })) return true;
  const Holding holds(layout);
  Slot slot;
  for (slot.block = 0; slot.block < layout.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < layout.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < layout.lanes(); ++slot.lane) {
        for (const RegisterGroup& group : groups) {
          const bool first = holds(slot, group[0]);
          if (std::any_of(group.begin(), group.end(), [&](int reg) { return holds(slot, reg) != first; })) return false;
        }
      }
    }
  }
  return true;
}

std::vector<RegisterGroup> useful(const Layout& layout, std::vector<RegisterGroup> groups) {
  std::vector<bool> idle;
  for (const Bounds& b : bounds(layout)) idle.push_back(b.validity == Validity::kNever);
  for (const auto& [copy, original] : register_copies(layout)) idle[copy] = true;
  std::erase_if(groups, [&](const RegisterGroup& group) { return std::all_of(group.begin(), group.end(), [&](int reg) { return idle[reg]; }); });
  return groups;
}

}  // namespace

bool Holding::operator()(Slot slot, int reg) const {
  slot.reg = reg;
  for (std::size_t axis = 0; axis < coordinates_.size(); ++axis) {
    if (coordinates_[axis].at(slot) >= extents_[axis]) return false;
  }
  return true;
}

std::vector<RegisterGroup> memory_vectors(const Layout& layout, const IndexExpression& offset, int limit, bool whole) {
  for (int width = limit; width > 1; width /= 2) {
    const auto groups = consecutive_registers(offset, {}, width);
    if (groups && (!whole || moves_together(layout, *groups))) return useful(layout, *groups);
  }
  return useful(layout, *consecutive_registers(offset, {}, 1));
}

AccessCost access_cost(const BankModel& model, const Layout& layout, const IndexExpression& offset, const std::vector<RegisterGroup>& groups,
                       int element_bytes) {
  AccessCost total;
  std::vector<std::int64_t> addresses(layout.lanes());
  // Offsets that are linear over bits differ between warps and groups by a constant, xored or a multiple of the rest: the same lanes meet in each of them.
  const bool alike = offset.words.size() == 1 && offset.words[0].stride == 1;
  const int warps = alike ? 1 : layout.warps();
  const std::size_t count = alike ? std::min<std::size_t>(1, groups.size()) : groups.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (int warp = 0; warp < warps; ++warp) {
      for (int lane = 0; lane < layout.lanes(); ++lane) addresses[lane] = offset.at({groups[i][0], lane, warp, 0}) * element_bytes;
      total += access_cost(model, addresses, static_cast<int>(groups[i].size()) * element_bytes);
    }
  }
  if (alike) {
    const std::int64_t times = static_cast<std::int64_t>(groups.size()) * layout.warps();
    total.accesses *= times, total.wavefronts *= times, total.least *= times;
  }
  return total;
}

}  // namespace tilewright::layout
