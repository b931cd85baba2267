// A body leaves nothing behind in its struct.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) {
    store(y, {0, 0}, load(x, {0, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x", "y")  // error: grid and body of a kernel are const member functions
