// vector_add, softmax and rms_norm of single rows in double precision.
#pragma once

#include <vector>

namespace tilewright::kernels::reference {

// exp(x_i - max) / sum; NaN throughout when a NaN or +infinity is in the row, or nothing but -infinity.
std::vector<double> softmax_row(const std::vector<double>& x);

// x_i / sqrt(mean(x^2) + epsilon) * weight_i.
std::vector<double> rms_norm_row(const std::vector<double>& x, const std::vector<double>& weight, double epsilon);

}  // namespace tilewright::kernels::reference
