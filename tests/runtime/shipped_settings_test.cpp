// Settings shipped for a target: which calls get them, and that what the caller gives wins.
#include "runtime/shipped_settings.h"

#include "runtime/drivers/null/null_driver.h"
#include "tests/runtime/errors.h"
#include "tests/runtime/test_kernels.h"

#include <gtest/gtest.h>

namespace tilewright::testing {
namespace {

const RegisterShippedSettings aligned("a_target", {
  {.kernel = "axpb", .dtypes = {{"x", {DType::F64, DType::F32}}}, .constants = {{"b", {1, 2}}}, .tunables = {{"block", 128}}},
  {.kernel = "axpb", .dtypes = {{"x", {DType::F32}}}, .tunables = {{"block", 256}}},
});
const RegisterShippedSettings misspelt("misspelt_target", {{.kernel = "axpb", .tunables = {{"blocks", 128}}}});
const RegisterShippedSettings of_rows("rows_target", {{.kernel = "axpb", .whole_rows = {"x"}, .tunables = {{"block", 128}}}});

// Elements of a program of the launch, which the block decides.
std::int64_t block_of(const std::string& target, DType dtype, const KernelSettings& settings) {
  const auto device = open_null_device();
  const auto session = make_session(device, nullptr, {.settings_target = target});
  const DeviceTensor x = session->allocate(dtype, std::vector<std::int64_t>{512});
  const Argument arguments[] = {x.view(), x.view(), 1.0};
  session->launch(axpb_kernel(), arguments, settings);
  return 512 / static_cast<std::int64_t>(device->launches().at(0).grid[0]);
}

TEST(ShippedSettings, HoldWhereTheirConditionsDo) {
  EXPECT_EQ(block_of("a_target", DType::F32, {{"b", 1}}), 128);
  EXPECT_EQ(block_of("a_target", DType::F64, {{"b", 2}}), 128);
  EXPECT_EQ(block_of("a_target", DType::F32, {{"b", 3}}), 256);
  EXPECT_EQ(block_of("a_target", DType::F64, {{"b", 3}}), 64);
  EXPECT_EQ(block_of("another_target", DType::F32, {{"b", 1}}), 64);
  EXPECT_EQ(block_of("", DType::F32, {{"b", 1}}), 64);
}

TEST(ShippedSettings, WhatIsGivenWins) {
  EXPECT_EQ(block_of("a_target", DType::F32, {{"b", 1}, {"block", 64}}), 64);
}

TEST(ShippedSettings, WholeRowsAreOfMatrices) {
  EXPECT_EQ(block_of("rows_target", DType::F32, {{"b", 1}}), 64);  // a vector has none
}

TEST(ShippedSettings, NamesThatTheKernelDoesNotHaveAreErrors) {
  expect_error(3213, {"'axpb'", "'blocks'"}, [] { block_of("misspelt_target", DType::F32, {{"b", 1}}); });
}

}  // namespace
}  // namespace tilewright::testing
