// A kernel is named before it is asked for.
#include "dsl/tilewright.h"

using namespace tilewright;

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {8}));
  }
};
const program::TraceableKernel& kernel() { return kernel_of<Example>(); }  // error: name the kernel with TW_KERNEL
