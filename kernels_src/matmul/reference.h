// One row of a matrix product in double precision.
#pragma once

#include "kernels_src/common/rows.h"

#include <vector>

namespace tilewright::kernels::reference {

// a: one row [K]; b: [K, N]. Returns a b, [N].
std::vector<double> matmul_row(const std::vector<double>& a, const DoubleRows& b);

}  // namespace tilewright::kernels::reference
