// Products whose operands come by asynchronous copies, iterations ahead, in loops that end within a tile.
#include "tests/gpu/cases.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace tilewright::simt {
namespace {

using program::Builder;
using program::Shape;
using program::ValueId;

struct Product {
  DType dtype;
  std::int64_t rows, columns, depth, step, stages;
  bool transposed;  // the right operand lies in memory as [columns, depth]
  std::optional<DType> right_dtype = std::nullopt;  // of the right operand, where it differs
};

void PrintTo(const Product& p, std::ostream* out) {
  *out << name_of(p.dtype) << " " << p.rows << "x" << p.columns << "x" << p.depth << " by " << p.step << ", " << p.stages << " stages" << (p.transposed ? ", transposed" : "");
}

class StagingTest : public ::testing::TestWithParam<Product> {};

fuzz::Case case_of(const Product& p) {
  fuzz::Case test;
  Builder b("product");
  const ValueId left = add_view(b, test, "left", program::ParamKind::Input, p.dtype, {p.rows, p.depth});
  const Shape right_shape = p.transposed ? Shape{p.columns, p.depth} : Shape{p.depth, p.columns};
  const ValueId right = add_view(b, test, "right", program::ParamKind::Input, p.right_dtype.value_or(p.dtype), right_shape);
  const ValueId out = add_view(b, test, "out", program::ParamKind::Output, DType::F32, {p.rows, p.columns});
  const ValueId zero = b.integer(DType::I64, 0);
  const auto loop = b.begin_for(zero, b.integer(DType::I64, p.depth), b.integer(DType::I64, p.step), {b.real(DType::F32, 0, {p.rows, p.columns})}, p.stages);
  const ValueId x = b.load(left, {zero, loop[0]}, {0, 1}, {p.rows, p.step});
  const ValueId y = p.transposed ? b.transpose(b.load(right, {zero, loop[0]}, {0, 1}, {p.columns, p.step}), {1, 0}) : b.load(right, {loop[0], zero}, {0, 1}, {p.step, p.columns});
  const auto sum = b.end_for({b.dot(x, y, loop[1])});
  b.store(out, {zero, zero}, {0, 1}, sum[0]);
  test.program = std::move(b).finish();
  return test;
}

// Softmax without its softmax: two products a turn, in a loop within a loop. The left operand of the first is the same in all turns, that of the second comes from the first. Turns of the outer loop may have no
// inner one.
struct Chain {
  std::int64_t rows, columns, width, length, stages;
  bool some_empty;
};

void PrintTo(const Chain& c, std::ostream* out) {
  *out << c.rows << "x" << c.columns << "x" << c.width << ", " << c.length << " long, " << c.stages << " stages" << (c.some_empty ? ", some empty" : "");
}

class RolesTest : public ::testing::TestWithParam<Chain> {};

fuzz::Case case_of(const Chain& c) {
  fuzz::Case test;
  Builder b("chained");
  const ValueId q = add_view(b, test, "q", program::ParamKind::Input, DType::BF16, {c.rows, c.width}), k = add_view(b, test, "k", program::ParamKind::Input, DType::BF16, {c.length, c.width});
  const ValueId v = add_view(b, test, "v", program::ParamKind::Input, DType::BF16, {c.length, c.width}), out = add_view(b, test, "out", program::ParamKind::Output, DType::F32, {c.rows, c.width});
  const auto i64 = [&](std::int64_t value) { return b.integer(DType::I64, value); };
  const ValueId scaled = b.load(q, {i64(0), i64(0)}, {0, 1}, {c.rows, c.width});
  const auto outer = b.begin_for(i64(0), i64(2), i64(1), {b.real(DType::F32, 0, {c.rows, c.width})}, 1);
  const ValueId end = c.some_empty ? b.elementwise(program::Opcode::Mul, {outer[0], i64(c.length)}) : i64(c.length);
  const auto inner = b.begin_for(i64(0), end, i64(c.columns), {outer[1]}, c.stages);
  const ValueId logits = b.dot(scaled, b.transpose(b.load(k, {inner[0], i64(0)}, {0, 1}, {c.columns, c.width}), {1, 0}), b.real(DType::F32, 0, {c.rows, c.columns}));
  const ValueId weights = b.cast(b.elementwise(program::Opcode::Mul, {logits, b.real(DType::F32, 0.125)}), DType::BF16);
  const ValueId sum = b.dot(weights, b.load(v, {inner[0], i64(0)}, {0, 1}, {c.columns, c.width}), inner[1]);
  const auto turn = b.end_for({sum});
  const auto all = b.end_for({turn[0]});
  b.store(out, {i64(0), i64(0)}, {0, 1}, all[0]);
  test.program = std::move(b).finish();
  return test;
}

// Gradients without their softmax: a tile of keys that two products read, one of them transposed; scores that go into a sum from registers and, written to shared memory in each turn, into a second product; whose sums are added
// to memory. As many columns as queries, or more: then the scores are the operand that is transposed.
struct Gradient {
  std::int64_t keys, queries, width, length, stages;
};

void PrintTo(const Gradient& g, std::ostream* out) { *out << g.keys << "x" << g.queries << "x" << g.width << ", " << g.length << " long, " << g.stages << " stages"; }

class GradientTest : public ::testing::TestWithParam<Gradient> {};

fuzz::Case case_of(const Gradient& g) {
  fuzz::Case test;
  Builder b("gradients");
  const ValueId k = add_view(b, test, "k", program::ParamKind::Input, DType::BF16, {g.keys, g.width}), q = add_view(b, test, "q", program::ParamKind::Input, DType::BF16, {g.length, g.width});
  const ValueId d = add_view(b, test, "d", program::ParamKind::Input, DType::BF16, {g.length, g.width}), rows = add_view(b, test, "rows", program::ParamKind::Input, DType::F32, {2, g.length});
  const ValueId sums = add_view(b, test, "sums", program::ParamKind::InOut, DType::F32, {(g.length + g.queries - 1) / g.queries, std::max(g.width, g.queries), std::min(g.width, g.queries)});
  const ValueId dk = add_view(b, test, "dk", program::ParamKind::Output, DType::F32, {g.keys, g.width}), dv = add_view(b, test, "dv", program::ParamKind::Output, DType::F32, {g.keys, g.width});
  const auto i64 = [&](std::int64_t value) { return b.integer(DType::I64, value); };
  const auto zeros = [&](std::int64_t m, std::int64_t n) { return b.real(DType::F32, 0, {m, n}); };
  const auto product = [&](ValueId x, ValueId y) { return b.elementwise(program::Opcode::Mul, {x, y}); };
  const ValueId keys = b.load(k, {i64(0), i64(0)}, {0, 1}, {g.keys, g.width});
  const auto loop = b.begin_for(i64(0), i64(g.length), i64(g.queries), {zeros(g.keys, g.width), zeros(g.keys, g.width)}, g.stages);
  const ValueId queries = b.load(q, {loop[0], i64(0)}, {0, 1}, {g.queries, g.width}), gradients = b.load(d, {loop[0], i64(0)}, {0, 1}, {g.queries, g.width});
  const ValueId scalars = b.reshape(b.load(rows, {i64(1), loop[0]}, {program::kMapPoint, 0}, {g.queries}), {1, g.queries});
  const ValueId scores = b.dot(keys, b.transpose(queries, {1, 0}), zeros(g.keys, g.queries));
  const ValueId p = product(product(scores, b.real(DType::F32, 0.125)), scalars);
  const ValueId ds = b.cast(product(p, b.dot(keys, b.transpose(gradients, {1, 0}), zeros(g.keys, g.queries))), DType::BF16);
  const ValueId dv_sum = b.dot(b.cast(p, DType::BF16), gradients, loop[1]), dk_sum = b.dot(ds, queries, loop[2]);
  const bool dims_first = g.width >= g.queries;
  const ValueId dq = dims_first ? b.dot(b.transpose(keys, {1, 0}), ds, zeros(g.width, g.queries)) : b.dot(b.transpose(ds, {1, 0}), keys, zeros(g.queries, g.width));
  const ValueId tile = b.elementwise(program::Opcode::Div, {loop[0], i64(g.queries)});
  b.atomic(program::AtomicKind::Add, sums, {tile, i64(0), i64(0)}, {program::kMapPoint, 0, 1}, dq);
  const auto all = b.end_for({dv_sum, dk_sum});
  b.store(dv, {i64(0), i64(0)}, {0, 1}, all[0]);
  b.store(dk, {i64(0), i64(0)}, {0, 1}, all[1]);
  test.program = std::move(b).finish();
  for (fuzz::Argument& argument : test.arguments) argument.tensor.fill.low = -1, argument.tensor.fill.high = 1;  // all sums are exact
  return test;
}

TEST_P(GradientTest, AgreesWithTheReference) {
  for (const Configuration& configuration : configurations()) {
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(case_of(GetParam()), *target);
    EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
  }
}

TEST_P(RolesTest, ProductsOfProductsAgreeWithTheReference) {
  for (const Configuration& configuration : configurations()) {
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(case_of(GetParam()), *target);
    EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
  }
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
  // Products by groups of warps, where there are some: the depth ends within a tile; two blocks of rows a warp; more tiles than turns; the left operand in registers.
  all.push_back({DType::BF16, 64, 128, 200, 64, 2, false});
  all.push_back({DType::F16, 128, 64, 256, 64, 3, true});
  all.push_back({DType::BF16, 64, 64, 64, 64, 3, false});
  all.push_back({DType::BF16, 64, 192, 96, 16, 4, false});
  all.push_back({DType::F32, 96, 96, 304, 304, 1, false});  // operands that do not fit in shared memory at once
  // 8-bit floats: by groups of warps where the right operand is transposed and the depth fills rows, else warp by warp, the last by f16.
  for (bool transposed : {true, false}) {
    all.push_back({DType::F8E4M3, 64, 64, 384, 128, 2, transposed});
    all.push_back({DType::F8E5M2, 128, 128, 304, 128, 3, transposed, DType::F8E4M3});
    all.push_back({DType::F8E4M3, 64, 96, 512, 256, 2, transposed, DType::F8E5M2});
    all.push_back({DType::F8E4M3, 32, 32, 80, 32, 2, transposed});
    all.push_back({DType::F8E5M2, 32, 32, 80, 16, 2, transposed});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Chains, RolesTest, ::testing::Values(Chain{64, 64, 64, 160, 2, false}, Chain{64, 128, 64, 300, 3, true}, Chain{128, 64, 128, 64, 2, false}, Chain{64, 64, 32, 130, 2, true}));

INSTANTIATE_TEST_SUITE_P(Gradients, GradientTest, ::testing::Values(Gradient{64, 64, 64, 160, 2}, Gradient{64, 128, 64, 200, 2}));

INSTANTIATE_TEST_SUITE_P(Products, StagingTest, ::testing::ValuesIn(products()));

}  // namespace
}  // namespace tilewright::simt
