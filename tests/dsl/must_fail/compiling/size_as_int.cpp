// A size is known when the kernel runs, not while it is traced.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    int n = x.size(1);  // error: int
    store(y, {n, 0}, load(x, {0, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x", "y")
