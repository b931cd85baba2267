// A C++ while would ask while tracing.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var i = scalar(i64, 0);
    while (i < 4) i += 1;  // error: bool
    store(y, {i, 0}, 0.0);
  }
};
TW_KERNEL(Example, "example", "x", "y")
