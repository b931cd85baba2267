// A comparison of tiles is a tile, not a C++ bool.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8});
    if (a < 0) store(y, {0, 0}, a);  // error: bool
  }
};
TW_KERNEL(Example, "example", "x", "y")
