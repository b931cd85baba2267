// The canonical form of a program: the same kernel gives the same program whatever order its C++ compiler evaluates operands in.
//
//   * What nothing needs is dropped: pure operations and reads without use, carried values that never change or that nobody reads, control
//     operations without effect or used result.
//   * Writes and effects keep the order of the author's statements. Reads stay between the writes they were between.
//   * Everything else stands where the first operation that needs it wants it: in its own region, operands first, left to right.
//   * Equal pure operations are shared where one is visible from the other, equal reads between the same two writes of one region.
//   * Integer arithmetic on constants is done; x*1, x+0 and their like are x; broadcasts and reshapes of constants are constants.
//   * Values, operations and files are numbered in the order of the listing.
#pragma once

#include "dsl/program/program.h"

namespace tilewright::program {

// `program` must be well formed (a Builder's program is). The result is well formed and computes the same; canonicalize of it is itself.
Program canonicalize(const Program& program);

}  // namespace tilewright::program
