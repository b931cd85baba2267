// Trying arrangements of a tile in shared memory.
#include "compiler/layout/swizzle.h"

#include <algorithm>

#include "compiler/layout/shared_access.h"

namespace tilewright::layout {
namespace {

constexpr int kMatrixRows = 8, kMatrixRowBytes = 16;

// The axis along which elements are neighbours in memory.
int fastest_axis(const SharedLayout& layout) {
  for (std::size_t axis = 0; axis < layout.extents().size(); ++axis) {
    std::vector<std::int64_t> second(layout.extents().size(), 0);
    if (layout.extents()[axis] == 1) continue;
    second[axis] = 1;
    if (layout.offset(second) == layout.offset(std::vector<std::int64_t>(second.size(), 0)) + 1) return static_cast<int>(axis);
  }
  return 0;
}

// All matrices of the tile, one after the other.
std::optional<AccessCost> matrix_cost(const SharedLayout& layout, int element_bytes, int row_axis, const BankModel& banks) {
  const int column_axis = fastest_axis(layout);
  const std::int64_t columns = kMatrixRowBytes / element_bytes;
  if (row_axis == column_axis || columns == 0 || layout.extents()[column_axis] % columns != 0) return std::nullopt;
  AccessCost total;
  std::vector<std::int64_t> at(layout.extents().size(), 0);
  // Visits every matrix by counting through the coordinates of its first element.
  for (;;) {
    std::vector<std::int64_t> addresses;
    std::vector<std::int64_t> row = at;
    for (int r = 0; r < kMatrixRows; ++r, ++row[row_axis]) {
      if (row[row_axis] >= layout.extents()[row_axis]) {
        addresses.push_back(-1);
        continue;
      }
      std::vector<std::int64_t> element = row;
      const std::int64_t first = layout.offset(element);
      if (first % columns != 0) return std::nullopt;
      for (std::int64_t c = 0; c < columns; ++c, ++element[column_axis]) {
        if (layout.offset(element) != first + c) return std::nullopt;
      }
      addresses.push_back(first * element_bytes);
    }
    total += access_cost(banks, addresses, kMatrixRowBytes);
    std::size_t axis = 0;
    for (; axis < at.size(); ++axis) {
      at[axis] += static_cast<int>(axis) == row_axis ? kMatrixRows : static_cast<int>(axis) == column_axis ? columns : 1;
      if (at[axis] < layout.extents()[axis]) break;
      at[axis] = 0;
    }
    if (axis == at.size()) return total;
  }
}

// What no arrangement can do better: every access as wide as its registers allow along the axis of stride 1, without conflicts.
bool ideal(const TileArrangement& arrangement, const std::vector<TileAccess>& accesses, int element_bytes) {
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (arrangement.costs[i].conflicts() > 0) return false;
    if (accesses[i].kind != TileAccess::Kind::kRegisters) continue;
    const int widest =
        std::min<int>(accesses[i].max_vector_bytes / element_bytes, static_cast<int>(power_of_two_factor(accesses[i].layout->registers())));
    if (arrangement.vectors[i] < widest) return false;
  }
  return true;
}

}  // namespace

std::int64_t TileArrangement::cost() const {
  std::int64_t sum = 0;
  for (const AccessCost& c : costs) sum += c.wavefronts + c.accesses;
  return sum;
}

std::optional<TileArrangement> measure(const SharedLayout& layout, int element_bytes, const std::vector<TileAccess>& accesses,
                                       const BankModel& banks) {
  TileArrangement result{layout, std::nullopt, 0, {}, {}};
  for (const TileAccess& access : accesses) {
    AccessCost cost;
    int vector = 0;
    switch (access.kind) {
      case TileAccess::Kind::kBulk: break;
      case TileAccess::Kind::kMatrices: {
        const auto found = matrix_cost(layout, element_bytes, access.row_axis, banks);
        if (!found) return std::nullopt;
        cost = *found;
        vector = kMatrixRowBytes / element_bytes;
        break;
      }
      case TileAccess::Kind::kRegisters: {
        const auto offset = offset_expression(*access.layout, layout);
        if (!offset) return std::nullopt;
        const std::vector<RegisterGroup> groups = memory_vectors(*access.layout, *offset, std::max(1, access.max_vector_bytes / element_bytes), true);
        cost = access_cost(banks, *access.layout, *offset, groups, element_bytes);
        vector = static_cast<int>(groups[0].size());
        break;
      }
    }
    result.costs.push_back(cost);
    result.vectors.push_back(vector);
  }
  return result;
}

std::optional<TileArrangement> choose_arrangement(const std::vector<std::int64_t>& extents, const std::vector<int>& order, int element_bytes,
                                                  const std::vector<TileAccess>& accesses, const BankModel& banks) {
  const bool bulk = std::any_of(accesses.begin(), accesses.end(), [](const TileAccess& a) { return a.kind == TileAccess::Kind::kBulk; });
  const std::int64_t row_bytes = extents[order[0]] * element_bytes;
  if (bulk && row_bytes % kMatrixRowBytes != 0) return std::nullopt;
  std::int64_t elements = 1;
  for (std::int64_t extent : extents) elements *= extent;

  std::optional<TileArrangement> best;
  bool done = false;
  auto consider = [&](const SharedLayout& layout, std::optional<XorSwizzle> swizzle, std::int64_t padding) {
    if (done || 8 * (layout.size() - elements) > elements) return;
    auto candidate = measure(layout, element_bytes, accesses, banks);
    if (!candidate || (best && candidate->cost() >= best->cost())) return;
    candidate->swizzle = swizzle, candidate->padding = padding;
    best = std::move(candidate);
    done = ideal(*best, accesses, element_bytes);
  };
  consider(SharedLayout::strided(extents, order), std::nullopt, 0);
  if (extents.size() < 2) return best;
  for (int bytes : {128, 64, 32, 16})
    consider(SharedLayout::swizzled(extents, order, element_bytes, standard_swizzle(bytes)), standard_swizzle(bytes), 0);
  if (bulk) return best;
  for (int chunk = 16; chunk >= std::max(4, element_bytes); chunk /= 2) {
    for (int bits = 5; bits >= 1; --bits) {
      for (int shift = 0; shift <= 3; ++shift) {
        const XorSwizzle swizzle{chunk, bits, shift};
        if (swizzle.row_bytes() <= banks.line_bytes()) consider(SharedLayout::swizzled(extents, order, element_bytes, swizzle), swizzle, 0);
      }
    }
  }
  for (int bytes = 16; bytes >= std::max(4, element_bytes); bytes /= 2)
    consider(SharedLayout::strided(extents, order, bytes / element_bytes), std::nullopt, bytes / element_bytes);
  return best;
}

}  // namespace tilewright::layout
