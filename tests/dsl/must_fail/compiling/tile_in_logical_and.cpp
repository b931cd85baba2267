// && would ask while tracing; & is the tile's.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile i = arange(8), inside = (i > 2) && (i < 6);  // error: deleted
    store(y, {0, 0}, load(x, {0, 0}, {8}, inside));
  }
};
TW_KERNEL(Example, "example", "x", "y")
