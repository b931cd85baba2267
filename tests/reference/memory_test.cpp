// Loads, stores and narrowed views of the reference.
#include "compiler/reference/memory.h"
#include "runtime/support/error.h"
#include "tests/reference/tiles.h"

#include <gmock/gmock.h>

#include <limits>
#include <numeric>

namespace tilewright::reference {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using program::kMapFull;
using program::kMapPoint;

// A 4 x 5 view of counting integers within a larger block, rows 7 apart.
class Memory : public ::testing::Test {
 protected:
  Memory() : block_(40) {
    std::iota(block_.begin(), block_.end(), 0);
    view_ = {DType::I32, reinterpret_cast<std::byte*>(block_.data()), {4, 5}, {7, 1}};
  }

  static Tile at(std::int64_t i) { return Tile::scalar<std::int64_t>(DType::I64, i); }
  static Tile picks(std::vector<double> indices) { return tile(DType::I32, {static_cast<std::int64_t>(indices.size())}, indices); }

  std::vector<std::int32_t> block_;
  View view_;
};

TEST_F(Memory, LoadGivesZeroOutside) {
  const std::vector<std::int64_t> maps{0, 1};
  EXPECT_THAT(integers(load(view_, {maps, {at(2), at(3)}}, {3, 3}, nullptr, nullptr)), ElementsAre(17, 18, 0, 24, 25, 0, 0, 0, 0));
  EXPECT_THAT(integers(load(view_, {maps, {at(-1), at(-2)}}, {2, 3}, nullptr, nullptr)), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(integers(load(view_, {maps, {at(-1), at(-1)}}, {2, 2}, nullptr, nullptr)), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(integers(load(view_, {maps, {at(INT64_MAX), at(0)}}, {2, 2}, nullptr, nullptr)), Each(0));
}

TEST_F(Memory, LoadMapsAxesInAnyOrder) {
  const std::vector<std::int64_t> transposed{1, 0}, row{kMapPoint, 0}, point{kMapPoint, kMapPoint};
  EXPECT_THAT(integers(load(view_, {transposed, {at(0), at(1)}}, {2, 3}, nullptr, nullptr)), ElementsAre(1, 8, 15, 2, 9, 16));
  EXPECT_THAT(integers(load(view_, {row, {at(1), at(2)}}, {2}, nullptr, nullptr)), ElementsAre(9, 10));
  EXPECT_THAT(integers(load(view_, {point, {at(3), at(4)}}, {}, nullptr, nullptr)), ElementsAre(25));
  EXPECT_THAT(integers(load(view_, {point, {at(4), at(4)}}, {}, nullptr, nullptr)), ElementsAre(0));
}

TEST_F(Memory, AnAxisNotMappedRepeats) {
  const std::vector<std::int64_t> maps{kMapPoint, 1};
  EXPECT_THAT(integers(load(view_, {maps, {at(1), at(0)}}, {2, 2}, nullptr, nullptr)), ElementsAre(7, 8, 7, 8));
}

TEST_F(Memory, GathersSlicesAndElements) {
  const std::vector<std::int64_t> rows{0, 1}, full{kMapFull, kMapPoint};
  EXPECT_THAT(integers(load(view_, {rows, {picks({3, -1, 0}), at(1)}}, {3, 2}, nullptr, nullptr)), ElementsAre(22, 23, 0, 0, 1, 2));
  const Tile index = tile(DType::I64, {2, 2}, {0, 3, 4, 2});
  EXPECT_THAT(integers(load(view_, {full, {index, at(1)}}, {2, 2}, nullptr, nullptr)), ElementsAre(1, 22, 0, 15));
}

TEST_F(Memory, MaskAndOther) {
  const std::vector<std::int64_t> maps{kMapPoint, 0};
  const Tile mask = tile(DType::Bool, {3}, {1, 0, 1});
  const Tile scalar = tile(DType::I32, {}, {-9}), each = tile(DType::I32, {3}, {-1, -2, -3});
  EXPECT_THAT(integers(load(view_, {maps, {at(0), at(3)}}, {3}, &mask, &scalar)), ElementsAre(3, -9, -9));
  EXPECT_THAT(integers(load(view_, {maps, {at(0), at(3)}}, {3}, &mask, &each)), ElementsAre(3, -2, -3));
  EXPECT_THAT(integers(load(view_, {maps, {at(0), at(3)}}, {3}, nullptr, &each)), ElementsAre(3, 4, -3));
}

TEST_F(Memory, StoreWritesInsideOnly) {
  const std::vector<std::int32_t> before = block_;
  const std::vector<std::int64_t> maps{0, 1};
  const Tile mask = tile(DType::Bool, {2, 3}, {1, 0, 1, 1, 1, 1});
  store(view_, {maps, {at(3), at(3)}}, tile(DType::I32, {2, 3}, {-1, -2, -3, -4, -5, -6}), &mask);
  std::vector<std::int32_t> expected = before;
  expected[3 * 7 + 3] = -1;
  EXPECT_EQ(block_, expected);
}

TEST_F(Memory, NarrowClampsAndShiftsCoordinates) {
  const View rows = narrow(view_, 0, 2, 100);
  EXPECT_THAT(rows.sizes, ElementsAre(2, 5));
  const std::vector<std::int64_t> maps{0, kMapPoint};
  EXPECT_THAT(integers(load(rows, {maps, {at(0), at(0)}}, {3}, nullptr, nullptr)), ElementsAre(14, 21, 0));
  EXPECT_THAT(integers(load(rows, {maps, {at(-1), at(0)}}, {2}, nullptr, nullptr)), ElementsAre(0, 14));
  EXPECT_THAT(narrow(view_, 1, -3, 2).sizes, ElementsAre(4, 2));
  EXPECT_THAT(narrow(view_, 1, 9, 2).sizes, ElementsAre(4, 0));
  EXPECT_THAT(narrow(view_, 1, 1, -2).sizes, ElementsAre(4, 0));
}

TEST_F(Memory, StridesMayBeNegativeOrZero) {
  const View backward{DType::I32, view_.at(4), {4, 5}, {7, -1}}, constant{DType::I32, view_.at(8), {3}, {0}};
  const std::vector<std::int64_t> row{kMapPoint, 0}, all{0};
  EXPECT_THAT(integers(load(backward, {row, {at(1), at(0)}}, {5}, nullptr, nullptr)), ElementsAre(11, 10, 9, 8, 7));
  EXPECT_THAT(integers(load(constant, {all, {at(0)}}, {4}, nullptr, nullptr)), ElementsAre(8, 8, 8, 0));
}

}  // namespace
}  // namespace tilewright::reference
