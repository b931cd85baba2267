#include "kernels_src/elementwise/reference.h"

#include <cmath>
#include <limits>

namespace tilewright::kernels::reference {

std::vector<double> softmax_row(const std::vector<double>& x) {
  double largest = -std::numeric_limits<double>::infinity();
  for (double value : x) largest = std::isnan(value) || std::isnan(largest) ? std::nan("") : std::fmax(largest, value);
  double total = 0;
  for (double value : x) total += std::exp(value - largest);
  std::vector<double> y;
  for (double value : x) y.push_back(std::exp(value - largest) / total);
  return y;
}

std::vector<double> rms_norm_row(const std::vector<double>& x, const std::vector<double>& weight, double epsilon) {
  double squares = 0;
  for (double value : x) squares += value * value;
  const double root = std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] / root * weight[i]);
  return y;
}

}  // namespace tilewright::kernels::reference
