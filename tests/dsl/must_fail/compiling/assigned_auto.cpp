// auto makes a Tile of an expression, not a Var.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    auto a = load(x, {0, 0}, {8}) * 2;
    for (Index i : range(1, 8)) a = a + load(x, {i, 0}, {8});  // error: deleted
    store(y, {0, 0}, a);
  }
};
TW_KERNEL(Example, "example", "x", "y")
