// A Tile is immutable; a Var is assigned.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8});
    a = a * 2;  // error: deleted
    store(y, {0, 0}, a);
  }
};
TW_KERNEL(Example, "example", "x", "y")
