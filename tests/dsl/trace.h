// Tracing a kernel struct in a test.
#pragma once

#include "dsl/kernel.h"
#include "dsl/program/kernel.h"
#include "tests/dsl/listing.h"

#include <map>
#include <string>
#include <vector>

namespace tilewright {

inline program::Type view_type(DType dtype, int rank) { return {dtype, program::Shape(rank, -1), true}; }
inline program::Type scalar_type(DType dtype) { return {dtype, {}}; }

// The canonical program of kernel K for parameters of these types.
template <class K>
program::Program trace(std::vector<program::Type> types, std::map<std::string, std::int64_t> settings = {}) {
  program::CallFacts facts;
  facts.facts.resize(types.size());
  facts.types = std::move(types);
  facts.settings = std::move(settings);
  return kernel_of<K>().trace(facts);
}

}  // namespace tilewright
