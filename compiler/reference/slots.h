// Arguments of a program as 64-bit slots, in the convention of runtime/artifact.h: a view takes its address, sizes and strides; a scalar its bits.
#pragma once

#include "compiler/reference/memory.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace tilewright::reference {

inline void append_view(std::vector<std::uint64_t>& slots, void* data, std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides) {
  slots.push_back(reinterpret_cast<std::uintptr_t>(data));
  for (std::int64_t size : sizes) slots.push_back(static_cast<std::uint64_t>(size));
  for (std::int64_t stride : strides) slots.push_back(static_cast<std::uint64_t>(stride));
}

// T is the storage type of the parameter's dtype.
template <class T>
void append_scalar(std::vector<std::uint64_t>& slots, T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  slots.push_back(bits);
}

inline View read_view(const std::uint64_t*& slot, const program::Type& type) {
  View view;
  view.dtype = type.dtype;
  view.base = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(*slot++));
  for (std::size_t i = 0; i < type.rank(); ++i) view.sizes.push_back(static_cast<std::int64_t>(*slot++));
  for (std::size_t i = 0; i < type.rank(); ++i) view.strides.push_back(static_cast<std::int64_t>(*slot++));
  return view;
}

inline Tile read_scalar(const std::uint64_t*& slot, const program::Type& type) {
  Tile tile(type.dtype, {});
  std::memcpy(tile.mutable_data<std::byte>(), slot++, tile.bytes());
  return tile;
}

}  // namespace tilewright::reference
