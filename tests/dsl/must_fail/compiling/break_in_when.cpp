// The branches of when are lambdas.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    for (Index i : range(8)) {
      when(i > 4, [&] { break; });  // error: break
      store(y, {i, 0}, load(x, {i, 0}, {8}));
    }
  }
};
TW_KERNEL(Example, "example", "x", "y")
