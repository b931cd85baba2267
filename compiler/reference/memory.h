// Views of memory, and the loads, stores and atomic operations through them.
//
// Every address is made from coordinates checked against the view's sizes, so an access outside a view cannot happen; a view narrowed from
// another lies inside it.
#pragma once

#include "compiler/reference/tile.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tilewright::reference {

struct View {
  DType dtype = DType::F32;
  std::byte* base = nullptr;
  std::vector<std::int64_t> sizes, strides;  // in elements

  std::byte* at(std::int64_t offset) const { return base + offset * static_cast<std::int64_t>(size_of(dtype)); }
};

View narrow(const View& view, std::int64_t axis, std::int64_t start, std::int64_t size);

// The maps and index operands of a Load or Store, as opcodes.def defines them: one of each a view dimension.
struct Indexing {
  std::span<const std::int64_t> maps;
  std::vector<Tile> indices;
};

// mask and other may be null. other is a scalar or a tile of `shape`.
Tile load(const View& view, const Indexing& indexing, const Shape& shape, const Tile* mask, const Tile* other);
void store(const View& view, const Indexing& indexing, const Tile& value, const Tile* mask);
// What the elements were. Elements act in row-major order. `expected` goes with CompareExchange.
Tile atomic(program::AtomicKind kind, const View& view, const Indexing& indexing, const Tile* expected, const Tile& value, const Tile* mask);

}  // namespace tilewright::reference
