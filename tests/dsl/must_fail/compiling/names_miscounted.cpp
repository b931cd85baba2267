// TW_KERNEL names every parameter.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x")  // error: TW_KERNEL names the kernel and then each parameter of its body, in order
