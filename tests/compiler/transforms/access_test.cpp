// Kernels whose accesses the neutral passes rewrite, run on the CPU and compared with plain loops: tiles that hang over every edge of a matrix.
#include "compiler/compiler.h"
#include "dsl/tilewright.h"
#include "runtime/session.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tilewright {
namespace {

constexpr int kRows = 19, kColumns = 37, kTileRows = 8, kTileColumns = 16, kShift = 3;

// out[i, j] = x[i - 3, j + 3], -1 where that lies outside of x or i + j is odd; spelled with a coordinate for every element and masks that repeat
// the bounds.
struct ShiftByCoordinates {
  Grid grid(In x) const { return {ceil_div(x.size(0), kTileRows), ceil_div(x.size(1), kTileColumns)}; }
  void body(In x, Out out) const {
    const Tile rows = arange(kTileRows) + program_id(0) * kTileRows, columns = arange(kTileColumns) + program_id(1) * kTileColumns;
    const Tile row = broadcast_to(rows(_, None), {kTileRows, kTileColumns}), column = broadcast_to(columns(None, _), {kTileRows, kTileColumns});
    const Tile even = (row + column) % 2 == 0;
    const Tile inside = (row - kShift >= 0) & (row - kShift < x.size(0)) & (column + kShift < x.size(1));
    const Tile shifted = load_at(x, {row - kShift, column + kShift}, inside & even, -1);
    store_at(out, {row, column}, shifted, (row < out.size(0)) & (column < out.size(1)));
  }
};
TW_KERNEL(ShiftByCoordinates, "shift_by_coordinates", "x", "out")

// out[i, j] = x[0, j]: the row index of the tile appears in no coordinate of the load.
struct RepeatFirstRow {
  Grid grid(In x) const { return {ceil_div(x.size(0), kTileRows), ceil_div(x.size(1), kTileColumns)}; }
  void body(In x, Out out) const {
    const Index row = program_id(0) * kTileRows, column = program_id(1) * kTileColumns;
    const Tile columns = broadcast_to((arange(kTileColumns) + column)(None, _), {kTileRows, kTileColumns});
    store(out, {row, column}, load_at(x, {0, columns}));
  }
};
TW_KERNEL(RepeatFirstRow, "repeat_first_row", "x", "out")

// out[i, j] = sum over k < 5 of exp(x[j, i]) * k: a gathered, transposed load that every iteration repeats, and exponentials of a broadcast column.
struct HoistedLoad {
  Grid grid(In x) const { return {ceil_div(x.size(1), kTileColumns), ceil_div(x.size(0), kTileRows)}; }
  void body(In x, Out out) const {
    const Tile rows = arange(kTileRows) + program_id(1) * kTileRows, columns = arange(kTileColumns) + program_id(0) * kTileColumns;
    Var total = zeros(f32, {kTileColumns, kTileRows});
    for (Index k : range(0, 5)) {
      const Tile block = trans(load(x, {rows, columns}, {kTileRows, kTileColumns}, (rows < x.size(0))(_, None)));
      total = total + exp(block) * cast(k, f32);
    }
    store(out, {program_id(0) * kTileColumns, program_id(1) * kTileRows}, total);
  }
};
TW_KERNEL(HoistedLoad, "hoisted_load", "x", "out")

class Access : public ::testing::Test {
 protected:
  Access() : session_(make_session("cpu", make_compiler(), {.poison = true, .threads = 0, .interpreter = {}})), x_(DType::F32, {kRows, kColumns}) {
    for (std::int64_t i = 0; i < x_.elements(); ++i) x_.set(i, 0.01 * static_cast<double>((i * 7919) % 200) - 1);
  }

  double x(int row, int column) const { return x_.at(std::int64_t{row} * kColumns + column); }

  template <class K>
  HostTensor run(std::vector<std::int64_t> out_shape) {
    const DeviceTensor x = session_->upload(x_), out = session_->allocate(DType::F32, out_shape);
    session_->launch(kernel_of<K>(), std::vector<Argument>{x, out});
    return session_->download(out);
  }

  std::unique_ptr<Session> session_;
  HostTensor x_;
};

TEST_F(Access, CoordinatesOfEveryElementWithRedundantMasks) {
  const HostTensor out = run<ShiftByCoordinates>({kRows, kColumns});
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) {
      const bool read = i >= kShift && j + kShift < kColumns && (i + j) % 2 == 0;
      EXPECT_EQ(out.at(i * kColumns + j), read ? x(i - kShift, j + kShift) : -1) << i << ", " << j;
    }
  }
}

TEST_F(Access, AnAxisThatNoCoordinateUses) {
  const HostTensor out = run<RepeatFirstRow>({kRows, kColumns});
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) EXPECT_EQ(out.at(i * kColumns + j), x(0, j)) << i << ", " << j;
  }
}

TEST_F(Access, ALoadThatTheLoopDoesNotChange) {
  const HostTensor out = run<HoistedLoad>({kColumns, kRows});
  for (int i = 0; i < kColumns; ++i) {
    for (int j = 0; j < kRows; ++j) EXPECT_NEAR(out.at(i * kRows + j), 10 * std::exp(x(j, i)), 1e-5) << i << ", " << j;
  }
}

}  // namespace
}  // namespace tilewright
