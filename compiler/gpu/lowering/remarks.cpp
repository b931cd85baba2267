#include "compiler/gpu/lowering/remarks.h"

#include "compiler/layout/queries.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace tilewright::gpu {

namespace {

constexpr std::int64_t kSectorBytes = 32;
constexpr std::size_t kSampledInstructions = 16;  // the others repeat them at other places

// Where a dimension of the view says an element lies, as far as it is known: the sector along the contiguous dimension, or a number that tells places apart.
using Place = std::vector<std::int64_t>;

Place place_of(const AccessShape& access, const std::vector<std::int64_t>& coordinates, std::int64_t element_bytes, bool contiguous) {
  Place place;
  for (std::size_t d = 0; d < access.maps.size(); ++d) {
    const std::int64_t map = access.maps[d];
    if (map == tile::kMapWhole) place.insert(place.end(), coordinates.begin(), coordinates.end());
    else if (map >= 0) place.push_back(contiguous && d + 1 == access.maps.size() ? coordinates[map] * element_bytes / kSectorBytes : coordinates[map]);
  }
  return place;
}

const char* reason(const AccessShape& access) {
  if (access.maps.empty() || access.maps.back() == tile::kMapPoint) return "the tile does not run along the view's last dimension";
  if (!access.indices.back().getType().isInteger()) return "an index tile says where each element lies";
  if (access.contiguous_axis() < 0) return "the view's last dimension is not known to have stride 1";
  return "its lanes are in many rows";
}

}  // namespace

SectorCount sectors_of(const AccessShape& access, const layout::Layout& layout, int width) {
  const bool contiguous = access.contiguous_axis() >= 0;
  const std::int64_t element_bytes = std::max<std::int64_t>(1, access.element.getIntOrFloatBitWidth() / 8);
  SectorCount most;
  std::size_t instructions = 0;
  for (const layout::RegisterGroup& group : layout::vector_registers(layout, contiguous ? access.contiguous_axis() : 0, width)) {
    if (++instructions > kSampledInstructions) break;
    std::set<Place> sectors;
    std::set<std::vector<std::int64_t>> elements;
    for (int lane = 0; lane < layout.lanes(); ++lane) {
      for (int reg : group) {
        const layout::Slot slot{.reg = reg, .lane = lane};
        if (!layout.holds(slot)) continue;
        std::vector<std::int64_t> at = layout.coordinates(slot);
        sectors.insert(place_of(access, at, element_bytes, contiguous));
        elements.insert(std::move(at));
      }
    }
    const auto touched = static_cast<std::int64_t>(sectors.size()), bytes = static_cast<std::int64_t>(elements.size()) * element_bytes;
    if (touched > most.touched) most = {touched, (bytes + kSectorBytes - 1) / kSectorBytes, bytes};
  }
  return most;
}

std::string coalescing_remark(const AccessShape& access, const layout::Layout& layout, int width) {
  const SectorCount count = sectors_of(access, layout, width);
  if (layout.elements() < layout.lanes() || count.touched < 2 * count.needed) return {};
  return "uncoalesced access: a warp touches " + std::to_string(count.touched) + " sectors of 32 bytes at once for " + std::to_string(count.bytes) + " bytes, since " + reason(access);
}

std::string bank_remark(const layout::AccessCost& cost, const char* what) {
  if (cost.least == 0 || cost.wavefronts < 2 * cost.least) return {};
  return "predicted bank conflicts: " + std::to_string((cost.wavefronts + cost.least - 1) / cost.least) + "-way where " + what;
}

}  // namespace tilewright::gpu
