// A mask is a bool tile.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {8}, 1.0));  // error: no matching function for call to
  }
};
TW_KERNEL(Example, "example", "x", "y")
