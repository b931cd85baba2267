// What a kernel's author sees of a run: print, assert, and tiles as text.
#include "compiler/reference/interpreter.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace tilewright::reference {

using program::Op;

namespace {

constexpr std::int64_t kWholeUpTo = 64;  // elements; longer tiles are shortened
constexpr std::int64_t kEdge = 3;        // elements shown at either end of a shortened axis

// The shortest text that reads back as the same value.
std::string element_text(const Tile& tile, std::int64_t i) {
  if (tile.dtype() == DType::Bool) return tile.integer(i) ? "true" : "false";
  return visit_any(tile.dtype(), [&]<class T>(std::type_identity<T>) {
    char text[48];
    const auto end = std::to_chars(text, text + sizeof text, widen(tile.data<T>()[i])).ptr;
    return std::string(text, end);
  });
}

void nested(std::string& text, const Tile& tile, std::size_t axis, std::int64_t first) {
  if (axis == tile.shape().size()) {
    text += element_text(tile, first);
    return;
  }
  const AxisSplit split(tile.shape(), static_cast<std::int64_t>(axis));
  const bool shortened = tile.elements() > kWholeUpTo && split.extent > 2 * kEdge;
  text += '[';
  for (std::int64_t i = 0; i < split.extent; ++i) {
    if (i > 0) text += ", ";
    if (shortened && i == kEdge) {
      text += "..., ";
      i = split.extent - kEdge;
    }
    nested(text, tile, axis + 1, first + i * split.inner);
  }
  text += ']';
}

std::string index_text(const Shape& shape, std::int64_t place) {
  std::string text;
  for (std::size_t axis = shape.size(); axis-- > 0; place /= shape[axis]) {
    text.insert(0, std::to_string(place % shape[axis]) + (text.empty() ? "" : ", "));
  }
  return "[" + text + "]";
}

std::string grid_text(const GridIndex& index) {
  return "(" + std::to_string(index[0]) + ", " + std::to_string(index[1]) + ", " + std::to_string(index[2]) + ")";
}

}  // namespace

std::string to_text(const Tile& tile) {
  std::string text;
  if (!tile.shape().empty()) text = program::to_string(program::Type{tile.dtype(), tile.shape(), false}) + " ";
  nested(text, tile, 0, 0);
  return text;
}

void Interpreter::run_print(const Op& op) {
  std::string line = grid_text(program_id_) + " " + op.text;
  for (std::size_t i = 0; i < op.operands.size(); ++i) line += (i ? ", " : " ") + to_text(operand(op, i));
  if (hooks_.print) {
    hooks_.print(line);
  } else {
    std::puts(line.c_str());
  }
}

void Interpreter::run_assert(const Op& op) {
  const Tile& holds = operand(op, 0);
  for (std::int64_t i = 0; i < holds.elements(); ++i) {
    if (holds.integer(i) != 0) continue;
    Error error(3401, "assertion failed: " + op.text, position(op));
    error.note("in program " + grid_text(program_id_) + " of " + grid_text(num_programs_));
    if (!holds.shape().empty()) error.note("first false at element " + index_text(holds.shape(), i) + " of " + program::to_string(holds.shape()));
    throw error;
  }
}

}  // namespace tilewright::reference
