// The reference of gated slot attention itself: against the closed form of the recurrence, across a cut, and in the limit without gates.
#include "kernels_src/gsa/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tilewright::kernels::reference {
namespace {

GsaHead random_head(std::int64_t tokens, std::int64_t k_dim, std::int64_t v_dim, std::int64_t slots, bool initial, double gate = 1) {
  std::mt19937 engine(11);
  std::normal_distribution<double> normal;
  const auto draw = [&](std::int64_t count, double factor = 1) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& x : values) x = factor * normal(engine);
    return values;
  };
  GsaHead head{tokens, k_dim, v_dim, slots, 0.5, draw(tokens * k_dim), draw(tokens * k_dim), draw(tokens * v_dim), draw(tokens * slots), {}, {}, {}};
  head.g = draw(tokens * slots, gate);
  for (double& x : head.g) x = -std::fabs(x);
  if (initial) {
    head.initial_k = draw(k_dim * slots);
    head.initial_v = draw(slots * v_dim);
  }
  return head;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << "element " << i;
}

// ok and o as sums over all earlier tokens with decays exp(G_t - G_j): no state is carried.
std::vector<double> closed_form(const GsaHead& h) {
  const std::int64_t T = h.tokens, K = h.k_dim, V = h.v_dim, M = h.slots;
  std::vector<double> o;
  std::vector<std::vector<double>> sums(1, std::vector<double>(static_cast<std::size_t>(M), 0.0));
  for (std::int64_t t = 0; t < T; ++t) {
    sums.push_back(sums.back());
    for (std::int64_t m = 0; m < M; ++m) sums.back()[m] += h.g[t * M + m];
  }
  for (std::int64_t t = 0; t < T; ++t) {
    std::vector<double> p(static_cast<std::size_t>(M));
    double total = 0;
    for (std::int64_t m = 0; m < M; ++m) {
      double logit = 0;
      for (std::int64_t i = 0; i < K && !h.initial_k.empty(); ++i) logit += h.q[t * K + i] * h.initial_k[i * M + m] * std::exp(sums[t + 1][m]);
      for (std::int64_t j = 0; j <= t; ++j) {
        double a = 0;
        for (std::int64_t i = 0; i < K; ++i) a += h.q[t * K + i] * h.k[j * K + i];
        logit += a * h.s[j * M + m] * std::exp(sums[t + 1][m] - sums[j + 1][m]);
      }
      total += p[m] = std::exp(h.scale * logit);
    }
    for (std::int64_t x = 0; x < V; ++x) {
      double sum = 0;
      for (std::int64_t m = 0; m < M; ++m) {
        if (!h.initial_v.empty()) sum += p[m] * h.initial_v[m * V + x] * std::exp(sums[t + 1][m]);
        for (std::int64_t j = 0; j <= t; ++j) sum += p[m] * h.s[j * M + m] * h.v[j * V + x] * std::exp(sums[t + 1][m] - sums[j + 1][m]);
      }
      o.push_back(sum / total);
    }
  }
  return o;
}

TEST(GsaRecurrence, OneTokenByHand) {
  GsaHead head{1, 1, 1, 2, 1.0, {2}, {3}, {5}, {0.5, 0}, {-1, -1}, {}, {}};
  const GsaResult result = gsa_recurrence(head);
  // ok = (2 * 3 * 0.5, 0), p = softmax, Hv = (0.5 * 5, 0)
  EXPECT_NEAR(result.o[0], 2.5 / (1 + std::exp(-3.0)), 1e-15);
  EXPECT_DOUBLE_EQ(result.final_k[0], 1.5);
  EXPECT_DOUBLE_EQ(result.final_v[0], 2.5);
  EXPECT_DOUBLE_EQ(result.largest_logit, 3);
}

TEST(GsaRecurrence, IsItsClosedForm) {
  for (bool initial : {false, true}) {
    const GsaHead head = random_head(23, 5, 4, 3, initial);
    expect_near(gsa_recurrence(head).o, closed_form(head), 1e-12);
  }
}

TEST(GsaRecurrence, FinalStatesContinueTheSequence) {
  const GsaHead whole = random_head(20, 4, 3, 5, true);
  const GsaResult expected = gsa_recurrence(whole);
  const std::int64_t cut = 7;
  GsaHead first = whole, second = whole;
  first.tokens = cut;
  second.tokens = whole.tokens - cut;
  const auto drop = [](std::vector<double>& values, std::int64_t count) { values.erase(values.begin(), values.begin() + count); };
  drop(second.q, cut * 4);
  drop(second.k, cut * 4);
  drop(second.v, cut * 3);
  drop(second.s, cut * 5);
  drop(second.g, cut * 5);
  const GsaResult a = gsa_recurrence(first);
  second.initial_k = a.final_k;
  second.initial_v = a.final_v;
  const GsaResult b = gsa_recurrence(second);
  std::vector<double> joined = a.o;
  joined.insert(joined.end(), b.o.begin(), b.o.end());
  expect_near(joined, expected.o, 1e-13);
  expect_near(b.final_k, expected.final_k, 1e-13);
  expect_near(b.final_v, expected.final_v, 1e-13);
}

TEST(GsaRecurrence, StrongDecayKeepsTheTokenAlone) {
  GsaHead head = random_head(6, 3, 2, 4, true);
  for (double& g : head.g) g = -1000;
  const GsaResult all = gsa_recurrence(head);
  GsaHead last = head;
  last.tokens = 1;
  last.initial_k.clear();
  last.initial_v.clear();
  for (auto [values, width] : {std::pair{&last.q, 3}, {&last.k, 3}, {&last.v, 2}, {&last.s, 4}, {&last.g, 4}}) {
    values->erase(values->begin(), values->end() - width);
  }
  const GsaResult alone = gsa_recurrence(last);
  expect_near({all.o.end() - 2, all.o.end()}, alone.o, 1e-14);
}

TEST(GsaRecurrence, NoTokensReturnTheInitialStates) {
  GsaHead head = random_head(0, 3, 2, 4, true);
  const GsaResult result = gsa_recurrence(head);
  EXPECT_TRUE(result.o.empty());
  EXPECT_EQ(result.final_k, head.initial_k);
  EXPECT_EQ(result.final_v, head.initial_v);
}

// Without g the state is an average over time with weights softmax(s): Hk_t[:, m] = sum_j k_j exp(s_j[m]) / sum_j exp(s_j[m]).
TEST(GsaRecurrence, WithoutGatesTheStateIsASoftmaxOverTime) {
  GsaHead head = random_head(15, 3, 2, 4, false);
  head.g.clear();
  const GsaResult result = gsa_recurrence(head);
  for (std::int64_t m = 0; m < 4; ++m) {
    double total = 0;
    for (std::int64_t t = 0; t < 15; ++t) total += std::exp(head.s[t * 4 + m]);
    for (std::int64_t i = 0; i < 3; ++i) {
      double sum = 0;
      for (std::int64_t t = 0; t < 15; ++t) sum += head.k[t * 3 + i] * std::exp(head.s[t * 4 + m]);
      EXPECT_NEAR(result.final_k[i * 4 + m], sum / total, 1e-13);
    }
  }
}

}  // namespace
}  // namespace tilewright::kernels::reference
