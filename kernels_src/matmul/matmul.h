// Matrix product on a session's device.
#pragma once

#include "runtime/session.h"

namespace tilewright::kernels {

// a [M, K] b [K, N], both f32, f16 or bf16, any strides; accumulated in f32, rounded once to their dtype. K = 0 gives zero.
DeviceTensor matmul(Session& session, const TensorView& a, const TensorView& b, const KernelSettings& tunables = {});

}  // namespace tilewright::kernels
