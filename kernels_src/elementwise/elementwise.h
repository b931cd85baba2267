// vector_add, softmax and rms_norm on a session's device.
#pragma once

#include "runtime/session.h"

namespace tilewright::kernels {

// a + b; f32, f16 or bf16 tensors of rank 1, any strides.
DeviceTensor vector_add(Session& session, const TensorView& a, const TensorView& b, const KernelSettings& tunables = {});

// Softmax along the last axis of x [rows, columns]. A row with NaN or +infinity, or with nothing but -infinity, is NaN throughout.
DeviceTensor softmax(Session& session, const TensorView& x, const KernelSettings& tunables = {});

// x / sqrt(mean(x^2) + epsilon) * weight along the last axis of x [rows, columns]; weight [columns], dtype of x.
DeviceTensor rms_norm(Session& session, const TensorView& x, const TensorView& weight, double epsilon, const KernelSettings& tunables = {});

}  // namespace tilewright::kernels
