// A schedule has the parameters of the body behind its level.
#include "dsl/nvidia/sm90.h"
#include "dsl/tilewright.h"

using namespace tilewright;

struct Scale {
  Grid grid(In) const { return {1}; }
  void body(In, Out) const {}
  void schedule(nvidia::Sm90, In) const {}
};
TW_KERNEL(Scale, "scale", "x", "y")

const auto& kernel = kernel_of<Scale>();  // error: a schedule takes a level and then the parameters of body
