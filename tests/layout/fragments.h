// Fragments of matrix instructions, as their manuals draw them, for the tests. 16x8x16 instructions of 32 lanes: the accumulator and both operands of 2 bytes an
// element. 64x8 accumulators of four warps. 32x32 and 16x16 accumulators of 64 lanes, and the operands that feed them.
#pragma once

#include "compiler/layout/linear_map.h"

namespace tilewright::layout {

inline LinearMap accumulator_16x8() {
  return LinearMap({{"register", {{0, 1}, {8, 0}}}, {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}}, {{"dim0", 4}, {"dim1", 3}});
}

inline LinearMap operand_a_16x16() {
  return LinearMap({{"register", {{0, 1}, {8, 0}, {0, 8}}}, {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}}, {{"dim0", 4}, {"dim1", 4}});
}

inline LinearMap operand_b_16x8() {
  return LinearMap({{"register", {{1, 0}, {8, 0}}}, {"lane", {{2, 0}, {4, 0}, {0, 1}, {0, 2}, {0, 4}}}}, {{"dim0", 4}, {"dim1", 3}});
}

inline LinearMap group_accumulator_64x8() {
  return LinearMap({{"register", {{0, 1}, {8, 0}}}, {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}, {"warp", {{16, 0}, {32, 0}}}},
                   {{"dim0", 6}, {"dim1", 3}});
}

inline LinearMap wave_accumulator_32x32() {
  return LinearMap({{"register", {{1, 0}, {2, 0}, {8, 0}, {16, 0}}}, {"lane", {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {4, 0}}}},
                   {{"dim0", 5}, {"dim1", 5}});
}

inline LinearMap wave_operand_32x8() {
  return LinearMap({{"register", {{0, 1}, {0, 2}}}, {"lane", {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {16, 0}, {0, 4}}}}, {{"dim0", 5}, {"dim1", 3}});
}

inline LinearMap wave_accumulator_16x16() {
  return LinearMap({{"register", {{1, 0}, {2, 0}}}, {"lane", {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}}}}, {{"dim0", 4}, {"dim1", 4}});
}

}  // namespace tilewright::layout
