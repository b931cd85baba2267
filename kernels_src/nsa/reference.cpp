#include "kernels_src/nsa/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tilewright::kernels::reference {

std::vector<double> compress_window(const DoubleRows& x, const Sequence& sequence, std::int64_t heads, std::int64_t h, std::int64_t c,
                                    const NsaGeometry& geometry, const PoolingParameters& parameters) {
  const std::int64_t l = geometry.compress_length, dim = x.width();
  const std::int64_t first = c * geometry.compress_stride;
  const std::int64_t tokens = std::min(l, sequence.k_length - first);
  std::vector<double> y(static_cast<std::size_t>(dim), 0.0);
  for (std::int64_t r = 0; r < tokens; ++r) {
    const std::span<const double> token = x.row((sequence.k_start + first + r) * heads + h);
    for (std::int64_t i = 0; i < dim; ++i) {
      const double value = token[i] + (parameters.positions.rows() > 0 ? parameters.positions.row(h * l + r)[i] : 0.0);
      switch (parameters.kind) {
        case Pooling::Mean: y[i] += value / static_cast<double>(tokens); break;
        case Pooling::Weighted: y[i] += parameters.weights.row(h)[r] * value; break;
        case Pooling::Linear:
          for (std::int64_t o = 0; o < dim; ++o) y[o] += value * parameters.weights.row((h * l + r) * dim + i)[o];
          break;
      }
    }
  }
  return y;
}

std::vector<double> block_scores(const std::vector<std::vector<double>>& queries, const std::vector<double>& lse, const DoubleRows& k_cmp,
                                 const std::vector<std::int64_t>& windows, double scale, std::int64_t position, const NsaGeometry& geometry) {
  const std::int64_t window_chunks = geometry.compress_length / geometry.compress_stride;
  const std::int64_t block_chunks = geometry.block_size / geometry.compress_stride;
  std::vector<double> scores(static_cast<std::size_t>(position / geometry.block_size + 1), 0.0);
  const std::int64_t visible = std::min<std::int64_t>(geometry.visible_windows(position), static_cast<std::int64_t>(windows.size()));
  for (std::int64_t c = 0; c < visible; ++c) {
    const std::span<const double> key = k_cmp.row(windows[c]);
    double p = 0;
    for (std::size_t head = 0; head < queries.size(); ++head) {
      double s = 0;
      for (std::size_t i = 0; i < key.size(); ++i) s += queries[head][i] * key[i];
      p += std::exp(scale * s - lse[head]);
    }
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(scores.size()); ++j) {
      const std::int64_t shared = std::min(c + window_chunks, (j + 1) * block_chunks) - std::max(c, j * block_chunks);
      if (shared > 0) scores[j] += p * static_cast<double>(shared);
    }
  }
  return scores;
}

bool is_forced(std::int64_t j, std::int64_t position, const NsaGeometry& geometry) {
  const std::int64_t own = position / geometry.block_size;
  return j < geometry.init_blocks || (j <= own && j > own - geometry.local_blocks);
}

std::vector<std::int64_t> select_blocks(const std::vector<double>& scores, std::int64_t position, const NsaGeometry& geometry) {
  std::vector<std::int64_t> order;
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(scores.size()); ++j) {
    if (is_forced(j, position, geometry) || !std::isnan(scores[j])) order.push_back(j);
  }
  const auto rank = [&](std::int64_t j) { return is_forced(j, position, geometry) ? std::numeric_limits<double>::infinity() : scores[j]; };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return rank(a) > rank(b); });
  if (static_cast<std::int64_t>(order.size()) > geometry.slots) order.resize(static_cast<std::size_t>(geometry.slots));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::int64_t> keys_of_blocks(const std::vector<std::int64_t>& blocks, std::int64_t position, std::int64_t key_count, std::int64_t block_size) {
  std::vector<std::int64_t> keys;
  for (std::int64_t block : blocks) {
    if (block < 0) continue;
    for (std::int64_t key = block * block_size; key < (block + 1) * block_size; ++key) {
      if (key <= position && key < key_count) keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace tilewright::kernels::reference
