// A program as bytes, for keys: the same for every process, machine, locale and C++ compiler. Names stand for operations and element types, so that adding one changes no key.
//
// Values are numbered in the order of the listing: parameters, then arguments and results as they come. What is in no region does not show.
#pragma once

#include "dsl/program/program.h"

#include <string>
#include <string_view>

namespace tilewright::cache {

// Each is exact: two programs give equal bytes only if they agree in that part. The grid's and the body's encodings together tell programs apart with their parameters alone.
std::string encode_parameters(const program::Program& program);  // names, kinds, types, facts
std::string encode_bindings(const program::Program& program);    // names and values, in order
std::string encode_grid(const program::Program& program);        // u64 count of operations, each a text; then what the region yields
std::string encode_body(const program::Program& program);

enum class Positions { All, OfAssertions };
// File, line and column of every operation, or of those whose position a message of the kernel may show.
std::string encode_positions(const program::Program& program, Positions which);

// The first operation in which two encodings by encode_grid or encode_body differ, for people: "operation 3: add, before it was mul". `a` and `b` may be any bytes.
std::string first_difference(std::string_view a, std::string_view b);

}  // namespace tilewright::cache
