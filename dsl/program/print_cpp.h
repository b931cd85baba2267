// A program as C++ source of the language: a kernel struct whose trace is the program again.
#pragma once

#include "dsl/program/program.h"

#include <string>
#include <string_view>

namespace tilewright::program {

// Source of a struct `name` in the global namespace, with includes and TW_KERNEL. Tracing it with the types and facts of the program's parameters gives the
// canonical form of the program where rebuilds_exactly says so, else a program of the same results: accesses the language has no word for (axes of a tile
// in another order than the dimensions, index tiles of the whole shape beside axes or with `other` alone) are written with permute, more index tiles or a
// mask, and reductions by and, or, xor with a combiner. `program` must be well formed. Positions are not kept. Throws TW9104 for one with roles.
std::string print_cpp(const Program& program, std::string_view name = "Rebuilt");

bool rebuilds_exactly(const Program& program);

}  // namespace tilewright::program
