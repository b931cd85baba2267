// Bank conflicts as they are told.
#include "compiler/gpu/lowering/remarks.h"
#include "compiler/layout/shared_layout.h"

#include <gtest/gtest.h>

namespace tilewright::gpu {
namespace {

using layout::Layout;
using layout::LinearMap;

// 32 lanes along one axis of a tile of 32 x 32 floats, its other axis in registers, in rows of 32 + `padding` floats.
layout::AccessCost cost_of(int lane_axis, std::int64_t padding) {
  std::vector<layout::Point> lanes, registers;
  for (std::uint32_t bit = 1; bit < 32; bit *= 2) {
    lanes.push_back(lane_axis == 0 ? layout::Point{bit, 0} : layout::Point{0, bit});
    registers.push_back(lane_axis == 0 ? layout::Point{0, bit} : layout::Point{bit, 0});
  }
  const Layout layout({32, 32}, LinearMap({{"register", registers}, {"lane", lanes}}, {{"dim0", 5}, {"dim1", 5}}), {});
  const auto offsets = layout::offset_expression(layout, layout::SharedLayout::strided({32, 32}, {1, 0}, padding));
  return layout::access_cost({}, layout, *offsets, layout::memory_vectors(layout, *offsets, 1, false), 4);
}

TEST(Remarks, BankConflictsSayHowMany) {
  EXPECT_EQ(bank_remark(cost_of(0, 0), "a column is read"), "predicted bank conflicts: 32-way where a column is read");
  EXPECT_EQ(bank_remark(cost_of(0, 4), "a column is read"), "predicted bank conflicts: 4-way where a column is read");
  EXPECT_EQ(bank_remark(cost_of(0, 1), "a column is read"), "");
  EXPECT_EQ(bank_remark(cost_of(1, 0), "a row is read"), "");
}

}  // namespace
}  // namespace tilewright::gpu
