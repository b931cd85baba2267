// Axes are added by x(_, None); a comma in brackets means something else in C++20.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8});
    store(y, {0, 0}, a[None]);  // error: deleted
  }
};
TW_KERNEL(Example, "example", "x", "y")
