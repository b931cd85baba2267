#include "cli/statistics.h"

#include <algorithm>
#include <cmath>

namespace tilewright::cli {

double quantile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place)), above = static_cast<std::size_t>(std::ceil(place));
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace tilewright::cli
