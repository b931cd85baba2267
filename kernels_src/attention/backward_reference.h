// The gradients of softmax attention in double precision, pair by pair of a query and a key.
#pragma once

#include "kernels_src/attention/problem.h"
#include "kernels_src/common/rows.h"
#include "runtime/operator.h"

#include <span>
#include <vector>

namespace tilewright::kernels::reference {

// Inputs q, k, v, o, lse, d_o and, where given, d_lse.
struct AttentionPairs {
  AttentionPairs(const TensorMap& inputs, const AttentionProblem& problem);

  struct Pair {
    double logit, p, ds;  // scale <q, k>; exp(logit - lse), zero for rows whose lse is -infinity; p (<d_o, v> - delta)
  };

  // Of a query that sees the key; rows of q and of k.
  Pair at(std::int64_t query, std::int64_t key) const;

  DoubleRows q, k, v, d_o;
  std::vector<double> lse, delta;  // of each row of q
  double scale;
};

// sum += factor * row.
void add_scaled(std::span<double> sum, double factor, std::span<const double> row);

}  // namespace tilewright::kernels::reference
