// Medians and spreads of times.
#pragma once

#include <vector>

namespace tilewright::cli {

// The value below which a fraction of the values lie, between neighbours linearly; 0 for none.
double quantile(std::vector<double> values, double fraction);

inline double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

}  // namespace tilewright::cli
