// Matrix product on a session's device.
#pragma once

#include "runtime/session.h"

namespace tilewright::kernels {

// a [M, K] b [K, N], both f32, f16 or bf16, or each one of the 8-bit floats; any strides. Accumulated in f32 and rounded once, to matmul_result(). K = 0 gives zero.
// Columns of b may be contiguous in place of its rows, which products of 8-bit floats by groups of warps need.
DeviceTensor matmul(Session& session, const TensorView& a, const TensorView& b, const KernelSettings& tunables = {});

// The dtype of the product: that of the operands; bf16 for 8-bit floats.
DType matmul_result(DType operand);

}  // namespace tilewright::kernels
