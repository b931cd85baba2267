// Layouts as text: the table of to_string() and the picture of draw().
#include <algorithm>

#include "compiler/layout/layout.h"
#include "runtime/support/error.h"

namespace tilewright::layout {
namespace {

std::string joined(const std::vector<std::int64_t>& extents) {
  std::string text;
  for (std::int64_t extent : extents) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

std::string right(const std::string& text, std::size_t width) { return std::string(width > text.size() ? width - text.size() : 0, ' ') + text; }

std::string slot_name(const Layout& layout, const Slot& slot) {
  std::string name = std::to_string(slot.lane) + ":" + std::to_string(slot.reg);
  if (layout.warps() > 1 || layout.blocks() > 1) name = std::to_string(slot.warp) + ":" + name;
  if (layout.blocks() > 1) name = std::to_string(slot.block) + ":" + name;
  return name;
}

}  // namespace

std::string Layout::to_string() const {
  std::vector<std::int64_t> atom(rank());
  for (int axis = 0; axis < rank(); ++axis) atom[axis] = atom_extent(axis);
  std::string text = joined(extents_) + " in atoms of " + joined(atom) + "\n";
  for (const Repeat& r : repeats_) {
    text += "repeat " + std::to_string(r.count) + " by " + place_name(r.place) + " ";
    text += r.axis == kCopies ? "(copies)\n" : "along " + axis_name(r.axis) + ", stride " + std::to_string(r.stride) + "\n";
  }
  return text + atom_.to_string();
}

std::string draw(const Layout& layout) {
  if (layout.rank() < 1 || layout.rank() > 2) throw Error(9502, "layout: only tiles of rank 1 and 2 can be drawn").note(layout.to_string());
  const std::int64_t rows = layout.rank() == 2 ? layout.extents()[0] : 1, columns = layout.extents().back();
  std::vector<std::string> names(rows * columns);
  Slot slot;
  for (slot.block = 0; slot.block < layout.blocks(); ++slot.block) {
    for (slot.warp = 0; slot.warp < layout.warps(); ++slot.warp) {
      for (slot.lane = 0; slot.lane < layout.lanes(); ++slot.lane) {
        for (slot.reg = 0; slot.reg < layout.registers(); ++slot.reg) {
          if (!layout.holds(slot)) continue;
          const std::vector<std::int64_t> where = layout.coordinates(slot);
          std::string& name = names[(layout.rank() == 2 ? where[0] * columns : 0) + where.back()];
          if (name.empty()) name = slot_name(layout, slot);
        }
      }
    }
  }
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  const std::size_t margin = std::to_string(rows - 1).size();
  std::string text = std::string(margin + 1, ' ');
  for (std::int64_t c = 0; c < columns; ++c) text += "  " + right(std::to_string(c), width);
  for (std::int64_t r = 0; r < rows; ++r) {
    text += "\n" + right(std::to_string(r), margin) + " ";
    for (std::int64_t c = 0; c < columns; ++c) text += "  " + right(names[r * columns + c], width);
  }
  return text + "\n";
}

}  // namespace tilewright::layout
