// Every function of the language, by its value on small tiles.
#include "tests/dsl/run_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tilewright {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

using Numbers = std::vector<float>;

// The tile `make` gives, as floats. Its argument is 0, 1, 2, 3.
Numbers values(int count, const std::function<Tile(Tile)>& make) {
  return run_body(1, 4, 1, count, [&](InOut x, InOut y, Scalar) {
    Tile result = make(load(x, {0, 0}, {4}));
    store(y, {0, 0}, reshape(cast(result, f32), {count}));
  });
}

TEST(Ops, Arithmetic) {
  EXPECT_THAT(values(4, [](Tile x) { return x + x * 2 - 1; }), ElementsAre(-1, 2, 5, 8));
  EXPECT_THAT(values(4, [](Tile x) { return 6.0 / (x + 1.0); }), ElementsAre(6, 3, 2, 1.5));
  EXPECT_THAT(values(4, [](Tile x) { return -x; }), ElementsAre(0, -1, -2, -3));
  EXPECT_THAT(values(4, [](Tile x) { return abs(x - 2); }), ElementsAre(2, 1, 0, 1));
  EXPECT_THAT(values(4, [](Tile x) { return min(max(x, 1), 2.0); }), ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(values(4, [](Tile x) { return max(2, min(x, x + 1)); }), ElementsAre(2, 2, 2, 3));
  EXPECT_THAT(values(4, [](Tile x) { return fma(x, 2, 0.5); }), ElementsAre(0.5, 2.5, 4.5, 6.5));
}

TEST(Ops, Integers) {
  EXPECT_THAT(values(4, [](Tile) { return (arange(4) - 2) / 2; }), ElementsAre(-1, 0, 0, 0));
  EXPECT_THAT(values(4, [](Tile) { return (arange(4) - 2) % 2; }), ElementsAre(0, -1, 0, 1));
  EXPECT_THAT(values(4, [](Tile) { return (arange(4) << 2) | 1; }), ElementsAre(1, 5, 9, 13));
  EXPECT_THAT(values(4, [](Tile) { return (arange(4, 8) >> 1) & 6; }), ElementsAre(4, 4, 4, 4));
  EXPECT_THAT(values(4, [](Tile) { return arange(4) ^ 3; }), ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(values(4, [](Tile) { return ~arange(4); }), ElementsAre(-1, -2, -3, -4));
  EXPECT_THAT(values(4, [](Tile) { return ceil_div(arange(4), 2); }), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(values(4, [](Tile) { return ceil_div(9, arange(4) + 1); }), ElementsAre(9, 5, 3, 3));
  EXPECT_THAT(values(4, [](Tile) { return ceil_div(arange(4), arange(4, 1)); }), ElementsAre(0, 1, 1, 1));
  static_assert(ceil_div(9, 4) == 3 && min(2, 3) == 2 && max(2, 3) == 3);
}

TEST(Ops, ComparisonsAndBools) {
  EXPECT_THAT(values(4, [](Tile x) { return x < 2; }), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(values(4, [](Tile x) { return 2 <= x; }), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(values(4, [](Tile x) { return (x == 1) | (x > 2); }), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(values(4, [](Tile x) { return !(x != 1) ^ (x >= 3); }), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(values(4, [](Tile x) { return where(x > 1, x, -inf); }), ElementsAre(-INFINITY, -INFINITY, 2, 3));
  EXPECT_THAT(values(4, [](Tile x) { return isnan(where(x > 1, x, (x - x) / 0.0)); }), ElementsAre(1, 1, 0, 0));
}

TEST(Ops, Functions) {
  const auto close = [](const std::function<Tile(Tile)>& op, float (*f)(float)) {
    Numbers expected;
    for (int i = 0; i < 4; ++i) expected.push_back(f(0.25f + static_cast<float>(i)));
    EXPECT_THAT(values(4, [&](Tile x) { return op(x + 0.25); }), Pointwise(FloatNear(1e-6f), expected));
  };
  close([](Tile x) { return exp(-x); }, [](float x) { return std::exp(-x); });
  close([](Tile x) { return exp2(-x); }, [](float x) { return std::exp2(-x); });
  close([](Tile x) { return log(x); }, [](float x) { return std::log(x); });
  close([](Tile x) { return log2(x); }, [](float x) { return std::log2(x); });
  close([](Tile x) { return sqrt(x); }, [](float x) { return std::sqrt(x); });
  close([](Tile x) { return rsqrt(x); }, [](float x) { return 1 / std::sqrt(x); });
  close([](Tile x) { return sin(x); }, [](float x) { return std::sin(x); });
  close([](Tile x) { return cos(x); }, [](float x) { return std::cos(x); });
  close([](Tile x) { return tanh(x); }, [](float x) { return std::tanh(x); });
  close([](Tile x) { return floor(x); }, [](float x) { return std::floor(x); });
  close([](Tile x) { return ceil(x); }, [](float x) { return std::ceil(x); });
  close([](Tile x) { return sigmoid(x); }, [](float x) { return 1 / (1 + std::exp(-x)); });
}

TEST(Ops, Making) {
  EXPECT_THAT(values(3, [](Tile) { return arange(3, -1); }), ElementsAre(-1, 0, 1));
  EXPECT_THAT(values(2, [](Tile) { return full(i32, {2}, 7); }), ElementsAre(7, 7));
  EXPECT_THAT(values(2, [](Tile x) { return full(f32, {2}, x(3)); }), ElementsAre(3, 3));
  EXPECT_THAT(values(2, [](Tile) { return zeros(boolean, {2}); }), ElementsAre(0, 0));
  EXPECT_THAT(values(1, [](Tile) { return scalar(bf16, 2.5); }), ElementsAre(2.5));
  EXPECT_THAT(values(4, [](Tile x) { return zeros_like(x) + full_like(x, 2); }), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(values(4, [](Tile x) { return zeros_like(x < 1); }), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(values(1, [](Tile) { return program_id(0) + num_programs(2); }), ElementsAre(1));
}

TEST(Ops, IndexMeetsIntegerTiles) {
  traced_body([](InOut x, InOut, Scalar) {
    EXPECT_EQ((x.size(0) + arange(4)).dtype(), i64);
    EXPECT_EQ((arange(4) < x.size(0)).dtype(), boolean);
    EXPECT_EQ((cast(x.size(0), i32) + arange(4)).dtype(), i32);
    EXPECT_EQ((x.size(0) + scalar(i32, 3)).dtype(), i64);
    EXPECT_EQ((arange(4) + 1).dtype(), i32);
    EXPECT_EQ(Index(scalar(u8, 3)).dtype(), i64);
    EXPECT_EQ(min(x.size(0), 8).dtype(), i64);
  });
}

TEST(Ops, Casts) {
  EXPECT_THAT(values(4, [](Tile x) { return cast(x - 1.5, i32); }), ElementsAre(-1, 0, 0, 1));
  EXPECT_THAT(values(4, [](Tile x) { return cast(x * 100, u8) + 0; }), ElementsAre(0, 100, 200, 255));
  EXPECT_THAT(values(4, [](Tile x) { return bitcast(bitcast(x, i32) | bitcast(full_like(x, -0.0), i32), f32); }), ElementsAre(-0.0, -1, -2, -3));
  EXPECT_THAT(values(4, [](Tile x) { return cast(x, boolean); }), ElementsAre(0, 1, 1, 1));
}

TEST(Ops, Shapes) {
  EXPECT_THAT(values(4, [](Tile x) { return trans(reshape(x, {2, 2})); }), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(values(4, [](Tile x) { return permute(reshape(x, {2, 1, 2}), {2, 1, 0}); }), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(values(8, [](Tile x) { return broadcast_to(x, {2, 4}); }), ElementsAre(0, 1, 2, 3, 0, 1, 2, 3));
  EXPECT_THAT(values(6, [](Tile x) { return concat({slice(x, 0, 2, 2), x}, 0); }), ElementsAre(2, 3, 0, 1, 2, 3));
  EXPECT_THAT(values(2, [](Tile x) { return split(x, 0, 2)[1] - split(x, 0, 2)[0]; }), ElementsAre(2, 2));
  EXPECT_THAT(values(3, [](Tile x) { return take(x, 4 - arange(3) * 2, 0); }), ElementsAre(3, 2, 0));
  EXPECT_THAT(values(4,
                     [](Tile x) {
                       Tile pair = slice(x, 0, 1, 2);
                       return pair(_, None) * 10 + pair(None, _);
                     }),
              ElementsAre(11, 12, 21, 22));
  EXPECT_THAT(values(2, [](Tile x) { return reshape(x, {2, 2})(1, _); }), ElementsAre(2, 3));
  EXPECT_THAT(values(2, [](Tile x) { return reshape(x, {2, 2})(_, 1)(None, _, None); }), ElementsAre(1, 3));
}

TEST(Ops, Dot) {
  EXPECT_THAT(values(4, [](Tile x) { return dot(reshape(x, {2, 2}), reshape(x, {2, 2})); }), ElementsAre(2, 3, 6, 11));
  EXPECT_THAT(values(4, [](Tile x) { return dot(reshape(x, {2, 2}), reshape(x, {2, 2}), full(f32, {2, 2}, 1)); }), ElementsAre(3, 4, 7, 12));
  EXPECT_THAT(values(1, [](Tile x) { return dot(cast(x, bf16)(None, _), cast(x, bf16)(_, None)); }), ElementsAre(14));
  EXPECT_THAT(values(2, [](Tile x) { return dot(reshape(x, {2, 1, 2}), reshape(x, {2, 2, 1})); }), ElementsAre(1, 13));
  EXPECT_THAT(values(1, [](Tile x) { return dot(cast(x, i8)(None, _), cast(x, i8)(_, None)) + full(i32, {1, 1}, 1); }), ElementsAre(15));
}

TEST(Ops, Reductions) {
  const auto square = [](Tile x) { return reshape(x, {2, 2}); };
  EXPECT_THAT(values(2, [&](Tile x) { return sum(square(x), 0); }), ElementsAre(2, 4));
  EXPECT_THAT(values(2, [&](Tile x) { return prod(square(x), 1); }), ElementsAre(0, 6));
  EXPECT_THAT(values(2, [&](Tile x) { return reduce_max(square(x), 1) - reduce_min(square(x), 1); }), ElementsAre(1, 1));
  EXPECT_THAT(values(1, [&](Tile x) { return sum(square(x)) + prod(x + 1) + reduce_max(x) + reduce_min(x); }), ElementsAre(6 + 24 + 3 + 0));
  EXPECT_THAT(values(2, [&](Tile x) { return any(square(x) > 2, 1); }), ElementsAre(0, 1));
  EXPECT_THAT(values(2, [&](Tile x) { return all(square(x) > 0, 1); }), ElementsAre(0, 1));
  EXPECT_THAT(values(1, [&](Tile x) { return any(x > 5) | all(x >= 0); }), ElementsAre(1));
  EXPECT_THAT(values(2, [&](Tile x) { return argmax(square(x), 1) * 10 + argmin(square(x), 0); }), ElementsAre(10, 10));
  EXPECT_THAT(values(1, [](Tile x) { return sum(x(1)); }), ElementsAre(1));
}

TEST(Ops, Combiners) {
  EXPECT_THAT(values(1, [](Tile x) { return reduce(x, 0, [](Tile a, Tile b) { return max(a, b) + 0.0; }); }), ElementsAre(3));
  EXPECT_THAT(values(4, [](Tile x) { return scan(x, 0, [](Tile a, Tile b) { return a + b; }); }), ElementsAre(0, 1, 3, 6));
  EXPECT_THAT(values(4,
                     [](Tile x) {
                       return scan(
                           x, 0, [](Tile a, Tile b) { return a + b; }, true);
                     }),
              ElementsAre(6, 6, 5, 3));
  // The first-order recurrence h = a h + b, as pairs (a, b).
  EXPECT_THAT(
      values(4,
             [](Tile x) {
               return scan(Tiles{full_like(x, 2), x}, 0, [](const Tiles& l, const Tiles& r) { return Tiles{l[0] * r[0], l[1] * r[0] + r[1]}; })[1];
             }),
      ElementsAre(0, 1, 4, 11));
  // The largest value and where it is.
  EXPECT_THAT(values(2,
                     [](Tile x) {
                       const Tiles best = reduce(Tiles{abs(x - 2), arange(4)}, 0, [](const Tiles& l, const Tiles& r) {
                         Tile left = (l[0] > r[0]) | ((l[0] == r[0]) & (l[1] < r[1]));
                         return Tiles{where(left, l[0], r[0]), where(left, l[1], r[1])};
                       });
                       return concat({best[0](None), cast(best[1], f32)(None)}, 0);
                     }),
              ElementsAre(2, 0));
}

TEST(Ops, Scans) {
  EXPECT_THAT(values(4, [](Tile x) { return cumsum(x, 0); }), ElementsAre(0, 1, 3, 6));
  EXPECT_THAT(values(4, [](Tile x) { return cumsum(x, 0, true); }), ElementsAre(6, 6, 5, 3));
  EXPECT_THAT(values(4, [](Tile x) { return cumprod(x + 1, 0); }), ElementsAre(1, 2, 6, 24));
  EXPECT_THAT(values(4, [](Tile x) { return cummax(abs(x - 1), 0); }), ElementsAre(1, 1, 1, 2));
  EXPECT_THAT(values(4, [](Tile x) { return cummin(abs(x - 1), 0); }), ElementsAre(1, 0, 0, 0));
}

TEST(Ops, Order) {
  EXPECT_THAT(values(4, [](Tile x) { return sort(abs(x - 2), 0); }), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(values(4, [](Tile x) { return sort(abs(x - 2), 0, true); }), ElementsAre(2, 1, 1, 0));
  EXPECT_THAT(values(3, [](Tile x) { return top_k(abs(x - 2), 3, 0).indices; }), ElementsAre(0, 1, 3));
  EXPECT_THAT(values(2,
                     [](Tile x) {
                       auto [best, where_best] = top_k(abs(x - 2), 2, 0, false);
                       return best * 10 + cast(where_best, f32);
                     }),
              ElementsAre(2, 11));
}

TEST(Ops, PrintAndCheck) {
  std::string printed;
  run_body(
      1, 4, 1, 1,
      [](InOut x, InOut, Scalar s) {
        print("half", s, load(x, {0, 3}));
      },
      &printed);
  EXPECT_THAT(printed, HasSubstr("half"));
  EXPECT_THAT(printed, HasSubstr("0.5"));
  EXPECT_NO_THROW(run_body(1, 4, 1, 1, [](InOut x, InOut, Scalar) { check(load(x, {0, 0}, {4}) < 4, "small"); }));
  try {
    run_body(1, 4, 1, 1, [](InOut x, InOut, Scalar) { tw_assert(load(x, {0, 0}, {4}) < 3, "x stays below 3"); });
    ADD_FAILURE() << "the check holds";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("x stays below 3"));
    EXPECT_THAT(error.where().file, HasSubstr("ops_test.cpp"));
  }
}

}  // namespace
}  // namespace tilewright
