// An Index is immutable too.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Index i = program_id(0);
    i = i + 1;  // error: deleted
    store(y, {i, 0}, load(x, {i, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x", "y")
