// What a code generator asks of a layout: how wide a thread can load and store, where bounds are to be checked, which of several copies is stored, and which
// threads meet in a reduction.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/layout/index_expression.h"
#include "compiler/layout/layout.h"

namespace tilewright::layout {

// The largest power of two w for which every thread's registers fall into runs of w neighbours along `axis` that begin at multiples of w.
int contiguity(const Layout& layout, int axis);
// The widest vector along `axis`, at most `limit` elements, that lies inside or outside the extents as a whole: contiguity that divides the extent.
int vector_width(const Layout& layout, int axis, int limit);
// The registers of each vector of `width` elements along `axis`, in the order of the elements; width is a power of two up to contiguity().
std::vector<RegisterGroup> vector_registers(const Layout& layout, int axis, int width);

// Whether a register holds an element.
enum class Validity : std::uint8_t {
  kAlways,     // in every thread
  kSometimes,  // to be checked along the axes of Bounds
  kNever,      // in no thread
};
struct Bounds {
  Validity validity = Validity::kAlways;
  std::vector<int> axes;  // where some threads are inside the extent and others outside; all other axes are inside in every thread
};
// For each register. One that no thread uses because along different axes different threads are outside counts as kSometimes.
std::vector<Bounds> bounds(const Layout& layout);

// Which slots own their elements: each element of the tile has exactly one owner.
struct Owners {
  // Bits of the lane (warp, block) number that are 0 in owners.
  std::uint32_t lane_mask = 0, warp_mask = 0, block_mask = 0;
  // Digits of the warp (block) number, number / divisor % count, that are 0 in owners.
  struct Digit {
    Place place;
    int divisor;
    int count;
  };
  std::vector<Digit> digits;
  // The registers of an owner that hold elements of their own; in increasing order.
  std::vector<int> registers;

  // Whether the lane, warp and block of the slot own the elements in `registers`.
  bool owns(const Slot& slot) const;
  // No condition on the thread at all.
  bool every_thread() const { return lane_mask == 0 && warp_mask == 0 && block_mask == 0 && digits.empty(); }
};
Owners owners(const Layout& layout);

// The threads that together hold the elements along one axis, each element in one of them: where a reduction along the axis has to meet.
// A reduction first combines the registers of a thread that sliced() (shape.h) maps to one register; then thread x combines with x ^ mask for each mask; then
// over the digits.
struct AxisThreads {
  std::vector<std::uint32_t> lane_masks, warp_masks, block_masks;
  std::vector<Repeat> digits;  // of the warp and block numbers
  // False where a lane meets another lane in another register (or another warp in another lane): then convert the layout before reducing.
  bool separable = true;
};
AxisThreads axis_threads(const Layout& layout, int axis);

// Whether it is easily seen that each element is held by one warp alone, the same in both layouts; so that what moves between them stays inside of warps.
bool same_warps(const Layout& a, const Layout& b);

// Registers of a layout that hold, in every thread, the same element as another register: {copy, original}. Originals are no copies.
std::vector<std::pair<int, int>> register_copies(const Layout& layout);

}  // namespace tilewright::layout
