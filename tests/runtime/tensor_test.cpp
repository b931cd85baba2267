// Host tensors, views, and the conversions of 16-bit floats.
#include "runtime/support/error.h"
#include "runtime/tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

namespace tilewright {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

int error_code(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

// Every finite value, every midpoint between neighbours, and the points just beside it.
void check_rounding(float (*decode)(std::uint16_t), std::uint16_t (*from_double)(double), std::uint16_t (*from_float)(float), std::uint16_t infinity) {
  for (std::uint16_t sign : {std::uint16_t{0}, std::uint16_t{0x8000}}) {
    for (std::uint32_t bits = 0; bits < infinity; ++bits) {
      const std::uint16_t low = sign | bits, high = sign | (bits + 1);
      const double a = decode(low);
      const double b = bits + 1 == infinity ? 2 * a - decode(low - 1) : decode(high);
      ASSERT_EQ(from_double(a), low);
      ASSERT_EQ(from_float(decode(low)), low);
      const double middle = (a + b) / 2;
      const std::uint16_t even = low & 1 ? high : low;
      ASSERT_EQ(from_double(middle), even) << a;
      ASSERT_EQ(from_double(std::nextafter(middle, a)), low) << a;
      ASSERT_EQ(from_double(std::nextafter(middle, 2 * b)), high) << a;
      const float middle_float = static_cast<float>(middle);
      if (middle_float == middle) {
        ASSERT_EQ(from_float(middle_float), even) << a;
      }
    }
    ASSERT_EQ(from_double(sign ? -kInf : kInf), sign | infinity);
    ASSERT_EQ(from_double(sign ? -1e300 : 1e300), sign | infinity);
    ASSERT_EQ(from_double(sign ? -1e-300 : 1e-300), sign);
    ASSERT_EQ(from_double(sign ? -5e-324 : 5e-324), sign);
  }
  for (std::uint32_t payload = 1; payload < (0x8000u - infinity); ++payload) {
    const float nan = decode(infinity | payload);
    ASSERT_TRUE(std::isnan(nan));
    ASSERT_TRUE(std::isnan(decode(from_float(nan))));
    ASSERT_TRUE(std::isnan(decode(from_double(nan))));
  }
  // NaNs whose payload lies in bits that are dropped stay NaN.
  ASSERT_TRUE(std::isnan(decode(from_float(std::bit_cast<float>(0x7f800001u)))));
  ASSERT_TRUE(std::isnan(decode(from_double(std::bit_cast<double>(0x7ff0000000000001u)))));
}

TEST(Float16, EveryValueAndMidpointRoundsToNearestEven) { check_rounding(f16_to_float, double_to_f16, float_to_f16, 0x7c00); }
TEST(BFloat16, EveryValueAndMidpointRoundsToNearestEven) { check_rounding(bf16_to_float, double_to_bf16, float_to_bf16, 0x7f80); }

TEST(Float16, KnownValues) {
  EXPECT_EQ(f16_to_float(0x3c00), 1.0f);
  EXPECT_EQ(f16_to_float(0x7bff), 65504.0f);
  EXPECT_EQ(f16_to_float(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(f16_to_float(0x8400), -std::ldexp(1.0f, -14));
  EXPECT_EQ(bf16_to_float(0x3f80), 1.0f);
  EXPECT_EQ(float_to_bf16(3.14159274f), 0x4049);
}

TEST(Float16, DoubleIsRoundedOnce) {
  // Just above the midpoint of 1 and the next f16; rounding to float first would land on the midpoint and then on 1.
  EXPECT_EQ(double_to_f16(1 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40)), 0x3c01);
  EXPECT_EQ(double_to_bf16(1 + std::ldexp(1.0, -8) + std::ldexp(1.0, -40)), 0x3f81);
}

TEST(HostTensor, IsAlignedAndSharesMemory) {
  HostTensor a(DType::F32, {3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0u);
  EXPECT_EQ(a.elements(), 15);
  EXPECT_EQ(a.bytes(), 60u);
  HostTensor b = a;
  b.set(7, 2.5);
  EXPECT_EQ(a.at(7), 2.5);
}

TEST(HostTensor, EmptyAndScalar) {
  HostTensor none;
  EXPECT_EQ(none.elements(), 0);
  EXPECT_TRUE(none.to_doubles().empty());
  HostTensor empty(DType::F64, {4, 0, 3});
  EXPECT_EQ(empty.elements(), 0);
  EXPECT_NE(empty.data(), nullptr);
  HostTensor scalar(DType::I32, {});
  EXPECT_EQ(scalar.elements(), 1);
  scalar.set(0, -3);
  EXPECT_EQ(scalar.at(0), -3);
}

TEST(HostTensor, RefusesImpossibleShapes) {
  EXPECT_EQ(error_code([] { HostTensor(DType::F32, {2, -1}); }), 3010);
  EXPECT_EQ(error_code([] { HostTensor(DType::F32, std::vector<std::int64_t>(9, 1)); }), 3010);
  EXPECT_EQ(error_code([] { HostTensor(DType::F32, {INT64_MAX, 2}); }), 3010);
  EXPECT_EQ(error_code([] { HostTensor(DType::F64, {INT64_MAX / 4}); }), 3010);
  EXPECT_EQ(error_code([] { HostTensor(DType::F64, {INT64_MAX, INT64_MAX, 0}); }), 0);  // no elements
  EXPECT_EQ(error_code([] { HostTensor(DType::I8, {INT64_MAX}); }), 3010);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their allocators end the process
  EXPECT_EQ(error_code([] { HostTensor(DType::I8, {std::int64_t{1} << 46}); }), 3302);
#endif
}

TEST(HostTensor, ConvertsEveryType) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const DType dtype = static_cast<DType>(i);
    HostTensor t(dtype, {2});
    t.set(0, 1);
    t.set(1, 0);
    EXPECT_EQ(t.to_doubles(), (std::vector<double>{1, 0})) << name_of(dtype);
    EXPECT_EQ(t.at(0), 1);
  }
}

// By the definition: sign, exponent and fraction, without a shortcut.
double value_of_float8(int bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1, exponent = (bits & 0x7f) >> fraction_bits, fraction = bits & ((1 << fraction_bits) - 1);
  const bool top = exponent == (1 << exponent_bits) - 1;
  double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits) : std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
  if (top && exponent_bits == 5) value = fraction == 0 ? kInf : kNan;
  if (top && exponent_bits == 4 && fraction == 7) value = kNan;
  return bits & 0x80 ? -value : value;
}

TEST(Float8, EveryPatternBothWays) {
  for (const auto& [dtype, exponent_bits, fraction_bits] : {std::tuple(DType::F8E4M3, 4, 3), std::tuple(DType::F8E5M2, 5, 2)}) {
    HostTensor t(dtype, {1});
    auto* byte = static_cast<std::uint8_t*>(t.data());
    for (int bits = 0; bits < 256; ++bits) {
      const double expected = value_of_float8(bits, exponent_bits, fraction_bits);
      *byte = static_cast<std::uint8_t>(bits);
      const double value = t.at(0);
      EXPECT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected && std::signbit(value) == std::signbit(expected)) << name_of(dtype) << " " << bits << ": " << value;
      t.set(0, value);
      if (std::isnan(expected)) EXPECT_TRUE(std::isnan(t.at(0)));
      else if (std::isinf(expected)) EXPECT_EQ(*byte, (bits & 0x80) | 0x7b);
      else EXPECT_EQ(*byte, bits) << name_of(dtype);
    }
  }
}

TEST(Float8, RoundsToTheNearestTiesToEvenAndSaturates) {
  for (const auto& [dtype, exponent_bits, fraction_bits, largest] : {std::tuple(DType::F8E4M3, 4, 3, 0x7e), std::tuple(DType::F8E5M2, 5, 2, 0x7b)}) {
    HostTensor t(dtype, {1});
    const auto* byte = static_cast<const std::uint8_t*>(t.data());
    const auto rounded = [&](double value) {
      t.set(0, value);
      return static_cast<int>(*byte);
    };
    for (int bits = 0; bits < largest; ++bits) {
      const double low = value_of_float8(bits, exponent_bits, fraction_bits), high = value_of_float8(bits + 1, exponent_bits, fraction_bits), half = (low + high) / 2;
      EXPECT_EQ(rounded(half), bits + bits % 2);
      EXPECT_EQ(rounded(std::nextafter(half, 0)), bits);
      EXPECT_EQ(rounded(-std::nextafter(half, kInf)), 0x80 | (bits + 1));
    }
    const double most = value_of_float8(largest, exponent_bits, fraction_bits);
    for (double beyond : {most * 1.01, most * 1.2, 1e9, 1e300, kInf}) {
      EXPECT_EQ(rounded(beyond), largest);
      EXPECT_EQ(rounded(-beyond), 0x80 | largest);
    }
    EXPECT_EQ(rounded(-0.0), 0x80);
    EXPECT_EQ(rounded(5e-324), 0);
  }
}

TEST(HostTensor, IntegersRoundAndSaturate) {
  const auto stored = [](DType dtype, double value) {
    HostTensor t(dtype, {1});
    t.set(0, value);
    return t.at(0);
  };
  EXPECT_EQ(stored(DType::I8, 1000), 127);
  EXPECT_EQ(stored(DType::I8, -1000), -128);
  EXPECT_EQ(stored(DType::U8, -1), 0);
  EXPECT_EQ(stored(DType::I32, 2.5), 2);
  EXPECT_EQ(stored(DType::I32, 3.5), 4);
  EXPECT_EQ(stored(DType::I32, kNan), 0);
  EXPECT_EQ(stored(DType::U16, kInf), 65535);
  EXPECT_EQ(stored(DType::I64, 1e30), std::ldexp(1.0, 63));
  EXPECT_EQ(stored(DType::U64, 1e30), std::ldexp(1.0, 64));
  EXPECT_EQ(stored(DType::I64, -1e30), -std::ldexp(1.0, 63));
  EXPECT_EQ(stored(DType::Bool, 0.25), 1);
  EXPECT_TRUE(std::isnan(stored(DType::F16, kNan)));
}

TEST(TensorView, ContiguousStrides) {
  char byte;
  const std::int64_t shape[] = {2, 3, 4};
  TensorView v = TensorView::contiguous(&byte, DType::F16, shape);
  EXPECT_EQ(v.strides[0], 12);
  EXPECT_EQ(v.strides[1], 4);
  EXPECT_EQ(v.strides[2], 1);
  EXPECT_TRUE(v.is_contiguous());
  EXPECT_EQ(v.elements(), 24);
  v.strides[1] = 5;
  EXPECT_FALSE(v.is_contiguous());
  v.sizes[1] = 1;  // the stride of a single element does not matter
  v.strides[0] = 4;
  EXPECT_TRUE(v.is_contiguous());
}

}  // namespace
}  // namespace tilewright
