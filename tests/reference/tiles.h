// Short ways to write tiles in tests.
#pragma once

#include "compiler/reference/tile.h"

#include <gtest/gtest.h>

#include <vector>

namespace tilewright::reference {

// Elements from doubles, each rounded once; integers must be exact.
inline Tile tile(DType dtype, const Shape& shape, const std::vector<double>& values) {
  Tile result(dtype, shape);
  EXPECT_EQ(result.elements(), static_cast<std::int64_t>(values.size()));
  visit_any(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < values.size(); ++i) result.mutable_data<T>()[i] = narrow_to<T>(values[i]);
  });
  return result;
}

template <class T>
Tile bits(DType dtype, const std::vector<T>& values) {
  Tile result(dtype, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) result.mutable_data<T>()[i] = values[i];
  return result;
}

inline std::vector<double> numbers(const Tile& tile) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tile.elements(); ++i) values.push_back(tile.number(i));
  return values;
}

inline std::vector<std::int64_t> integers(const Tile& tile) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < tile.elements(); ++i) values.push_back(tile.integer(i));
  return values;
}

}  // namespace tilewright::reference
