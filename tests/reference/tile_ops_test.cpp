// Shape operations, dot, reductions, scans and orderings of the reference.
#include "compiler/reference/ops.h"
#include "runtime/support/error.h"
#include "tests/reference/tiles.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace tilewright::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Tile counting(const Shape& shape, DType dtype = DType::I32) { return arange(dtype, Tile(dtype, shape).elements(), 0).with_shape(shape); }

TEST(Shape, BroadcastRepeatsAxesOfExtentOne) {
  EXPECT_THAT(integers(broadcast(tile(DType::I32, {2, 1}, {1, 2}), {2, 3})), ElementsAre(1, 1, 1, 2, 2, 2));
  EXPECT_THAT(integers(broadcast(tile(DType::I32, {1, 2}, {1, 2}), {3, 2})), ElementsAre(1, 2, 1, 2, 1, 2));
  EXPECT_THAT(integers(broadcast(tile(DType::I32, {}, {7}), {2, 2})), ElementsAre(7, 7, 7, 7));
  EXPECT_THROW(broadcast(tile(DType::I32, {2}, {1, 2}), {3}), Error);
}

TEST(Shape, TransposePutsAxisPermutedOfTheOperand) {
  const Tile x = counting({2, 3, 4});
  const Tile y = transpose(x, std::vector<std::int64_t>{2, 0, 1});
  ASSERT_EQ(y.shape(), (Shape{4, 2, 3}));
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 2; ++b)
      for (int c = 0; c < 3; ++c) EXPECT_EQ(y.integer((a * 2 + b) * 3 + c), (b * 3 + c) * 4 + a);
}

TEST(Shape, ConcatAndSliceUndoEachOther) {
  const Tile x = counting({2, 5, 3});
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    const std::int64_t cut = 1, rest = x.shape()[axis] - cut;
    const std::vector<Tile> parts{slice(x, axis, 0, cut), slice(x, axis, cut, rest)};
    EXPECT_EQ(integers(concat(parts, axis)), integers(x));
  }
  EXPECT_THROW(slice(x, 1, 3, 3), Error);
}

TEST(Shape, TakeClampsItsIndices) {
  const Tile x = counting({3, 2});
  const Tile index = tile(DType::I32, {4, 2}, {0, 2, 1, 1, -5, 9, 2, 0});
  EXPECT_THAT(integers(take(x, index, 0)), ElementsAre(0, 5, 2, 3, 0, 5, 4, 1));
  EXPECT_THAT(integers(take(counting({4}), bits<std::uint64_t>(DType::U64, {~0ull, 1}), 0)), ElementsAre(3, 1));
}

TEST(Dot, MultipliesAndAccumulates) {
  const Tile a = tile(DType::F32, {2, 3}, {1, 2, 3, 4, 5, 6}), b = tile(DType::F32, {3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(numbers(dot(a, b, tile(DType::F32, {2, 2}, {1, 1, 1, 1}))), ElementsAre(23, 29, 50, 65));
  const Tile a3 = counting({2, 2, 2}, DType::I8), b3 = counting({2, 2, 1}, DType::I8);
  EXPECT_THAT(integers(dot(a3, b3, tile(DType::I32, {2, 2, 1}, {0, 0, 0, 100}))), ElementsAre(1, 3, 23, 133));
  EXPECT_THROW(dot(a, a, tile(DType::F32, {2, 3}, std::vector<double>(6, 0))), Error);
}

TEST(Dot, HalfProductsAreExact) {
  const Tile a = tile(DType::F16, {1, 2}, {2049, 1}), b = tile(DType::F16, {2, 1}, {1, 1});
  EXPECT_THAT(numbers(dot(a, b, tile(DType::F32, {1, 1}, {0}))), ElementsAre(2049));  // 2049 itself rounds to 2048 in f16
}

TEST(Dot, WrapsInIntegers) {
  const Tile a = tile(DType::U8, {1, 1}, {255});
  EXPECT_THAT(integers(dot(a, a, tile(DType::I32, {1, 1}, {2147483647.0}))), ElementsAre(INT32_MIN + 65024));
}

TEST(Reduce, DropsItsAxis) {
  const Tile x = counting({2, 3, 2});
  EXPECT_THAT(integers(reduce(x, 0, ReduceKind::Sum)), ElementsAre(6, 8, 10, 12, 14, 16));
  EXPECT_THAT(integers(reduce(x, 1, ReduceKind::Max)), ElementsAre(4, 5, 10, 11));
  EXPECT_THAT(integers(reduce(x, 2, ReduceKind::Xor)), ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_EQ(reduce(counting({5}), 0, ReduceKind::Prod).shape(), Shape{});
}

TEST(Reduce, BoolsByAndOrXor) {
  const Tile x = tile(DType::Bool, {2, 3}, {1, 1, 1, 0, 1, 0});
  EXPECT_THAT(integers(reduce(x, 1, ReduceKind::And)), ElementsAre(1, 0));
  EXPECT_THAT(integers(reduce(x, 1, ReduceKind::Or)), ElementsAre(1, 1));
  EXPECT_THAT(integers(reduce(x, 1, ReduceKind::Xor)), ElementsAre(1, 1));
  EXPECT_THROW(reduce(x, 1, ReduceKind::Sum), Error);
}

TEST(Reduce, NanWinsMinAndMax) {
  const Tile x = tile(DType::F16, {3}, {1, kNan, 2});
  EXPECT_TRUE(std::isnan(reduce(x, 0, ReduceKind::Min).number(0)));
  EXPECT_TRUE(std::isnan(reduce(x, 0, ReduceKind::Max).number(0)));
}

TEST(Reduce, SumOfHalfIsRoundedAtTheEnd) {
  const Tile x = tile(DType::F16, {4}, {2048, 1, 1, 1});
  EXPECT_EQ(reduce(x, 0, ReduceKind::Sum).number(0), 2052);  // 2051, between 2050 and 2052: to even
}

TEST(Reduce, SmallIntegersWrap) { EXPECT_EQ(reduce(tile(DType::I8, {2}, {100, 100}), 0, ReduceKind::Sum).integer(0), -56); }

TEST(Scan, RunsEitherWay) {
  const Tile x = tile(DType::I32, {2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(integers(scan(x, 1, ReduceKind::Sum, false)), ElementsAre(1, 3, 6, 4, 9, 15));
  EXPECT_THAT(integers(scan(x, 1, ReduceKind::Sum, true)), ElementsAre(6, 5, 3, 15, 11, 6));
  EXPECT_THAT(integers(scan(x, 0, ReduceKind::Prod, false)), ElementsAre(1, 2, 3, 4, 10, 18));
  EXPECT_THAT(integers(scan(x, 1, ReduceKind::Max, true)), ElementsAre(3, 3, 3, 6, 6, 6));
}

TEST(Order, ArgExtremesTakeTheLowerIndex) {
  const Tile x = tile(DType::F32, {2, 4}, {1, 3, 3, kNan, kNan, -1, -1, 2});
  EXPECT_THAT(integers(arg_extreme(x, 1, true)), ElementsAre(1, 3));
  EXPECT_THAT(integers(arg_extreme(x, 1, false)), ElementsAre(0, 1));
  EXPECT_THAT(integers(arg_extreme(tile(DType::F32, {2}, {kNan, kNan}), 0, true)), ElementsAre(0));
  EXPECT_THAT(integers(arg_extreme(tile(DType::F32, {2}, {-0.0, 0.0}), 0, true)), ElementsAre(0));
  EXPECT_THAT(integers(arg_extreme(x, 0, false)), ElementsAre(0, 1, 1, 1));
}

TEST(Order, TopKIsTotal) {
  const Tile x = tile(DType::F32, {6}, {1, kNan, 3, 3, -kInf, kInf});
  const auto [values, indices] = topk(x, 0, 6, true);
  EXPECT_THAT(integers(indices), ElementsAre(5, 2, 3, 0, 4, 1));
  EXPECT_EQ(values.number(0), kInf);
  EXPECT_TRUE(std::isnan(values.number(5)));
  EXPECT_THAT(integers(topk(x, 0, 6, false).second), ElementsAre(4, 0, 2, 3, 5, 1));
  EXPECT_THAT(integers(topk(tile(DType::F32, {3}, {0.0, -0.0, 0.0}), 0, 3, true).second), ElementsAre(0, 1, 2));
}

TEST(Order, TopKAlongAnyAxis) {
  const Tile x = tile(DType::I32, {3, 2}, {1, 6, 5, 4, 3, 2});
  const auto [values, indices] = topk(x, 0, 2, true);
  ASSERT_EQ(values.shape(), (Shape{2, 2}));
  EXPECT_THAT(integers(values), ElementsAre(5, 6, 3, 4));
  EXPECT_THAT(integers(indices), ElementsAre(1, 0, 2, 1));
  EXPECT_THROW(topk(x, 0, 4, true), Error);
}

}  // namespace
}  // namespace tilewright::reference
