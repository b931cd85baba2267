// Accesses of a layout's threads to shared memory: which registers move together, and what that costs.
#pragma once

#include <vector>

#include "compiler/layout/banks.h"
#include "compiler/layout/index_expression.h"
#include "compiler/layout/layout.h"

namespace tilewright::layout {

// Whether the slots of a layout hold elements: Layout::holds() for many slots.
class Holding {
 public:
  explicit Holding(const Layout& layout) : extents_(layout.extents()), coordinates_(coordinate_expressions(layout)) {}
  bool operator()(Slot slot, int reg) const;

 private:
  std::vector<std::int64_t> extents_;
  std::vector<IndexExpression> coordinates_;
};

// The widest vectors, at most `limit` elements, of registers that are neighbours in memory in every thread. Registers that hold nothing, and copies of other
// registers, are left out. `whole`: only vectors that are all inside or all outside the tile, so that no write touches memory beyond the tile.
std::vector<RegisterGroup> memory_vectors(const Layout& layout, const IndexExpression& offset, int limit, bool whole);

// What these accesses take in all warps of a block, every lane taking part.
AccessCost access_cost(const BankModel& model, const Layout& layout, const IndexExpression& offset, const std::vector<RegisterGroup>& groups,
                       int element_bytes);

}  // namespace tilewright::layout
