// One row of a matrix product in double precision.
#pragma once

#include "kernels_src/common/rows.h"

#include <vector>

namespace tilewright::kernels::reference {

// a: one row [K]; b: [K, N]. Returns a b, [N].
std::vector<double> matmul_row(const std::vector<double>& a, const DoubleRows& b);

// The same for b given as its transpose, [N, K].
std::vector<double> matmul_row_transposed(const std::vector<double>& a, const DoubleRows& b_transposed, std::int64_t columns);

}  // namespace tilewright::kernels::reference
