// Checks, facts and packing of arguments.
#include "runtime/arguments.h"

#include "dsl/program/builder.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace tilewright::testing {
namespace {

using program::ParamKind;

TensorView view_of(void* data, DType dtype, std::vector<std::int64_t> sizes, std::vector<std::int64_t> strides = {}) {
  TensorView view = TensorView::contiguous(data, dtype, sizes);
  for (std::size_t i = 0; i < strides.size(); ++i) view.strides[i] = strides[i];
  return view;
}

class Arguments : public ::testing::Test {
 protected:
  void check(const TensorView& x, const TensorView& y) {
    const Argument arguments[] = {x, y};
    check_arguments(copy_kernel(), arguments);
  }
  int input(const TensorView& x) {
    return error_code([&] { check(x, good_); });
  }
  int output(const TensorView& y) {
    return error_code([&] { check(good_, y); });
  }

  alignas(64) float memory_[64];
  TensorView good_ = view_of(memory_, DType::F32, {2, 3});
};

TEST_F(Arguments, NumberAndKind) {
  const Argument one[] = {good_};
  expect_error(3201, {"'copy'", "takes 2", "x, y", "given are 1"}, [&] { check_arguments(copy_kernel(), one); });
  const Argument scalar[] = {good_, 1.0};
  expect_error(3202, {"'copy'", "'y'", "scalar is given"}, [&] { check_arguments(copy_kernel(), scalar); });
  const Argument tensor[] = {good_, good_, good_};
  expect_error(3202, {"'axpb'", "'a'", "tensor is given"}, [&] { check_arguments(axpb_kernel(), tensor); });
  check(good_, good_);
}

TEST_F(Arguments, RanksSizesAndData) {
  TensorView bad = good_;
  bad.rank = 9;
  expect_error(3203, {"'copy'", "'x'", "9"}, [&] { check(bad, good_); });
  bad.rank = -1;
  EXPECT_EQ(input(bad), 3203);
  bad = good_;
  bad.sizes[1] = -4;
  expect_error(3205, {"'x'", "-4", "axis 1"}, [&] { check(bad, good_); });
  bad = good_;
  bad.data = nullptr;
  expect_error(3204, {"'x'", "[2, 3]"}, [&] { check(bad, good_); });
  bad.sizes[0] = 0;
  EXPECT_EQ(input(bad), 0);  // null is good where there are no elements
  bad = good_;
  bad.data = reinterpret_cast<std::byte*>(memory_) + 2;
  expect_error(3212, {"'x'", "4 bytes"}, [&] { check(bad, good_); });
  bad = good_;
  bad.sizes[0] = INT64_MAX;
  EXPECT_EQ(input(bad), 3205);
  bad.sizes[0] = 3;
  bad.strides[0] = INT64_MAX / 16;
  EXPECT_EQ(input(bad), 0);
  bad.strides[0] = INT64_MAX / 4;
  EXPECT_EQ(input(bad), 3205);
  bad.strides[0] = INT64_MIN;
  EXPECT_EQ(input(bad), 3205);
}

TEST_F(Arguments, OverlappingOutputs) {
  expect_error(3206, {"'copy'", "'y'", "stride 0 along axis 1"}, [&] { check(good_, view_of(memory_, DType::F32, {2, 3}, {1, 0})); });
  EXPECT_EQ(input(view_of(memory_, DType::F32, {2, 3}, {0, 0})), 0);          // inputs may
  EXPECT_EQ(output(view_of(memory_, DType::F32, {2, 1}, {1, 0})), 0);         // a single element does not
  EXPECT_EQ(output(view_of(memory_, DType::F32, {2, 0}, {0, 0})), 0);         // nor none
  EXPECT_EQ(output(view_of(memory_, DType::F32, {2, 3}, {2, 1})), 3206);      // rows of 3, 2 apart
  EXPECT_EQ(output(view_of(memory_, DType::F32, {2, 3}, {3, 2})), 0);         // 0 2 4 and 3 5 7
  EXPECT_EQ(output(view_of(memory_, DType::F32, {3, 4}, {3, 2})), 3206);      // 6 twice
  EXPECT_EQ(output(view_of(memory_ + 20, DType::F32, {3, 4}, {-3, -2})), 3206);
  EXPECT_EQ(output(view_of(memory_ + 8, DType::F32, {3, 3}, {-3, 1})), 0);
  EXPECT_EQ(output(view_of(memory_, DType::F32, {4, 4}, {1, 4})), 0);         // transposed
  EXPECT_EQ(output(view_of(memory_, DType::F32, {4, 4}, {4, 4})), 3206);
}

// Against enumeration, for all small layouts of two axes.
TEST_F(Arguments, OverlapAgreesWithEnumeration) {
  for (std::int64_t n = 1; n <= 4; ++n) {
    for (std::int64_t m = 1; m <= 4; ++m) {
      for (std::int64_t a = -6; a <= 6; ++a) {
        for (std::int64_t b = -6; b <= 6; ++b) {
          std::vector<std::int64_t> offsets;
          for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < m; ++j) offsets.push_back(i * a + j * b);
          }
          std::sort(offsets.begin(), offsets.end());
          const bool overlaps = std::adjacent_find(offsets.begin(), offsets.end()) != offsets.end();
          ASSERT_EQ(output(view_of(memory_ + 36, DType::F32, {n, m}, {a, b})), overlaps ? 3206 : 0) << n << " " << m << " " << a << " " << b;
        }
      }
    }
  }
}

TEST_F(Arguments, Facts) {
  const auto facts = [&](const TensorView& view) { return facts_of(view); };
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {2, 8})), (program::ArgumentFacts{true, true, true, true}));
  EXPECT_EQ(facts(view_of(memory_ + 1, DType::F32, {2, 8})), (program::ArgumentFacts{true, false, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {2, 3})), (program::ArgumentFacts{true, false, true}));  // rows 12 bytes apart
  EXPECT_EQ(facts(view_of(memory_, DType::F16, {2, 8})), (program::ArgumentFacts{true, true, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F16, {2, 4})), (program::ArgumentFacts{true, false, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {2, 8}, {8, 2})), (program::ArgumentFacts{false, true, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {2, 8}, {-8, 1})), (program::ArgumentFacts{true, true, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F16, {2, 8}, {12, 1})), (program::ArgumentFacts{true, false, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F16, {2, 4}, {8, 1})), (program::ArgumentFacts{true, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {8})), (program::ArgumentFacts{true, true, true}));  // of rank 1
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {})), (program::ArgumentFacts{false, true, true}));
  EXPECT_EQ(facts(view_of(memory_, DType::F32, {5})), (program::ArgumentFacts{true, true, true}));
  const std::int64_t limit = std::int64_t{1} << 31;
  EXPECT_TRUE(facts(view_of(memory_, DType::I8, {limit})).fits32);
  EXPECT_FALSE(facts(view_of(memory_, DType::I8, {limit + 1})).fits32);
  EXPECT_TRUE(facts(view_of(memory_, DType::I8, {limit + 1}, {-1})).fits32);
  EXPECT_FALSE(facts(view_of(memory_, DType::I8, {limit + 2}, {-1})).fits32);
  EXPECT_FALSE(facts(view_of(memory_, DType::I8, {2, 2}, {limit - 1, 1})).fits32);
  EXPECT_TRUE(facts(view_of(memory_, DType::I8, {2, 2}, {limit - 1, -1})).fits32);
  EXPECT_TRUE(facts(view_of(memory_, DType::I8, {0, 2}, {INT64_MAX, 1})).fits32);
}

TEST_F(Arguments, TypesOfScalarsFollowTheTensors) {
  const Argument single[] = {good_, 0.5, std::int64_t{3}, true};
  const auto types = types_of(single);
  EXPECT_EQ(types[0], (program::Type{DType::F32, {-1, -1}, true}));
  EXPECT_EQ(types[1], (program::Type{DType::F32, {}, false}));
  EXPECT_EQ(types[2], (program::Type{DType::I64, {}, false}));
  EXPECT_EQ(types[3], (program::Type{DType::Bool, {}, false}));
  const Argument wide[] = {0.5, view_of(memory_, DType::F64, {2})};
  EXPECT_EQ(types_of(wide)[0].dtype, DType::F64);
}

TEST_F(Arguments, Range) {
  const TensorView view = view_of(memory_ + 10, DType::F32, {3, 4}, {-2, 5});
  const MemoryRange range = range_of(view);
  EXPECT_EQ(range.first, reinterpret_cast<std::byte*>(memory_ + 6));
  EXPECT_EQ(range.bytes, 20 * sizeof(float));
  EXPECT_EQ(range_of(view_of(memory_, DType::F32, {3, 0})).bytes, 0u);
  EXPECT_EQ(range_of(view_of(memory_, DType::F32, {})).bytes, 4u);
}

TEST_F(Arguments, Settings) {
  EXPECT_EQ(complete_settings(axpb_kernel(), {{"b", 3}}), (KernelSettings{{"b", 3}, {"block", 64}}));
  EXPECT_EQ(complete_settings(axpb_kernel(), {{"b", 3}, {"block", 128}}), (KernelSettings{{"b", 3}, {"block", 128}}));
  expect_error(3209, {"'axpb'", "'b'"}, [] { complete_settings(axpb_kernel(), {}); });
  expect_error(3208, {"'axpb'", "'warps'", "block, b"}, [] { complete_settings(axpb_kernel(), {{"b", 3}, {"warps", 4}}); });
}

std::uint64_t packed(DType type, const Argument& value) {
  program::Builder b("k");
  b.add_param("s", ParamKind::Scalar, {type, {}, false});
  const Argument arguments[] = {value};
  return pack_arguments(std::move(b).finish(), arguments)[0];
}

TEST_F(Arguments, ScalarsBecomeTheirParametersType) {
  EXPECT_EQ(packed(DType::F32, 1.5), std::bit_cast<std::uint32_t>(1.5f));
  EXPECT_EQ(packed(DType::F64, 1.5), std::bit_cast<std::uint64_t>(1.5));
  EXPECT_EQ(packed(DType::F16, 1.5), 0x3e00u);
  EXPECT_EQ(packed(DType::BF16, std::int64_t{1}), 0x3f80u);
  EXPECT_EQ(packed(DType::F32, true), std::bit_cast<std::uint32_t>(1.0f));
  EXPECT_EQ(packed(DType::I8, std::int64_t{-1}), 0xffu);
  EXPECT_EQ(packed(DType::I32, -3.0), 0xfffffffdu);
  EXPECT_EQ(packed(DType::I64, std::int64_t{INT64_MIN}), std::uint64_t{1} << 63);
  EXPECT_EQ(packed(DType::U16, 65535.0), 65535u);
  EXPECT_EQ(packed(DType::Bool, std::int64_t{1}), 1u);
  EXPECT_EQ(packed(DType::U64, std::int64_t{INT64_MAX}), static_cast<std::uint64_t>(INT64_MAX));
  for (double bad : {0.5, 1e30, -1e30, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    expect_error(3210, {"'k'", "'s'", "i32"}, [&] { packed(DType::I32, bad); });
  expect_error(3210, {"128", "i8"}, [] { packed(DType::I8, std::int64_t{128}); });
  EXPECT_EQ(error_code([] { packed(DType::I8, std::int64_t{-129}); }), 3210);
  EXPECT_EQ(error_code([] { packed(DType::U32, std::int64_t{-1}); }), 3210);
  EXPECT_EQ(error_code([] { packed(DType::U64, std::int64_t{-1}); }), 3210);
  EXPECT_EQ(error_code([] { packed(DType::Bool, std::int64_t{2}); }), 3210);
}

TEST_F(Arguments, ViewsTakeAddressSizesAndStrides) {
  program::Builder b("k");
  b.add_param("x", ParamKind::Input, {DType::F32, {-1, -1}, true});
  b.add_param("s", ParamKind::Scalar, {DType::I64, {}, false});
  const Argument arguments[] = {view_of(memory_, DType::F32, {2, 3}, {-3, 1}), std::int64_t{9}};
  EXPECT_EQ(pack_arguments(std::move(b).finish(), arguments),
            (std::vector<std::uint64_t>{reinterpret_cast<std::uintptr_t>(memory_), 2, 3, static_cast<std::uint64_t>(-3), 1, 9}));
}

}  // namespace
}  // namespace tilewright::testing
