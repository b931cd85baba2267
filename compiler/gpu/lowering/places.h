// Where the registers of thread 0 are in a tile, and those of a matrix instruction's fragment; other threads have theirs at places as far from each other.
#pragma once

#include "compiler/layout/layout.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace tilewright::gpu {

using Place = std::pair<std::int64_t, std::int64_t>;  // row, column

// The register at each place of a tile.
inline std::map<Place, int> places_of(const layout::Layout& layout) {
  std::map<Place, int> places;
  for (int reg = 0; reg < layout.registers(); ++reg) {
    const auto at = layout.coordinates({.reg = reg});
    places.try_emplace({at[0], at[1]}, reg);
  }
  return places;
}

// The offsets in a fragment of its registers, in their order.
inline std::vector<Place> fragment_places(const layout::LinearMap& atom) {
  std::vector<Place> places;
  const layout::LinearMap ordered = atom.ordered({"register", "lane"}, {"dim0", "dim1"}).restricted({"register"}, {"dim0", "dim1"});
  for (std::uint32_t reg = 0; reg < (1u << ordered.input_bits("register")); ++reg) {
    const layout::Point at = ordered.apply({reg});
    places.emplace_back(at[0], at[1]);
  }
  return places;
}

}  // namespace tilewright::gpu
