// Elements of every dtype as plain C++ numbers, by definitions independent of the code under test: what the expectations of the grid compute with.
#pragma once

#include "dsl/program/program.h"

#include <cstdint>
#include <vector>

namespace tilewright::op_grid {

using program::Shape;

// A float is in `real`, exactly; an integer or bool in `whole`.
struct Value {
  long double real = 0;
  __int128 whole = 0;
  bool untouched = false;  // of an output: nothing may be stored there
};

inline Value real(long double value) { return {value, 0}; }
inline Value whole(__int128 value) { return {0, value}; }

struct Array {
  DType dtype = DType::F32;
  Shape shape;
  std::vector<Value> values;

  std::int64_t extent(std::size_t axis) const { return shape[axis]; }
  Value& at(const Shape& index);
  const Value& at(const Shape& index) const;
};

Array make_array(DType dtype, const Shape& shape);

// Calls f with every index of a shape, in row-major order.
template <class F>
void for_each_index(const Shape& shape, F f) {
  Shape index(shape.size(), 0);
  std::int64_t count = 1;
  for (std::int64_t extent : shape) count *= extent;
  for (std::int64_t i = 0; i < count; ++i) {
    f(static_cast<const Shape&>(index));
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

Value decode(DType dtype, std::uint64_t bits);
std::uint64_t encode(DType dtype, const Value& value);  // floats are rounded to nearest even

// To the nearest value of a float type, ties to even; infinity beyond its range, but the largest number of an 8-bit float.
long double round_to(DType dtype, long double value);

// An integer taken modulo two to the width.
__int128 wrap(DType dtype, __int128 value);
__int128 least(DType dtype);
__int128 most(DType dtype);

// Bits that meet the corners of a dtype: zeros, ones, extremes, subnormals, infinities, NaN.
std::vector<std::uint64_t> corner_patterns(DType dtype);
std::vector<std::uint64_t> patterns_of(DType dtype, const std::vector<long double>& values);

}  // namespace tilewright::op_grid
