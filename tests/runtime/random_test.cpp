// The generator against published vectors, and the fills against their documentation.
#include "runtime/random.h"
#include "runtime/support/error.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace tilewright {
namespace {

using Block = std::array<std::uint32_t, 4>;

TEST(Philox, PublishedVectors) {
  EXPECT_EQ(Philox(0, std::uint64_t{0}).block(0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~0ull, ~0ull).block(~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822, 0x0370734413198a2e).block(0x85a308d3243f6a88), (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, NamedStreamsDiffer) {
  EXPECT_NE(Philox(1, "q").block(0), Philox(1, "k").block(0));
  EXPECT_NE(Philox(1, "q").block(0), Philox(2, "q").block(0));
  EXPECT_EQ(Philox(1, "q").block(0), Philox(1, "q").block(0));
}

TEST(Random, UniformStaysInRangeWithTheRightMoments) {
  const HostTensor t = random_uniform(DType::F64, {100001}, Philox(7, "u"), -2, 6);
  double sum = 0, squares = 0;
  for (double x : t.to_doubles()) {
    ASSERT_GE(x, -2);
    ASSERT_LT(x, 6);
    sum += x, squares += x * x;
  }
  const double mean = sum / t.elements(), variance = squares / t.elements() - mean * mean;
  EXPECT_NEAR(mean, 2, 0.03);
  EXPECT_NEAR(variance, 64.0 / 12, 0.05);
}

TEST(Random, NormalHasTheRightMomentsAndTails) {
  const HostTensor t = random_normal(DType::F64, {400001}, Philox(9, "n"), 1, 2);
  double moments[5] = {};
  int beyond_two = 0;
  for (double x : t.to_doubles()) {
    const double z = (x - 1) / 2;
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(z, k) / t.elements();
    beyond_two += std::fabs(z) > 2;
  }
  EXPECT_NEAR(moments[1], 0, 0.01);
  EXPECT_NEAR(moments[2], 1, 0.01);
  EXPECT_NEAR(moments[3], 0, 0.03);
  EXPECT_NEAR(moments[4], 3, 0.06);
  EXPECT_NEAR(beyond_two / 400001.0, 0.0455, 0.002);
}

TEST(Random, NormalAgreesWithTheLibraryFunctions) {
  const HostTensor t = random_normal(DType::F64, {4096}, Philox(3, "n"));
  for (std::int64_t i = 0; i < t.elements(); i += 2) {
    const Block words = Philox(3, "n").block(i / 4);
    const double u = (words[i % 4] + 0.5) / 4294967296.0, v = (words[i % 4 + 1] + 0.5) / 4294967296.0;
    const double radius = std::sqrt(-2 * std::log(u));
    EXPECT_NEAR(t.at(i), radius * std::cos(2 * M_PI * v), 1e-13);
    EXPECT_NEAR(t.at(i + 1), radius * std::sin(2 * M_PI * v), 1e-13);
  }
}

// Fixed bits: a change of compiler, flags or machine must not change inputs.
TEST(Random, FixedBits) {
  std::uint64_t hash = 0;
  for (double x : random_normal(DType::F64, {10000}, Philox(42, "q")).to_doubles()) hash = std::rotl(hash, 7) * 31 + std::bit_cast<std::uint64_t>(x);
  EXPECT_EQ(hash, 0x30396e1ad32d0769u);  // also what the same formulas give in Python
}

TEST(Random, PrefixDoesNotDependOnLength) {
  const HostTensor longer = random_normal(DType::F32, {103}, Philox(5)), shorter = random_normal(DType::F32, {50}, Philox(5));
  for (std::int64_t i = 0; i < 50; ++i) EXPECT_EQ(longer.at(i), shorter.at(i));
}

TEST(Random, IntegersCoverTheirRange) {
  HostTensor t(DType::I32, {5000});
  fill_integers(t, Philox(1, "i"), -3, 4);
  int seen[8] = {};
  for (double x : t.to_doubles()) {
    ASSERT_GE(x, -3);
    ASSERT_LE(x, 4);
    ++seen[static_cast<int>(x) + 3];
  }
  for (int count : seen) EXPECT_NEAR(count, 625, 120);

  HostTensor wide(DType::I64, {2000});
  fill_integers(wide, Philox(1, "w"), INT64_MIN, INT64_MAX);
  int negative = 0, low_bits = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t x = static_cast<const std::int64_t*>(wide.data())[i];
    negative += x < 0;
    low_bits += x & 1;
  }
  EXPECT_NEAR(negative, 1000, 120);
  EXPECT_NEAR(low_bits, 1000, 120);

  HostTensor one(DType::I8, {9});
  fill_integers(one, Philox(1), 5, 5);
  EXPECT_EQ(one.to_doubles(), std::vector<double>(9, 5.0));
  EXPECT_THROW(fill_integers(one, Philox(1), 2, 1), Error);
}

}  // namespace
}  // namespace tilewright
