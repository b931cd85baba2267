#include "kernels_src/gsa/reference.h"

#include <algorithm>
#include <cmath>

namespace tilewright::kernels::reference {

namespace {

// Replaces the write strengths by those of the limit without gates, and returns the gates.
std::vector<double> gates_without_g(std::vector<double>& s, std::int64_t tokens, std::int64_t slots) {
  std::vector<double> g(s.size(), 0.0);
  for (std::int64_t m = 0; m < slots; ++m) {
    double z = 0;
    for (std::int64_t t = 0; t < tokens; ++t) {
      double& x = s[t * slots + m];
      const double before = z;
      z = t == 0 ? x : std::max(before, x) + std::log1p(std::exp(-std::fabs(before - x)));
      if (t > 0) g[t * slots + m] = before - z;
      x = std::exp(x - z);
    }
  }
  return g;
}

}  // namespace

GsaResult gsa_recurrence(const GsaHead& head) {
  const std::int64_t T = head.tokens, K = head.k_dim, V = head.v_dim, M = head.slots;
  std::vector<double> s = head.s;
  const std::vector<double> g = head.g.empty() ? gates_without_g(s, T, M) : head.g;

  GsaResult result;
  result.o.assign(static_cast<std::size_t>(T * V), 0.0);
  result.final_k = head.initial_k.empty() ? std::vector<double>(static_cast<std::size_t>(K * M), 0.0) : head.initial_k;
  result.final_v = head.initial_v.empty() ? std::vector<double>(static_cast<std::size_t>(M * V), 0.0) : head.initial_v;
  std::vector<double>&hk = result.final_k, &hv = result.final_v;

  std::vector<double> p(static_cast<std::size_t>(M)), decay(static_cast<std::size_t>(M));
  for (std::int64_t t = 0; t < T; ++t) {
    std::fill(p.begin(), p.end(), 0.0);
    for (std::int64_t m = 0; m < M; ++m) decay[m] = std::exp(g[t * M + m]);
    for (std::int64_t i = 0; i < K; ++i) {
      for (std::int64_t m = 0; m < M; ++m) {
        double& state = hk[i * M + m];
        state = state * decay[m] + head.k[t * K + i] * s[t * M + m];
        p[m] += head.scale * state * head.q[t * K + i];
      }
    }
    double largest = p[0], total = 0;
    for (double logit : p) {
      largest = std::max(largest, logit);
      result.largest_logit = std::max(result.largest_logit, std::fabs(logit));
    }
    for (double& x : p) total += x = std::exp(x - largest);
    for (std::int64_t m = 0; m < M; ++m) {
      p[m] /= total;
      for (std::int64_t j = 0; j < V; ++j) {
        double& state = hv[m * V + j];
        state = state * decay[m] + s[t * M + m] * head.v[t * V + j];
        result.o[t * V + j] += state * p[m];
      }
    }
  }
  return result;
}

}  // namespace tilewright::kernels::reference
