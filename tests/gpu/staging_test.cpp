// Products whose operands come by asynchronous copies, iterations ahead, in loops that end within a tile.
#include "dsl/program/builder.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <gtest/gtest.h>

namespace tilewright::simt {
namespace {

using program::Builder;
using program::Shape;
using program::ValueId;

struct Product {
  DType dtype;
  std::int64_t rows, columns, depth, step, stages;
  bool transposed;  // the right operand lies in memory as [columns, depth]
};

void PrintTo(const Product& p, std::ostream* out) {
  *out << name_of(p.dtype) << " " << p.rows << "x" << p.columns << "x" << p.depth << " by " << p.step << ", " << p.stages << " stages" << (p.transposed ? ", transposed" : "");
}

class StagingTest : public ::testing::TestWithParam<Product> {};

fuzz::Case case_of(const Product& p) {
  fuzz::Case test;
  Builder b("product");
  const auto view = [&](const char* name, program::ParamKind kind, DType dtype, std::int64_t rows, std::int64_t columns) {
    fuzz::Argument argument;
    argument.is_view = true;
    argument.tensor.sizes = {rows, columns};
    argument.tensor.strides = {columns, 1};
    argument.tensor.aligned16 = true;
    argument.tensor.seed = static_cast<std::uint64_t>(rows * 7 + columns);
    test.arguments.push_back(std::move(argument));
    return b.add_param(name, kind, program::Type{dtype, Shape(2, -1), true}, {.unit_inner_stride = true, .aligned16 = true, .fits32 = true});
  };
  const ValueId left = view("left", program::ParamKind::Input, p.dtype, p.rows, p.depth);
  const ValueId right = p.transposed ? view("right", program::ParamKind::Input, p.dtype, p.columns, p.depth) : view("right", program::ParamKind::Input, p.dtype, p.depth, p.columns);
  const ValueId out = view("out", program::ParamKind::Output, DType::F32, p.rows, p.columns);
  const ValueId zero = b.integer(DType::I64, 0);
  const auto loop = b.begin_for(zero, b.integer(DType::I64, p.depth), b.integer(DType::I64, p.step), {b.real(DType::F32, 0, {p.rows, p.columns})}, p.stages);
  const ValueId x = b.load(left, {zero, loop[0]}, {0, 1}, {p.rows, p.step});
  const ValueId y = p.transposed ? b.transpose(b.load(right, {zero, loop[0]}, {0, 1}, {p.columns, p.step}), {1, 0}) : b.load(right, {loop[0], zero}, {0, 1}, {p.step, p.columns});
  const auto sum = b.end_for({b.dot(x, y, loop[1])});
  b.store(out, {zero, zero}, {0, 1}, sum[0]);
  test.program = std::move(b).finish();
  return test;
}

TEST_P(StagingTest, AgreesWithTheReference) {
  for (const Configuration& configuration : configurations()) {
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(case_of(GetParam()), *target);
    EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
  }
}

std::vector<Product> products() {
  std::vector<Product> all;
  for (std::int64_t stages : {1, 2, 3, 4})
    for (bool transposed : {false, true}) all.push_back({stages % 2 == 0 ? DType::BF16 : DType::F16, 64, 64, 152, 32, stages, transposed});
  all.push_back({DType::BF16, 96, 48, 64, 64, 3, false});  // one turn
  all.push_back({DType::F16, 32, 96, 72, 16, 3, true});  // a tile of fewer rows than its copies can reach
  all.push_back({DType::F32, 32, 32, 40, 16, 2, false});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Products, StagingTest, ::testing::ValuesIn(products()));

}  // namespace
}  // namespace tilewright::simt
