// Which keys the rows of a query tile see: all, those up to their own position, or of these the last so many.
#pragma once

#include "kernels_src/attention/query_tile.h"

namespace tilewright::kernels {

struct VisibleKeys {
  bool causal, windowed;  // a window needs causal
  Index key_count;
  Scalar window;
  int keys;  // of a tile

  // The keys that any row sees lie in first .. end - 1.
  Index first(const QueryTile& tile) const { return windowed ? Index(max(tile.position + 1 - window, 0)) : Index(0); }
  Index end(const QueryTile& tile) const { return causal ? Index(min(tile.position + tile.tokens, key_count)) : key_count; }

  // Whether each row sees each of the keys j, j + 1, ..: the first row sees the fewest of the last, the last row the fewest of the first.
  Tile all(const QueryTile& tile, const Index& j) const {
    const Index last = j + (keys - 1);
    if (!causal) return last < key_count;
    const Tile below = last <= tile.position;
    return windowed ? below & (j > tile.position + (tile.tokens - 1) - window) : below;
  }

  // [rows, keys] or [1, keys]: which of the keys j, j + 1, .. each row sees.
  Tile mask(const QueryTile& tile, const Index& j) const {
    const Tile column = arange(keys)(None, _);
    if (!causal) return column < cast(key_count - j, i32);
    const Tile last = (tile.token_of_row() + cast(tile.position - j, i32))(_, None);
    return windowed ? (column <= last) & (column > last - cast(window, i32)) : column <= last;
  }
};

}  // namespace tilewright::kernels
