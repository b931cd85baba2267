// Choosing how a tile lies in shared memory, for all the ways in which it is written and read.
//
// Conversions arrange their own scratch memory (conversion.h). A tile that stays, that a copy engine fills, or that matrix instructions read needs an arrangement
// that they know: rows, rows with padding, or one of the xor swizzles of shared_layout.h. All that fit are tried, and their accesses' wavefronts counted.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/layout/banks.h"
#include "compiler/layout/shared_layout.h"

namespace tilewright::layout {

struct TileAccess {
  enum class Kind : std::uint8_t {
    kRegisters,  // loads or stores of a layout's threads
    kMatrices,   // loads or stores of matrices of 8 rows of 16 bytes, one lane a row
    kBulk,       // a copy engine's, which knows only rows and standard swizzles
  };
  Kind kind = Kind::kBulk;
  std::optional<Layout> layout;  // kRegisters
  int max_vector_bytes = 16;     // kRegisters
  int row_axis = 0;              // kMatrices: where the next row of a matrix is; its 16 bytes are along the axis of stride 1

  static TileAccess registers(Layout layout, int max_vector_bytes = 16) { return {Kind::kRegisters, std::move(layout), max_vector_bytes, 0}; }
  static TileAccess matrices(int row_axis) { return {Kind::kMatrices, std::nullopt, 16, row_axis}; }
  static TileAccess bulk() { return {}; }
};

struct TileArrangement {
  SharedLayout layout;
  std::optional<XorSwizzle> swizzle;  // nullopt: plain rows
  std::int64_t padding = 0;           // elements between rows
  // For each access: what it takes to move the tile once, and the elements that one lane moves at a time. Copy engines take nothing here.
  std::vector<AccessCost> costs;
  std::vector<int> vectors;
  std::int64_t cost() const;  // wavefronts and instructions together
};

// One given arrangement under these accesses; nullopt if an access is impossible in it: rows of matrices that are not 16 consecutive, aligned bytes.
std::optional<TileArrangement> measure(const SharedLayout& layout, int element_bytes, const std::vector<TileAccess>& accesses,
                                       const BankModel& banks);

// The cheapest arrangement; among equals, the simplest: plain rows, then wide standard swizzles, then others, then padding. At most an eighth of the memory is lost.
// `order`: axes, the one with stride 1 first. Nullopt if no arrangement allows all accesses, such as matrices of a tile whose rows are no multiple of 16 bytes.
std::optional<TileArrangement> choose_arrangement(const std::vector<std::int64_t>& extents, const std::vector<int>& order, int element_bytes,
                                                  const std::vector<TileAccess>& accesses, const BankModel& banks = {});

}  // namespace tilewright::layout
