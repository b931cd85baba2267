// Settings are int or bool.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Const<double> scale{"scale"};  // error: settings are int or bool
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {8}));
  }
};
TW_KERNEL(Example, "example", "x", "y")
