// Elementwise operations and casts of the reference: corner cases of every rule in opcodes.def.
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

Tile apply(Opcode opcode, std::vector<Tile> operands) { return elementwise(opcode, operands); }
Tile i32(std::vector<double> values) { return tile(DType::I32, {static_cast<std::int64_t>(values.size())}, values); }
Tile f32(std::vector<double> values) { return tile(DType::F32, {static_cast<std::int64_t>(values.size())}, values); }

TEST(Elementwise, IntegersWrap) {
  const double least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
  EXPECT_THAT(integers(apply(Opcode::Add, {i32({most, 1}), i32({1, 2})})), ElementsAre(INT32_MIN, 3));
  EXPECT_THAT(integers(apply(Opcode::Sub, {i32({least}), i32({1})})), ElementsAre(INT32_MAX));
  EXPECT_THAT(integers(apply(Opcode::Mul, {i32({65536, -3}), i32({65536, 7})})), ElementsAre(0, -21));
  EXPECT_THAT(integers(apply(Opcode::Neg, {i32({least, 5})})), ElementsAre(INT32_MIN, -5));
  EXPECT_THAT(integers(apply(Opcode::Abs, {i32({least, -5, 5})})), ElementsAre(INT32_MIN, 5, 5));
  const Tile u16 = tile(DType::U16, {2}, {65535, 3});
  EXPECT_THAT(integers(apply(Opcode::Mul, {u16, u16})), ElementsAre(1, 9));
  EXPECT_THAT(integers(apply(Opcode::Neg, {u16})), ElementsAre(1, 65533));
}

TEST(Elementwise, DivisionIsTotal) {
  const double least = std::numeric_limits<std::int32_t>::min();
  const Tile x = i32({7, -7, 7, -7, 5, least, least}), y = i32({2, 2, -2, -2, 0, -1, 0});
  EXPECT_THAT(integers(apply(Opcode::Div, {x, y})), ElementsAre(3, -3, -3, 3, 0, INT32_MIN, 0));
  EXPECT_THAT(integers(apply(Opcode::Rem, {x, y})), ElementsAre(1, -1, 1, -1, 5, 0, INT32_MIN));
  const Tile i8 = tile(DType::I8, {2}, {-128, -128}), d8 = tile(DType::I8, {2}, {-1, 0});
  EXPECT_THAT(integers(apply(Opcode::Div, {i8, d8})), ElementsAre(-128, 0));
  EXPECT_THAT(integers(apply(Opcode::Rem, {i8, d8})), ElementsAre(0, -128));
}

TEST(Elementwise, ShiftsTakeTheAmountModuloTheWidth) {
  EXPECT_THAT(integers(apply(Opcode::Shl, {i32({1, 1, 1}), i32({31, 32, -1})})), ElementsAre(INT32_MIN, 1, INT32_MIN));
  EXPECT_THAT(integers(apply(Opcode::Shr, {i32({-8, -8}), i32({1, 33})})), ElementsAre(-4, -4));
  const Tile u8 = tile(DType::U8, {2}, {255, 255});
  EXPECT_THAT(integers(apply(Opcode::Shr, {u8, tile(DType::U8, {2}, {7, 9})})), ElementsAre(1, 127));
}

TEST(Elementwise, BoolsAreLogical) {
  const Tile a = tile(DType::Bool, {4}, {0, 0, 1, 1}), b = tile(DType::Bool, {4}, {0, 1, 0, 1});
  EXPECT_THAT(integers(apply(Opcode::And, {a, b})), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(integers(apply(Opcode::Or, {a, b})), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(integers(apply(Opcode::Xor, {a, b})), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(integers(apply(Opcode::Not, {a})), ElementsAre(1, 1, 0, 0));
  EXPECT_THROW(apply(Opcode::Add, {a, b}), Error);
}

TEST(Elementwise, MinAndMaxCarryNan) {
  const Tile x = f32({1, kNan, 2, -0.0, kInf}), y = f32({kNan, 1, 3, 0.0, -kInf});
  const std::vector<double> least = numbers(apply(Opcode::Min, {x, y})), most = numbers(apply(Opcode::Max, {x, y}));
  EXPECT_TRUE(std::isnan(least[0]) && std::isnan(least[1]) && std::isnan(most[0]) && std::isnan(most[1]));
  EXPECT_EQ(least[2], 2);
  EXPECT_EQ(most[2], 3);
  EXPECT_TRUE(std::signbit(least[3]));
  EXPECT_FALSE(std::signbit(most[3]));
  EXPECT_EQ(least[4], -kInf);
  EXPECT_EQ(most[4], kInf);
}

TEST(Elementwise, OnlyNeIsTrueOfNan) {
  const Tile x = f32({kNan, 1, kNan}), y = f32({1, kNan, kNan});
  for (Opcode opcode : {Opcode::Eq, Opcode::Lt, Opcode::Le, Opcode::Gt, Opcode::Ge}) EXPECT_THAT(integers(apply(opcode, {x, y})), ElementsAre(0, 0, 0));
  EXPECT_THAT(integers(apply(Opcode::Ne, {x, y})), ElementsAre(1, 1, 1));
  EXPECT_THAT(integers(apply(Opcode::IsNan, {x})), ElementsAre(1, 0, 1));
}

TEST(Elementwise, ComparisonsOfUnsignedAreUnsigned) {
  const Tile x = tile(DType::U8, {1}, {200}), y = tile(DType::U8, {1}, {100});
  EXPECT_THAT(integers(apply(Opcode::Gt, {x, y})), ElementsAre(1));
  const Tile a = bits<std::uint64_t>(DType::U64, {1ull << 63}), b = bits<std::uint64_t>(DType::U64, {1});
  EXPECT_THAT(integers(apply(Opcode::Gt, {a, b})), ElementsAre(1));
  EXPECT_THAT(integers(apply(Opcode::Min, {a, b})), ElementsAre(1));
}

TEST(Elementwise, HalfIsRoundedOnceToNearestEven) {
  // 2048 + 1 is half way between 2048 and 2050 in f16; 2048 + 3 between 2050 and 2052.
  const Tile x = tile(DType::F16, {2}, {2048, 2048}), y = tile(DType::F16, {2}, {1, 3});
  EXPECT_THAT(numbers(apply(Opcode::Add, {x, y})), ElementsAre(2048, 2052));
  const Tile big = tile(DType::F16, {1}, {65504});
  EXPECT_THAT(numbers(apply(Opcode::Add, {big, big})), ElementsAre(kInf));
  const Tile a = tile(DType::BF16, {1}, {256}), b = tile(DType::BF16, {1}, {1});
  EXPECT_THAT(numbers(apply(Opcode::Add, {a, b})), ElementsAre(256));
}

TEST(Elementwise, FmaIsRoundedOnce) {
  const double e = std::ldexp(1.0, -12);
  const Tile x = f32({1 + e}), y = f32({1 - e}), z = f32({-1});
  EXPECT_THAT(numbers(apply(Opcode::Fma, {x, y, z})), ElementsAre(-std::ldexp(1.0, -24)));
}

TEST(Elementwise, SelectChoosesByElement) {
  const Tile c = tile(DType::Bool, {3}, {1, 0, 1});
  EXPECT_THAT(integers(apply(Opcode::Select, {c, i32({1, 2, 3}), i32({4, 5, 6})})), ElementsAre(1, 5, 3));
}

TEST(Elementwise, FunctionsOfFloats) {
  const Tile x = f32({0.5, 2, 10});
  EXPECT_THAT(numbers(apply(Opcode::Rsqrt, {x})), ElementsAre(float(1 / std::sqrt(0.5)), float(1 / std::sqrt(2.0)), float(1 / std::sqrt(10.0))));
  EXPECT_THAT(numbers(apply(Opcode::Exp2, {x})), ElementsAre(float(std::sqrt(2.0)), 4, 1024));
  EXPECT_THAT(numbers(apply(Opcode::Floor, {f32({-1.5, 1.5, -0.5})})), ElementsAre(-2, 1, -1));
  EXPECT_THAT(numbers(apply(Opcode::Ceil, {f32({-1.5, 1.5, -0.5})})), ElementsAre(-1, 2, 0));
}

TEST(Cast, FloatToIntSaturates) {
  const Tile x = tile(DType::F64, {7}, {kNan, kInf, -kInf, 1e30, -1e30, 2.9, -2.9});
  EXPECT_THAT(integers(cast(x, DType::I32)), ElementsAre(0, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 2, -2));
  EXPECT_THAT(integers(cast(x, DType::I64)), ElementsAre(0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 2, -2));
  EXPECT_THAT(integers(cast(x, DType::U8)), ElementsAre(0, 255, 0, 255, 0, 2, 0));
  EXPECT_THAT(integers(cast(x, DType::I8)), ElementsAre(0, 127, -128, 127, -128, 2, -2));
  EXPECT_THAT(integers(cast(tile(DType::F32, {2}, {127.9, -128.9}), DType::I8)), ElementsAre(127, -128));
  EXPECT_THAT(integers(cast(x, DType::Bool)), ElementsAre(1, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(integers(cast(f32({0.0, -0.0, 1e-40}), DType::Bool)), ElementsAre(0, 0, 1));
}

TEST(Cast, IntegersWrapAndExtend) {
  EXPECT_THAT(integers(cast(i32({300, -1, 128}), DType::I8)), ElementsAre(44, -1, -128));
  EXPECT_THAT(integers(cast(i32({-1}), DType::U64)), ElementsAre(-1));
  EXPECT_THAT(integers(cast(tile(DType::U8, {1}, {200}), DType::I32)), ElementsAre(200));
  EXPECT_THAT(integers(cast(tile(DType::Bool, {2}, {0, 1}), DType::I64)), ElementsAre(0, 1));
  EXPECT_THAT(integers(cast(i32({0, 256, -1}), DType::Bool)), ElementsAre(0, 1, 1));
}

TEST(Cast, RoundsOnce) {
  // Halfway cases that a detour over f32 would turn around: a bit beyond the reach of f32 decides.
  const double above_half = 2049 + std::ldexp(1.0, -30);
  EXPECT_THAT(numbers(cast(tile(DType::F64, {2}, {above_half, 2049}), DType::F16)), ElementsAre(2050, 2048));
  const Tile wide = bits<std::int64_t>(DType::I64, {(std::int64_t{257} << 40) + 1, -(std::int64_t{257} << 40) - 1, std::int64_t{257} << 40, INT64_MIN});
  EXPECT_THAT(numbers(cast(wide, DType::BF16)), ElementsAre(std::ldexp(258, 40), -std::ldexp(258, 40), std::ldexp(256, 40), -std::ldexp(1, 63)));
  const Tile huge = bits<std::int64_t>(DType::I64, {(std::int64_t{257} << 54) + 1, (std::int64_t{1} << 62) + (std::int64_t{1} << 54) + 1});
  EXPECT_THAT(numbers(cast(huge, DType::BF16)), ElementsAre(std::ldexp(258, 54), std::ldexp(129, 55)));
  EXPECT_THAT(numbers(cast(i32({65519, 65520}), DType::F16)), ElementsAre(65504, kInf));
  EXPECT_THAT(numbers(cast(bits<std::uint64_t>(DType::U64, {~0ull}), DType::F32)), ElementsAre(std::ldexp(1, 64)));
}

TEST(Half, EveryValueSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t b = 0; b < 0x10000; ++b) {
    const Half h{static_cast<std::uint16_t>(b)};
    const Bfloat f{static_cast<std::uint16_t>(b)};
    if (!std::isnan(to_float(h))) {
      ASSERT_EQ(half_from(to_float(h)).bits, b);
    } else {
      ASSERT_TRUE(std::isnan(to_float(half_from(to_float(h)))));
    }
    if (!std::isnan(to_float(f))) {
      ASSERT_EQ(bfloat_from(to_float(f)).bits, b);
    } else {
      ASSERT_TRUE(std::isnan(to_float(bfloat_from(to_float(f)))));
    }
  }
}

// Rounds by looking at both neighbours, found by counting through all values.
TEST(Half, RoundsToTheNearerNeighbour) {
  for (std::uint32_t b = 0; b < 0x7bff; ++b) {
    const double low = to_float(Half{static_cast<std::uint16_t>(b)}), high = to_float(Half{static_cast<std::uint16_t>(b + 1)});
    const double middle = (low + high) / 2;
    const double even = b % 2 == 0 ? low : high;
    ASSERT_EQ(narrow_to<Half>(middle).bits, narrow_to<Half>(even).bits);
    ASSERT_EQ(to_float(narrow_to<Half>(std::nextafter(middle, 1e9))), high);
    ASSERT_EQ(to_float(narrow_to<Half>(-std::nextafter(middle, 0))), -low);
    ASSERT_EQ(to_float(half_from(static_cast<float>(middle))), even);
  }
}

}  // namespace
}  // namespace tilewright::reference
