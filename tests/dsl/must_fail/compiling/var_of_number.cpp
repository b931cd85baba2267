// A C++ number has no dtype to give to a Var.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var total = 0;  // error: deleted
    store(y, {0, 0}, load(x, {0, 0}, {8}) + total);
  }
};
TW_KERNEL(Example, "example", "x", "y")
