// A matrix product inside of a kernel, with what becomes of its tiles left to the kernel: a bias, scales, an activation. A kernel of one's own derives from MatmulTiles and has its tunables:
//
//   struct BiasedProduct : kernels::MatmulTiles {
//     auto finish(const In& bias, const Out& c) const {
//       return [bias, c, columns = static_cast<int>(block_n)](const Tile& product, const Index& row, const Index& column) {
//         store(c, {row, column}, cast(max(product + load(bias, {column}, {columns})(None, _), 0.0), c.dtype()));
//       };
//     }
//
//     Grid grid(In a, In b) const { return grid_of(a, b); }
//     void body(In a, In b, In bias, Out c) const { multiply(a, b, finish(bias, c)); }
//
//     Grid schedule_grid(nvidia::Sm90 level, In a, In b) const { return grid_of(level, a, b); }
//     void schedule(nvidia::Sm90 level, In a, In b, In bias, Out c) const { multiply(level, a, b, c.dtype(), finish(bias, c)); }
//   };
//   TW_KERNEL(BiasedProduct, "biased_product", "a", "b", "bias", "c")
//
// An epilogue takes a tile of the product, f32 [block_m, block_n], and the place of its first element; what it stores outside of a tensor is not stored.
#pragma once

#include "dsl/nvidia/sm90.h"
#include "dsl/tilewright.h"

#include <algorithm>

namespace tilewright::kernels {

struct MatmulTiles {
  Const<bool> b_transposed{"b_transposed", false};  // b is [n, k]: columns of the right operand are contiguous
  Tune<int> block_m{"block_m", {128, 64, 256}};
  Tune<int> block_n{"block_n", {128, 96, 64, 256}};
  Tune<int> block_k{"block_k", {64, 32, 128, 256}};
  Tune<int> group{"group", {8, 4, 16}};
  Tune<int> stages{"stages", {3, 2, 4}};
  Tune<bool> warp_specialize{"warp_specialize", {true, false}};
  Tune<int> warps{"warps", {8, 4}};
  static constexpr int kStays = 2, kReserve = 4096;
  Tune<int> by_hand{"schedule", {0, 1, kStays}};  // 1: as the compiler does it; kStays: with as many programs as there are multiprocessors
  Tune<int> programs{"programs", {132}};          // that stay

  Grid grid_of(const In& a, const In& b) const { return {tiles(a, b)}; }

  // a [m, k] b [k, n], or b [n, k] with b_transposed.
  template <class Epilogue>
  void multiply(const In& a, const In& b, Epilogue epilogue) const {
    const Place at = place_of(program_id(0), a, b);
    Var product = zeros(f32, {block_m, block_n});
    for (Index k : range(0, a.size(1), block_k, Pipeline{stages, warp_specialize})) {
      const Tile left = load(a, {at.row, k}, {block_m, block_k});
      const Tile right = b_transposed ? trans(load(b, {at.column, k}, {block_n, block_k})) : load(b, {k, at.column}, {block_k, block_n});
      product = dot(left, right, product);
    }
    epilogue(product, at.row, at.column);
  }

  // A multiprocessor's one program stays, so that the next tile's operands are on their way while a product is stored.
  Grid grid_of(nvidia::Sm90, const In& a, const In& b) const { return {by_hand == kStays ? min(tiles(a, b), programs) : tiles(a, b)}; }

  // The same by hand. `result`: the dtype that the epilogue stores, for which shared memory is kept.
  template <class Epilogue>
  void multiply(nvidia::Sm90, const In& a, const In& b, DType result, Epilogue epilogue) const {
    const int bytes = static_cast<int>(size_of(a.dtype()));
    nvidia::require(bytes <= 2 && (bytes == 2 || b_transposed), "such operands have no group products");
    nvidia::require(block_k * bytes % 128 == 0 && (b_transposed || block_n * bytes % 128 == 0), "a row of a tile is no multiple of 128 bytes");
    nvidia::require(warps % 4 == 0 && block_m % (16 * warps) == 0, "a tile is not 16 rows for each warp");
    const Index first = program_id(0), count = tiles(a, b);
    const auto for_each_tile = [&](auto work) {
      if (by_hand != kStays) return work(place_of(first, a, b));
      for (Index tile : range(first, count, num_programs(0))) work(place_of(tile, a, b));
    };
    // The product goes through shared memory on its way to memory.
    const int room = nvidia::kSharedBytes - block_m * block_n * static_cast<int>(size_of(result)) - kReserve, each = (block_m + block_n) * block_k * bytes;
    const int ahead = std::max(2, std::min<int>(stages, room / each));
    const nvidia::Channel lefts = nvidia::channel(a.dtype(), {block_m, block_k}, ahead);
    const nvidia::Channel rights = b_transposed ? nvidia::channel(b.dtype(), {block_n, block_k}, ahead) : nvidia::channel(b.dtype(), {block_k, block_n}, ahead);
    // Where a tile lies takes divisions, and these more registers than a producer has by itself.
    nvidia::roles(
        by_hand == kStays && warps == 8 ? nvidia::Roles{.producer = 40, .consumers = 232} : nvidia::Roles{},
        [&] {
          for_each_tile([&](const Place& at) {
            for (Index k : range(0, a.size(1), block_k)) {
              nvidia::send(lefts, a, {at.row, k});
              if (b_transposed) nvidia::send(rights, b, {at.column, k});
              else nvidia::send(rights, b, {k, at.column});
            }
          });
        },
        [&] {
          for_each_tile([&](const Place& at) {
            Var product = zeros(f32, {block_m, block_n});
            for (Index k : range(0, a.size(1), block_k)) {
              const nvidia::SharedTile left = nvidia::receive(lefts), right = nvidia::receive(rights);
              product = nvidia::group_dot(left, b_transposed ? nvidia::trans(right) : right, product);
              nvidia::release(left);
              nvidia::release(right);
            }
            epilogue(product, at.row, at.column);
          });
        });
  }

  Index tiles(const In& a, const In& b) const { return ceil_div(a.size(0), block_m) * ceil_div(columns_of(b), block_n); }

  struct Place {
    Index row, column;
  };
  // Tiles near each other share rows of a and columns of b: they go `group` rows of tiles down before they go to the next column.
  Place place_of(const Index& tile, const In& a, const In& b) const {
    const Index tiles_m = ceil_div(a.size(0), block_m), tiles_n = ceil_div(columns_of(b), block_n);
    const Index per_group = tiles_n * group;
    const Index first = tile / per_group * group;
    const Index height = min(tiles_m - first, group);
    const Index inside = tile % per_group;
    return {(first + inside % height) * block_m, inside / height * block_n};
  }

  Index columns_of(const In& b) const { return b.size(b_transposed ? 0 : 1); }
};

}  // namespace tilewright::kernels
