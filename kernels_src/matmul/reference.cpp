#include "kernels_src/matmul/reference.h"

namespace tilewright::kernels::reference {

std::vector<double> matmul_row(const std::vector<double>& a, const DoubleRows& b) {
  std::vector<double> c(static_cast<std::size_t>(b.width()), 0.0);
  for (std::size_t k = 0; k < a.size(); ++k) {
    const std::span<const double> row = b.row(static_cast<std::int64_t>(k));
    for (std::size_t n = 0; n < c.size(); ++n) c[n] += a[k] * row[n];
  }
  return c;
}

std::vector<double> matmul_row_transposed(const std::vector<double>& a, const DoubleRows& b_transposed, std::int64_t columns) {
  std::vector<double> c(static_cast<std::size_t>(columns), 0.0);
  for (std::int64_t n = 0; n < columns; ++n) {
    const std::span<const double> column = b_transposed.row(n);
    for (std::size_t k = 0; k < a.size(); ++k) c[static_cast<std::size_t>(n)] += a[k] * column[k];
  }
  return c;
}

}  // namespace tilewright::kernels::reference
