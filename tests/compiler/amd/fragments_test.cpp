// The fragments of the matrix instructions, against the formulas of the instruction set references.
#include "compiler/targets/amd/fragments.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace tilewright::amd {
namespace {

using Formula = std::function<layout::Point(std::uint32_t lane, std::uint32_t reg)>;

struct Shape {
  std::uint32_t lanes, registers;
  int copies;  // slots that hold one element
};

void expect_fragment(const layout::LinearMap& map, const Shape& shape, const Formula& formula) {
  const layout::LinearMap ordered = map.ordered({"register", "lane"}, {"dim0", "dim1"});
  ASSERT_EQ(1u << ordered.input_bits("lane"), shape.lanes);
  ASSERT_EQ(1u << ordered.input_bits("register"), shape.registers);
  std::map<layout::Point, int> held;
  for (std::uint32_t lane = 0; lane < shape.lanes; ++lane) {
    for (std::uint32_t reg = 0; reg < shape.registers; ++reg) {
      const layout::Point at = ordered.apply({reg, lane});
      EXPECT_EQ(at, formula(lane, reg)) << "lane " << lane << " register " << reg;
      ++held[at];
    }
  }
  EXPECT_EQ(held.size(), 256u);
  for (const auto& [at, count] : held) EXPECT_EQ(count, shape.copies) << at[0] << ", " << at[1];
}

TEST(Fragments, OfMfma) {
  const gpu::MatrixInstruction& instruction = matrix_instruction(MatrixFamily::Mfma);
  EXPECT_EQ(instruction.m * instruction.n * instruction.k, 16 * 16 * 16);
  expect_fragment(instruction.a, {64, 4, 1}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{lane % 16, 4 * (lane / 16) + reg}; });
  expect_fragment(instruction.b, {64, 4, 1}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{4 * (lane / 16) + reg, lane % 16}; });
  expect_fragment(instruction.acc, {64, 4, 1}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{4 * (lane / 16) + reg, lane % 16}; });
}

TEST(Fragments, OfWmma) {
  const gpu::MatrixInstruction& instruction = matrix_instruction(MatrixFamily::Wmma);
  EXPECT_EQ(instruction.m * instruction.n * instruction.k, 16 * 16 * 16);
  expect_fragment(instruction.a, {32, 16, 2}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{lane % 16, reg}; });
  expect_fragment(instruction.b, {32, 16, 2}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{reg, lane % 16}; });
  expect_fragment(instruction.acc, {32, 8, 1}, [](std::uint32_t lane, std::uint32_t reg) { return layout::Point{2 * reg + lane / 16, lane % 16}; });
}

}  // namespace
}  // namespace tilewright::amd
