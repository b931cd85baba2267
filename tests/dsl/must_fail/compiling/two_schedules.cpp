// Two members of the name `schedule`: neither would be taken.
#include "dsl/nvidia/sm90.h"
#include "dsl/tilewright.h"

using namespace tilewright;

struct Scale {
  Grid grid(In) const { return {1}; }
  void body(In, Out) const {}
  void schedule(nvidia::Sm90, In, Out) const {}
  void schedule(In, Out) const {}
};
TW_KERNEL(Scale, "scale", "x", "y")

const auto& kernel = kernel_of<Scale>();  // error: a kernel has one schedule, a public member function
