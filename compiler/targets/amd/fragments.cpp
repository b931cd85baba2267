#include "compiler/targets/amd/fragments.h"

namespace tilewright::amd {

using layout::LinearMap;
using layout::Point;

namespace {

// A 16 x 16 matrix, from the bases of register and lane bits.
LinearMap square(std::vector<Point> registers, std::vector<Point> lanes) {
  return LinearMap({{"register", std::move(registers)}, {"lane", std::move(lanes)}}, {{"dim0", 4}, {"dim1", 4}});
}

// Instruction set reference of CDNA 3, chapter "Matrix Arithmetic Instructions". 64 lanes; register r of lane l holds
//   A[l % 16][4 (l / 16) + r],  B[4 (l / 16) + r][l % 16],  D[4 (l / 16) + r][l % 16]
gpu::MatrixInstruction mfma() {
  const LinearMap rows = square({{0, 1}, {0, 2}}, {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 4}, {0, 8}});
  const LinearMap columns = square({{1, 0}, {2, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}});
  return {.name = "mfma_f32_16x16x16", .m = 16, .n = 16, .k = 16, .a = rows, .b = columns, .acc = columns};
}

// Instruction set reference of RDNA 3, section "Wave Matrix Multiply Accumulate". 32 lanes, of which the upper half repeats the lower half's operands; register r of lane l holds
//   A[l % 16][r],  B[r][l % 16],  D[2 r + l / 16][l % 16]
gpu::MatrixInstruction wmma() {
  return {.name = "wmma_f32_16x16x16",
          .m = 16,
          .n = 16,
          .k = 16,
          .a = square({{0, 1}, {0, 2}, {0, 4}, {0, 8}}, {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 0}}),
          .b = square({{1, 0}, {2, 0}, {4, 0}, {8, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 0}}),
          .acc = square({{2, 0}, {4, 0}, {8, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {1, 0}})};
}

}  // namespace

const gpu::MatrixInstruction& matrix_instruction(MatrixFamily family) {
  static const gpu::MatrixInstruction cdna = mfma(), rdna = wmma();
  return family == MatrixFamily::Mfma ? cdna : rdna;
}

}  // namespace tilewright::amd
