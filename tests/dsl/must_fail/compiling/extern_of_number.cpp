// A C++ number has no dtype to pass to a function of another language.
#include "dsl/tilewright.h"

using namespace tilewright;

const ExternFunction scaled = extern_cuda("__device__ float scaled(float x, float by) { return x * by; }", "scaled", f32);

struct Example {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, scaled(load(x, {0, 0}, {8}), 2.0));  // error: deleted
  }
};
TW_KERNEL(Example, "example", "x", "y")
