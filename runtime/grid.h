// The grid of a launch: a kernel's grid region evaluated for the arguments at hand, without a compiler.
#pragma once

#include "dsl/program/program.h"
#include "runtime/device.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tilewright {

// The grid region of a program, prepared for evaluation. Immutable; evaluation is thread-safe and, up to 64 operations, allocates nothing.
//
// Scalars of the region are integers and bool. Every operation follows dsl/program/opcodes.def, wrapping to the width of its type.
class GridExpression {
 public:
  // Throws Error TW1901, at the author's position, for an operation that cannot stand in a grid (floating point, loads, control flow), and TW9201 for a malformed region.
  explicit GridExpression(const program::Program& program);

  // `arguments` are the slots of runtime/artifact.h.
  GridSize evaluate(std::span<const std::uint64_t> arguments) const;

 private:
  struct Step {
    program::Opcode opcode{};
    DType type{};                       // of the result; of the operands for comparisons
    std::uint32_t a = 0, b = 0, c = 0;  // earlier values; ViewSize: a is the argument slot
    std::int64_t constant = 0;
  };
  std::int64_t apply(const Step& step, const std::int64_t* values) const;

  struct ScalarParam {
    std::uint32_t slot = 0;
    DType type{};
  };
  std::vector<ScalarParam> scalars_;  // values 0 .. scalars_.size() - 1
  std::vector<Step> steps_;           // the values after them
  std::array<std::uint32_t, 3> results_{};
};

}  // namespace tilewright
