// Simplification of one operation on constants and identities, exact for every input.
#pragma once

#include "dsl/program/program.h"

namespace tilewright::program {

struct Folded {
  ValueId value = kNone;  // an operand (or an operand's operand) that the result equals; else
  bool changed = false;   // `op` computes the same from less
  Op op;
};

// `op` is a Pure operation without regions and with one result of `type`; its operands are values of `program`. Results of `op` are not filled.
Folded fold(const Program& program, const Op& op, const Type& type);

}  // namespace tilewright::program
