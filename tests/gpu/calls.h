// Shipped kernels on the simulated machine.
#pragma once

#include "dsl/program/kernel.h"
#include "tests/gpu/cases.h"

#include <bit>

namespace tilewright::simt {

// A call of a shipped kernel, argument by argument.
struct Call {
  fuzz::Case test;
  program::CallFacts facts;
  program::Builder parameters{"parameters"};

  void tensor(DType dtype, std::vector<std::int64_t> sizes, double tolerance = 0) {
    add_view(parameters, test, "x", program::ParamKind::Input, dtype, sizes);
    test.arguments.back().tensor.fill = {.low = -1, .high = 1, .quantum = 0.25};
    test.arguments.back().tensor.tolerance = test.arguments.back().tensor.relative_tolerance = tolerance;
    facts.types.push_back({dtype, program::Shape(sizes.size(), -1), true});
    facts.facts.push_back({.unit_inner_stride = true, .aligned16 = true, .fits32 = true});
  }
  void scalar(DType dtype, std::uint64_t bits) {
    test.arguments.emplace_back().bits = bits;
    facts.types.push_back({dtype, {}});
    facts.facts.emplace_back();
  }
  void factor(float value) { scalar(DType::F32, std::bit_cast<std::uint32_t>(value)); }
  void number(std::int64_t value) { scalar(DType::I64, static_cast<std::uint64_t>(value)); }

  // With the program of this kernel, whose settings these are.
  fuzz::Case of(const program::TraceableKernel& kernel, std::map<std::string, std::int64_t> settings) {
    facts.settings = std::move(settings);
    facts.explicit_levels = {"nvidia::sm90"};
    test.program = kernel.trace(facts);
    return std::move(test);
  }
};

}  // namespace tilewright::simt
