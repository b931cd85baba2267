// Random cases of the layout tests. Every case has a seed of its own, which a failure prints; --gtest_random_seed=N shifts them all.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "compiler/layout/linear_map.h"

namespace tilewright::layout {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // An integer in [low, high].
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool chance(int percent) { return between(1, 100) <= percent; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[between(0, static_cast<int>(from.size()) - 1)];
  }
  template <class T>
  void shuffle(std::vector<T>& list) {
    std::shuffle(list.begin(), list.end(), engine_);
  }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

// Runs `body(random)` for `count` seeds.
template <class Body>
void for_seeds(int count, Body body) {
  const unsigned base = GTEST_FLAG_GET(random_seed) * 1000003u;
  for (int i = 1; i <= count; ++i) {
    const unsigned seed = base + i;
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    body(random);
    if (testing::Test::HasFailure()) return;
  }
}

inline BitMatrix random_matrix(Random& random, int rows, int columns) {
  std::vector<Bits> result(columns);
  for (Bits& column : result) column = random.chance(15) ? 0 : random.engine()() & low_bits(rows);
  return BitMatrix(rows, std::move(result));
}

inline std::vector<Dimension> random_dimensions(Random& random, const std::vector<std::string>& names, int max_bits) {
  std::vector<Dimension> dimensions;
  for (const std::string& name : names) dimensions.push_back({name, random.between(0, max_bits)});
  return dimensions;
}

inline LinearMap random_map(Random& random, const std::vector<Dimension>& inputs, const std::vector<Dimension>& outputs) {
  int columns = 0, rows = 0;
  for (const Dimension& d : inputs) columns += d.bits;
  for (const Dimension& d : outputs) rows += d.bits;
  return LinearMap(inputs, outputs, random_matrix(random, rows, columns));
}

}  // namespace tilewright::layout
