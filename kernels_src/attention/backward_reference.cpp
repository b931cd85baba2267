#include "kernels_src/attention/backward_reference.h"

#include "kernels_src/common/inputs.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace tilewright::kernels::reference {

namespace {

double product(std::span<const double> a, std::span<const double> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

}  // namespace

AttentionPairs::AttentionPairs(const TensorMap& inputs, const AttentionProblem& problem)
    : q(input(inputs, "q")), k(input(inputs, "k")), v(input(inputs, "v")), d_o(input(inputs, "d_o")), lse(input(inputs, "lse").to_doubles()), scale(problem.scale) {
  const DoubleRows o(input(inputs, "o"));
  for (std::int64_t row = 0; row < o.rows(); ++row) delta.push_back(product(o.row(row), d_o.row(row)));
  if (const HostTensor* d_lse = optional_input(inputs, "d_lse"))
    for (std::size_t row = 0; row < delta.size(); ++row) delta[row] -= d_lse->at(static_cast<std::int64_t>(row));
}

AttentionPairs::Pair AttentionPairs::at(std::int64_t query, std::int64_t key) const {
  const auto row = static_cast<std::size_t>(query);
  const double logit = scale * product(q.row(query), k.row(key));
  const double p = lse[row] == -std::numeric_limits<double>::infinity() ? 0.0 : std::exp(logit - lse[row]);
  return {logit, p, p * (product(d_o.row(query), v.row(key)) - delta[row])};
}

void add_scaled(std::span<double> sum, double factor, std::span<const double> row) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * row[i];
}

}  // namespace tilewright::kernels::reference
