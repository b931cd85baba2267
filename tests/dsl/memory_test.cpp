// Both spellings of load and store, gathers, masks, windows and single elements, judged by what moves.
#include "tests/dsl/run_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tilewright {
namespace {

using ::testing::ElementsAre;

using Numbers = std::vector<float>;

// x is 4 x 6: element (r, c) is 6 r + c.
Numbers on_matrix(std::int64_t y_rows, std::int64_t y_cols, const body_under_test::Body& body) { return run_body(4, 6, y_rows, y_cols, body); }

TEST(Memory, LastDimensionsByDefault) {
  EXPECT_THAT(on_matrix(1, 3, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {2, 1}, {3})); }), ElementsAre(13, 14, 15));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {1, 4}, {2, 2})); }), ElementsAre(10, 11, 16, 17));
}

TEST(Memory, SpansChooseDimensions) {
  EXPECT_THAT(on_matrix(1, 3, [](InOut x, InOut y, Scalar) { store(y, {0, span(0, 3)}, load(x, {span(1, 3), 2})); }), ElementsAre(8, 14, 20));
  EXPECT_THAT(on_matrix(3, 1, [](InOut x, InOut y, Scalar) { store(y, {span(0, 3), 0}, load(x, {1, span(2, 3)})); }), ElementsAre(8, 9, 10));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {span(0, 2), span(4, 2)})); }), ElementsAre(4, 5, 10, 11));
}

TEST(Memory, OutsideIsZeroAndIsNotStored) {
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {3, 4}, {4})); }), ElementsAre(22, 23, 0, 0));
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {-1, -1}, load(x, {-1, 0}, {2, 4})); }), ElementsAre(1, 2, 3, -1));
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 2}, load(x, {1, 0}, {4})); }), ElementsAre(-1, -1, 6, 7));
}

TEST(Memory, OtherAndMasks) {
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load_or(9, x, {3, 4}, {4})); }), ElementsAre(22, 23, 9, 9));
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load_or(9, x, {3, span(4, 4)})); }), ElementsAre(22, 23, 9, 9));
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {0, 0}, {4}, arange(4) != 1)); }), ElementsAre(0, 0, 2, 3));
  EXPECT_THAT(on_matrix(1, 4,
                        [](InOut x, InOut y, Scalar s) {
                          store(y, {0, 0}, load(x, {0, 0}, {4}, arange(4) != 1, s));
                        }),
              ElementsAre(0, 0.5, 2, 3));
  EXPECT_THAT(on_matrix(2, 2,
                        [](InOut x, InOut y, Scalar) {
                          store(y, {0, 0}, load(x, {0, span(0, 2)}), arange(2) == 1);
                        }),
              ElementsAre(-1, 1, -1, -1));
  EXPECT_THAT(on_matrix(2, 2,
                        [](InOut x, InOut y, Scalar) {
                          store(y, {0, 0}, load(x, {0, 0}, {2, 2}), (arange(2) == 1)(_, None));
                        }),
              ElementsAre(-1, -1, 6, 7));
}

TEST(Memory, GathersRowsAndColumns) {
  EXPECT_THAT(on_matrix(2, 2,
                        [](InOut x, InOut y, Scalar) {
                          store(y, {0, 0}, load(x, {3 - arange(2) * 2, 0}, {2, 2}));
                        }),
              ElementsAre(18, 19, 6, 7));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {span(0, 2), 5 - arange(2)})); }), ElementsAre(5, 4, 11, 10));
  EXPECT_THAT(on_matrix(1, 2, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x, {arange(2) + 1, 3})); }), ElementsAre(9, 15));
}

TEST(Memory, ScattersRowsAndColumns) {
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {1 - arange(2), 0}, load(x, {0, 0}, {2, 2})); }), ElementsAre(6, 7, 0, 1));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {arange(2), 1}, load(x, {0, 0}, {2})); }), ElementsAre(-1, 0, -1, 1));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { store(y, {arange(2) * 2, 0}, load(x, {0, 0}, {2, 2})); }), ElementsAre(0, 1, -1, -1));
}

TEST(Memory, ElementByElement) {
  EXPECT_THAT(on_matrix(1, 3, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load_at(x, {arange(3), arange(3)})); }), ElementsAre(0, 7, 14));
  EXPECT_THAT(on_matrix(2, 2,
                        [](InOut x, InOut y, Scalar) {
                          store(y, {0, 0}, load_at(x, {arange(2)(_, None), 3 - arange(2)(None, _)}));
                        }),
              ElementsAre(3, 2, 9, 8));
  EXPECT_THAT(on_matrix(1, 3,
                        [](InOut x, InOut y, Scalar) {
                          store(y, {0, 0}, load_at(x, {2, arange(3) * 2}, arange(3) != 1, 7));
                        }),
              ElementsAre(12, 7, 16));
  EXPECT_THAT(on_matrix(2, 2,
                        [](InOut x, InOut y, Scalar) {
                          store_at(y, {arange(2), 1 - arange(2)}, load(x, {1, 0}, {2}));
                        }),
              ElementsAre(-1, 6, 7, -1));
  EXPECT_THAT(on_matrix(2, 2, [](InOut, InOut y, Scalar) { store_at(y, {arange(2), 0}, 3, arange(2) == 1); }), ElementsAre(-1, -1, 3, -1));
}

TEST(Memory, SingleElements) {
  EXPECT_THAT(on_matrix(1, 2, [](InOut x, InOut y, Scalar s) { store(y, {0, 1}, load(x, {2, 3}) + s); }), ElementsAre(-1, 15.5));
  EXPECT_THAT(on_matrix(1, 2, [](InOut, InOut y, Scalar) { store(y, {0, 0}, 4); }), ElementsAre(4, -1));
  EXPECT_THAT(on_matrix(2, 2, [](InOut, InOut y, Scalar) { store(y, {span(0, 2), 1}, 4.5); }), ElementsAre(-1, 4.5, -1, 4.5));
}

TEST(Memory, IndicesOfAnyInteger) {
  EXPECT_THAT(on_matrix(1, 2,
                        [](InOut x, InOut y, Scalar) {
                          Tile row = cast(load(x, {0, 2}), i32);
                          Index column = cast(row, u8);
                          store(y, {0, 0}, load(x, {row, column}, {2}));
                        }),
              ElementsAre(14, 15));
}

TEST(Memory, WindowsCutAndShift) {
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, load(x.narrow(1, 2, 3), {1, 0}, {4})); }), ElementsAre(8, 9, 10, 0));
  EXPECT_THAT(on_matrix(1, 4, [](InOut x, InOut y, Scalar) { store(y.narrow(1, 1, 2), {0, -1}, load(x, {0, 0}, {4})); }), ElementsAre(-1, 1, 2, -1));
  EXPECT_THAT(on_matrix(1, 1, [](InOut x, InOut y, Scalar) { store(y, {0, 0}, cast(x.narrow(0, 3, 100).size(0), f32)); }), ElementsAre(1));
}

TEST(Memory, AtomicOperationsAtThePlacesOfStore) {
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { atomic_add(y, {0, 0}, load(x, {1, 1}, {2, 2})); }), ElementsAre(6, 7, 12, 13));
  EXPECT_THAT(on_matrix(2, 2, [](InOut, InOut y, Scalar) { atomic_max(y, {span(0, 2), 1}, 4.5); }), ElementsAre(-1, 4.5, -1, 4.5));
  EXPECT_THAT(on_matrix(2, 2, [](InOut x, InOut y, Scalar) { atomic_min(y, {1, span(0, 2)}, load(x, {0, 0}, {2}) - 2, arange(2) == 0); }), ElementsAre(-1, -1, -2, -1));
  EXPECT_THAT(on_matrix(1, 4, [](InOut, InOut y, Scalar) { atomic_add(y, {0, arange(9) % 5 - 1}, 1); }), ElementsAre(1, 1, 1, 0));
  EXPECT_THAT(on_matrix(2, 2, [](InOut, InOut y, Scalar) { atomic_add_at(y, {arange(3) - 1, 0}, 2, arange(3) > 0); }), ElementsAre(1, -1, 1, -1));
  EXPECT_THAT(on_matrix(1, 2, [](InOut, InOut y, Scalar s) { atomic_exchange(y.narrow(1, 1, 1), {0, 0}, s); }), ElementsAre(-1, 0.5));
}

TEST(Memory, OrdersAreFencesAroundAtomicOperations) {
  EXPECT_THAT(on_matrix(2, 2, [](InOut, InOut y, Scalar) { atomic_add(y, {0, span(0, 2)}, 3, arange(2) > 0, Order::AcquireRelease); }), ElementsAre(-1, 2, -1, -1));
  EXPECT_THAT(on_matrix(1, 2, [](InOut, InOut y, Scalar) { atomic_compare_exchange(y, {0, 0}, -1, 4, Order::Release); }), ElementsAre(4, -1));
  EXPECT_THAT(on_matrix(1, 2, [](InOut, InOut y, Scalar) { store(y, {0, 1}, atomic_exchange_at(y, {arange(1), 0}, 6, Order::Acquire)); }), ElementsAre(6, -1));
}

TEST(Memory, AtomicOperationsGiveWhatWasThere) {
  EXPECT_THAT(on_matrix(1, 4,
                        [](InOut x, InOut y, Scalar) {
                          Tile old = atomic_add(x, {3, span(4, 4)}, 10);  // two of them outside
                          store(y, {0, 0}, old + load(x, {3, 4}, {4}) * 100);
                        }),
              ElementsAre(22 + 3200, 23 + 3300, 0, 0));
  EXPECT_THAT(on_matrix(1, 4,
                        [](InOut x, InOut y, Scalar) {
                          Tile old = atomic_compare_exchange(x, {0, span(0, 4)}, load(x, {0, 0}, {4}) * 2, 7);  // 0 and its double are equal
                          store(y, {0, 0}, old * 10 + load(x, {0, 0}, {4}));
                        }),
              ElementsAre(7, 11, 22, 33));
  EXPECT_THAT(on_matrix(1, 2,
                        [](InOut x, InOut y, Scalar) {
                          Tile first = atomic_add(x, {0, 1}, 1), second = atomic_add(x, {0, 1}, 1);  // two operations, though alike
                          store(y, {0, 0}, first);
                          store(y, {0, 1}, second);
                        }),
              ElementsAre(1, 2));
}

TEST(Memory, ViewsKnowThemselves) {
  traced_body([](InOut x, InOut, Scalar) {
    EXPECT_EQ(x.rank(), 2);
    EXPECT_EQ(x.dtype(), f32);
    EXPECT_EQ(x.size(0).dtype(), i64);
    EXPECT_EQ(load(x, {0, 0}, {3, 5}).rank(), 2);
    EXPECT_EQ(load(x, {0, 0}, {3, 5}).extent(1), 5);
  });
}

}  // namespace
}  // namespace tilewright
