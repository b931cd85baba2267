// What the generator knows of the elements of a value, so that a target's results can be judged.
//
// IEEE operations on equal operands give equal results on every target, so most values are exact: bit for bit those of the reference, apart from
// the payload of a NaN. What a target may compute in another order or with another approximation (sums, dot, exp, ...) is exact only if every
// partial result is representable, which bound and quantum decide; else it carries an absolute error bound. Operations with jumps (comparisons,
// floor, casts to integers, orderings) take exact operands only.
#pragma once

#include "dsl/program/program.h"

#include <limits>
#include <span>

namespace tilewright::fuzz {

struct Numbers {
  double bound = std::numeric_limits<double>::infinity();  // no element is larger in magnitude; infinity: infinities may occur
  double quantum = 0;      // every element is an integer multiple of this power of two; 0: nothing known
  double error = 0;        // how far target and reference may be apart; 0: exact
  bool may_be_nan = false;
  bool zero_sign = false;  // the sign of a zero may differ from the reference's

  bool exact() const { return error == 0; }
};

// Largest finite magnitude and unit roundoff of a float type; the largest magnitude of an integer type.
double largest(DType dtype);
double roundoff(DType dtype);

Numbers any_of(DType dtype);             // nothing is known but the type
Numbers constant(DType dtype, double value);
Numbers join(const Numbers& a, const Numbers& b);  // either of both

Numbers elementwise(program::Opcode opcode, DType dtype, std::span<const Numbers> operands);
Numbers clamped(const Numbers& value, double low, double high);
Numbers cast(const Numbers& value, DType from, DType to);
Numbers bitcast(DType to);
Numbers dot(const Numbers& a, const Numbers& b, const Numbers& accumulator, DType accumulates_in, std::int64_t depth);
Numbers reduce(const Numbers& value, DType dtype, program::ReduceKind kind, std::int64_t extent);
Numbers scan(const Numbers& value, DType dtype, program::ReduceKind kind, std::int64_t extent);

// sum + turns * term, each addition rounded in dtype.
Numbers accumulated(const Numbers& start, const Numbers& term, DType dtype, std::int64_t turns);

// The operand range an inexact function is used on, where its error bound is tight.
struct Domain {
  double low, high;
};
bool has_domain(program::Opcode opcode);
Domain domain_of(program::Opcode opcode);

}  // namespace tilewright::fuzz
