// What both host functions of gated slot attention do first: check the inputs, allocate the results.
#pragma once

#include "kernels_src/common/launch.h"
#include "kernels_src/gsa/gsa.h"

namespace tilewright::kernels {

struct GsaTensors {
  GsaResult result;
  DeviceStarts starts;
  TensorView hk0, hv0;    // as given, or something of their rank that is not read
  DeviceTensor unused;    // the memory of those
};

GsaTensors allocate_gsa(Session& session, const GsaInputs& inputs, const Sequences& sequences);

}  // namespace tilewright::kernels
