// A test case: a program, and the arguments to run it on.
#pragma once

#include "dsl/program/program.h"
#include "tests/fuzz/numbers.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tilewright::fuzz {

// How the elements of a tensor are chosen: integer multiples of `quantum` in [low, high], rounded to the dtype; one in sixteen a special value
// (NaN, infinities, signed zero, subnormals, extreme integers) where `specials`. Or, where there are patterns, their bits in turn, each `repeat` times.
struct Fill {
  double low = -4, high = 4;
  double quantum = 1;
  bool specials = false;
  std::vector<std::uint64_t> patterns = {};
  std::int64_t repeat = 1;
};

struct TensorSpec {
  program::Shape sizes;
  std::vector<std::int64_t> strides;  // in elements
  bool aligned16 = false;             // its base address must be a multiple of 16
  Fill fill;                          // of inputs; outputs are poisoned
  std::uint64_t seed = 0;             // of the fill
  double tolerance = 0;               // of outputs; 0: equal bit for bit, but for NaN payloads and the sign of zero
  double relative_tolerance = 0;      // added to it, times the magnitude of the expected element
};

struct Argument {
  bool is_view = false;
  TensorSpec tensor;       // of a view
  std::uint64_t bits = 0;  // of a scalar
};

struct Case {
  std::uint64_t seed = 0;
  program::Program program;
  std::vector<Argument> arguments;  // one a parameter
};

}  // namespace tilewright::fuzz
