// Parameters are views and Scalars.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y, int n) const {
    store(y, {n, 0}, load(x, {0, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x", "y", "n")  // error: parameters of a kernel are In, Out, InOut or Scalar
