// Extents of a tile are C++ integers.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {x.size(1)}));  // error: deleted
  }
};
TW_KERNEL(Example, "example", "x", "y")
