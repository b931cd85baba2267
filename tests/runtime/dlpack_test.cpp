#include "runtime/dlpack.h"
#include "runtime/support/error.h"

#include <gtest/gtest.h>

namespace tilewright {
namespace {

template <class Action>
int error_code(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST(DLPack, RoundTripsEveryType) {
  alignas(8) char memory[64];
  for (int i = 0; i < kNumDTypes; ++i) {
    TensorView view;
    view.data = memory;
    view.dtype = static_cast<DType>(i);
    view.rank = 2;
    view.sizes = {2, 3};
    view.strides = {-1, 0};
    const DLPackView out(view, {kDLCPU, 0});
    const TensorView back = from_dlpack(out.tensor);
    EXPECT_EQ(back.data, view.data);
    EXPECT_EQ(back.dtype, view.dtype);
    EXPECT_EQ(back.rank, 2);
    EXPECT_EQ(back.sizes, view.sizes);
    EXPECT_EQ(back.strides, view.strides);
  }
}

TEST(DLPack, AbsentStridesAreRowMajorAndOffsetsCount) {
  float memory[24];
  std::int64_t shape[] = {2, 3, 4};
  DLTensor tensor{memory, {kDLCPU, 0}, 3, {kDLFloat, 32, 1}, shape, nullptr, 8};
  const TensorView view = from_dlpack(tensor);
  EXPECT_EQ(view.data, memory + 2);
  EXPECT_EQ(view.strides[0], 12);
  EXPECT_EQ(view.strides[2], 1);
}

TEST(DLPack, RefusesWhatIsNotOurs) {
  std::int64_t shape[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, negative[1] = {-1};
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, 1, {kDLFloat, 32, 4}, shape, nullptr, 0}); }), 3011);
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, 1, {kDLComplex, 64, 1}, shape, nullptr, 0}); }), 3011);
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, 1, {kDLFloat, 8, 1}, shape, nullptr, 0}); }), 3011);
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, 9, {kDLFloat, 32, 1}, shape, nullptr, 0}); }), 3010);
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, -1, {kDLFloat, 32, 1}, shape, nullptr, 0}); }), 3010);
  EXPECT_EQ(error_code([&] { from_dlpack(DLTensor{nullptr, {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, negative, nullptr, 0}); }), 3010);
}

}  // namespace
}  // namespace tilewright
