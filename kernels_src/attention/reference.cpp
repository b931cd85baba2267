#include "kernels_src/attention/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tilewright::kernels::reference {

AttentionRow attend(std::span<const double> query, const std::vector<std::int64_t>& keys, const DoubleRows& k, const DoubleRows& v, double scale) {
  AttentionRow result;
  result.output.assign(static_cast<std::size_t>(v.width()), 0.0);
  result.lse = -std::numeric_limits<double>::infinity();
  if (keys.empty()) return result;

  std::vector<double> logits;
  for (std::int64_t key : keys) {
    const std::span<const double> row = k.row(key);
    double sum = 0;
    for (std::size_t i = 0; i < query.size(); ++i) sum += query[i] * row[i];
    logits.push_back(scale * sum);
    result.largest_logit = std::max(result.largest_logit, std::fabs(logits.back()));
  }
  const double largest = *std::max_element(logits.begin(), logits.end());
  if (largest == -std::numeric_limits<double>::infinity()) return result;
  double total = 0;
  for (double s : logits) total += std::exp(s - largest);
  result.lse = largest + std::log(total);

  for (std::size_t j = 0; j < keys.size(); ++j) {
    const double p = std::exp(logits[j] - result.lse);
    const std::span<const double> row = v.row(keys[j]);
    for (std::size_t i = 0; i < row.size(); ++i) result.output[i] += p * row[i];
  }
  return result;
}

std::vector<std::int64_t> visible_keys(std::int64_t position, std::int64_t key_count, bool causal, std::int64_t window) {
  std::vector<std::int64_t> keys;
  for (std::int64_t j = 0; j < key_count; ++j) {
    if (causal && j > position) continue;
    if (window > 0 && j <= position - window) continue;
    keys.push_back(j);
  }
  return keys;
}

std::vector<std::int64_t> rows_of_keys(const std::vector<std::int64_t>& keys, std::int64_t first_token, std::int64_t heads, std::int64_t h) {
  std::vector<std::int64_t> rows;
  for (std::int64_t key : keys) rows.push_back((first_token + key) * heads + h);
  return rows;
}

}  // namespace tilewright::kernels::reference
