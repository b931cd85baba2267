// Programs of tests on the simulated machine.
#pragma once

#include "dsl/program/builder.h"
#include "tests/fuzz/case.h"

namespace tilewright::simt {

// A dense, aligned tensor as a parameter of the program that `b` builds and as an argument of `test`. Equal sizes have equal contents.
inline program::ValueId add_view(program::Builder& b, fuzz::Case& test, const char* name, program::ParamKind kind, DType dtype, std::vector<std::int64_t> sizes) {
  fuzz::Argument argument;
  argument.is_view = true;
  argument.tensor.strides.assign(sizes.size(), 1);
  for (std::size_t axis = sizes.size(); axis-- > 1;) argument.tensor.strides[axis - 1] = argument.tensor.strides[axis] * sizes[axis];
  for (std::int64_t size : sizes) argument.tensor.seed = argument.tensor.seed * 7 + static_cast<std::uint64_t>(size);
  argument.tensor.aligned16 = true;
  const program::Type type{dtype, program::Shape(sizes.size(), -1), true};
  argument.tensor.sizes = std::move(sizes);
  test.arguments.push_back(std::move(argument));
  return b.add_param(name, kind, type, {.unit_inner_stride = true, .aligned16 = true, .fits32 = true});
}

}  // namespace tilewright::simt
