// The verifier finds what a builder would not have built.
#include "dsl/program/verify.h"
#include "dsl/program/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace tilewright::program {
namespace {

Program sample() {
  Builder b("k");
  const ValueId in = b.add_param("in", ParamKind::Input, {DType::F32, {-1}, true});
  const ValueId out = b.add_param("out", ParamKind::Output, {DType::F32, {-1}, true});
  const auto index = [&](std::int64_t i) { return b.integer(DType::I64, i); };
  const ValueId zero = b.real(DType::F32, 0, {8});
  const auto args = b.begin_for(index(0), index(4), index(1), {zero});
  b.at("k.cpp", 7, 3);
  const ValueId sum = b.elementwise(Opcode::Add, {args[1], b.load(in, {args[0]}, {0}, {8})});
  const auto results = b.end_for({sum});
  b.store(out, {index(0)}, {0}, results[0]);
  return std::move(b).finish();
}

void expect_broken(const std::string& words, int code, const std::function<void(Program&)>& damage) {
  Program program = sample();
  damage(program);
  try {
    verify(program);
    ADD_FAILURE() << "accepted; expected: " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(words));
  }
}

Op& find(Program& program, Opcode opcode) {
  for (Op& op : program.ops) {
    if (op.opcode == opcode) return op;
  }
  throw std::out_of_range("no such operation");
}

TEST(Verify, AcceptsWhatWasBuilt) { EXPECT_NO_THROW(verify(sample())); }

TEST(Verify, FindsBrokenStructure) {
  expect_broken("an operation does not exist", 9102, [](Program& p) { p.body.ops.push_back(999); });
  expect_broken("an operation stands in two places", 9102, [](Program& p) { p.body.ops.push_back(p.body.ops[0]); });
  expect_broken("a value does not exist", 9102, [](Program& p) { find(p, Opcode::Add).operands[0] = 999; });
  expect_broken("is made twice", 9102, [](Program& p) { find(p, Opcode::For).regions[0].args[0] = p.params[0].value; });
  expect_broken("names another operation as its origin", 9102, [](Program& p) { p.values[find(p, Opcode::Add).results[0]].def = 0; });
  expect_broken("a grid has three extents", 9102, [](Program& p) { p.grid.yields.pop_back(); });
  expect_broken("a region yields 0 values", 9102, [](Program& p) { find(p, Opcode::For).regions[0].yields.clear(); });
  expect_broken("'load' has regions", 9102, [](Program& p) { find(p, Opcode::Load).regions.emplace_back(); });
  expect_broken("parameter 'in' is f32", 9102, [](Program& p) { p.values[p.params[0].value].type = {DType::F32, {}}; });
  expect_broken("names a file that does not exist", 9102, [](Program& p) { find(p, Opcode::Add).loc.file = 12; });
  expect_broken("'range' lacks bounds or stages", 9102, [](Program& p) { find(p, Opcode::For).ints.clear(); });
}

TEST(Verify, FindsUseOutsideTheRegion) {
  expect_broken("outside the region", 1401, [](Program& p) { find(p, Opcode::Store).operands[2] = find(p, Opcode::Add).results[0]; });
  expect_broken("before it is made", 1401, [](Program& p) { std::swap(p.body.ops.front(), p.body.ops.back()); });
}

TEST(Verify, FindsWrongTypes) {
  expect_broken("'+' gives 8xf32, not 9xf32", 9102, [](Program& p) { p.values[find(p, Opcode::Add).results[0]].type.shape = {9}; });
  expect_broken("takes floats", 1201, [](Program& p) {
    find(p, Opcode::Add).opcode = Opcode::Exp;
    find(p, Opcode::Exp).operands = {find(p, Opcode::For).regions[0].args[0]};
  });
}

TEST(Verify, NamesThePosition) {
  Program program = sample();
  find(program, Opcode::Add).operands.pop_back();
  try {
    verify(program);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where().file, "k.cpp");
    EXPECT_EQ(error.where().line, 7u);
    EXPECT_EQ(error.where().column, 3u);
  }
}

}  // namespace
}  // namespace tilewright::program
