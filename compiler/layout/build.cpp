// Layouts built from the inside out.
#include "compiler/layout/build.h"

#include <algorithm>

#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

constexpr int kMisuse = 9502;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The largest power of two, at most `limit`, into which `units` can be cut so that at most one in eight places stays empty.
int fitting_power(std::int64_t units, int limit) {
  int fit = 1;
  for (int p = 2; p <= limit && p < 2 * units; p *= 2) {
    const std::int64_t places = ceil_div(units, p) * p;
    if (8 * (places - units) <= places) fit = p;
  }
  return fit;
}

// Cuts the extents (what the tiler has not reached of them) among `threads` of one place, axes in `order`. First so that few are idle; if threads are then left over,
// they go to axes of which a thread still has several parts, for half idle is better than a copy.
void distribute(const std::vector<std::int64_t>& extents, const std::vector<int>& order, int threads, Place place, Tiler& tiler) {
  std::vector<int> along(extents.size(), 1);
  auto units = [&](int axis) { return ceil_div(extents[axis], tiler.extent(axis)); };
  for (int axis : order) {
    along[axis] = fitting_power(units(axis), threads);
    threads /= along[axis];
  }
  for (int axis : order) {
    while (threads > 1 && along[axis] < units(axis)) along[axis] *= 2, threads /= 2;
  }
  for (int axis : order) tiler.along(axis, along[axis], place);
  tiler.copies(threads, place);
}

void check_order(const std::vector<int>& order, std::size_t rank) {
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < rank; ++i) {
    if (sorted.size() != rank || sorted[i] != static_cast<int>(i)) throw Error(kMisuse, "layout: an order that does not name each axis once");
  }
}

}  // namespace

Tiler::Tiler(const LinearMap& atom, int rank) : atom_(atom.ordered(place_names(), axis_names(rank))) {
  for (const Dimension& d : atom_.outputs()) reached_.push_back(std::int64_t{1} << d.bits);
}

Tiler& Tiler::along(int axis, int count, Place place) {
  const bool on_axis = std::any_of(repeats_.begin(), repeats_.end(), [&](const Repeat& r) { return r.axis == axis; });
  const bool on_place = std::any_of(repeats_.begin(), repeats_.end(), [&](const Repeat& r) { return r.place == place; });
  if (count < 1 || (place == Place::kLane && (on_axis || !is_power_of_two(count)))) {
    throw Error(kMisuse, "layout: " + std::to_string(count) + " tiles along axis " + std::to_string(axis) + " by " + place_name(place));
  }
  if (count == 1) return *this;
  if (is_power_of_two(count) && !on_axis && !on_place) {
    atom_ = product(atom_, LinearMap::identity(place_name(place), axis_name(axis), log2_exact(count)));
  } else {
    repeats_.push_back({axis, reached_[axis], count, place});
  }
  reached_[axis] *= count;
  return *this;
}

Tiler& Tiler::copies(int count, Place place) {
  const bool on_place = std::any_of(repeats_.begin(), repeats_.end(), [&](const Repeat& r) { return r.place == place; });
  if (count < 1 || (place == Place::kLane && !is_power_of_two(count)))
    throw Error(kMisuse, "layout: " + std::to_string(count) + " copies by " + place_name(place));
  if (count == 1) return *this;
  if (is_power_of_two(count) && !on_place)
    atom_ = product(atom_, LinearMap({{place_name(place), log2_exact(count)}}, {}, BitMatrix::zero(0, log2_exact(count))));
  else repeats_.push_back({kCopies, 0, count, place});
  return *this;
}

Layout Tiler::cover(const std::vector<std::int64_t>& extents, const std::vector<int>& order) const {
  check_order(order, reached_.size());
  if (extents.size() != reached_.size()) throw Error(kMisuse, "layout: extents of another rank than the tiles");
  std::vector<Repeat> repeats = repeats_;
  for (int axis : order) {
    const std::int64_t count = ceil_div(extents[axis], reached_[axis]);
    if (count > 1) repeats.push_back({axis, reached_[axis], static_cast<int>(count), Place::kRegister});
  }
  return Layout(extents, atom_, std::move(repeats));
}

Layout blocked(const std::vector<std::int64_t>& extents, const BlockedOptions& options) {
  check_order(options.order, extents.size());
  if (!is_power_of_two(options.vector) || !is_power_of_two(options.lanes) || !is_power_of_two(options.warps)) {
    throw Error(kMisuse, "blocked layout: vector, lanes and warps are powers of two");
  }
  Tiler tiler(LinearMap(), static_cast<int>(extents.size()));
  if (!options.order.empty()) {
    const int fastest = options.order[0];
    tiler.along(fastest, static_cast<int>(std::min<std::int64_t>(options.vector, power_of_two_factor(extents[fastest]))), Place::kRegister);
  }
  distribute(extents, options.order, options.lanes, Place::kLane, tiler);
  distribute(extents, {options.order.rbegin(), options.order.rend()}, options.warps, Place::kWarp, tiler);
  return tiler.cover(extents, options.order);
}

Layout fragment(const std::vector<std::int64_t>& extents, const LinearMap& atom, const std::vector<int>& warps, const std::vector<int>& order) {
  if (warps.size() != extents.size()) throw Error(kMisuse, "fragment layout: a number of warps for each axis");
  Tiler tiler(atom, static_cast<int>(extents.size()));
  int spare = 1;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    // Of the warps, the largest divisor of their number that the extent can use.
    const std::int64_t useful = ceil_div(extents[axis], tiler.extent(static_cast<int>(axis)));
    int along = warps[axis];
    while (along > 1 && (warps[axis] % along != 0 || along >= 2 * useful)) --along;
    tiler.along(static_cast<int>(axis), along, Place::kWarp);
    spare *= warps[axis] / along;
  }
  if (spare > 1) tiler.copies(spare, Place::kWarp);
  return tiler.cover(extents, order);
}

}  // namespace tilewright::layout
