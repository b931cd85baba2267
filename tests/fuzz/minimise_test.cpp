// The harness must see a wrong target, and the minimiser must keep what is wrong while it drops the rest.
#include "dsl/program/canonical.h"
#include "dsl/program/verify.h"
#include "tests/fuzz/generator.h"
#include "tests/fuzz/minimise.h"
#include "tests/fuzz/run.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tilewright::fuzz {
namespace {

using program::Opcode;
using program::Program;

// Scalars are left as they are: loops would not end.
bool is_tile_op(const Program& program, const program::Op& op, Opcode opcode) {
  return op.opcode == opcode && program.type(op.results[0]).rank() > 0;
}

// The program as a target would run it that computes `from` as `to`.
Program confused(const Program& program, Opcode from, Opcode to) {
  Program wrong = program;
  for (program::Op& op : wrong.ops) {
    if (is_tile_op(program, op, from)) op.opcode = to;
  }
  return wrong;
}

bool contains(const Program& program, Opcode opcode) {
  return std::any_of(program.ops.begin(), program.ops.end(), [&](const program::Op& op) { return is_tile_op(program, op, opcode); });
}

struct Confusion {
  Opcode from, to;
};

class Harness : public ::testing::TestWithParam<Confusion> {};

// Not every program shows its operations in a result: a comparison may be dropped by a select. Most do.
TEST_P(Harness, SeesAWrongOperation) {
  const auto [from, to] = GetParam();
  const auto target = transformed_reference([=](const Program& program) { return confused(program, from, to); });
  int concerned = 0, seen = 0;
  for (std::uint64_t seed = 0; seed < 3000 && concerned < 40; ++seed) {
    Case test = generate(seed);
    test.program = program::canonicalize(test.program);
    if (!contains(test.program, from)) continue;
    ++concerned;
    seen += check(test, *target).failed();
  }
  EXPECT_GE(concerned, 15);
  EXPECT_GE(4 * seen, concerned) << seen << " of " << concerned;
}

INSTANTIATE_TEST_SUITE_P(Operations, Harness,
                         ::testing::Values(Confusion{Opcode::Add, Opcode::Sub}, Confusion{Opcode::Mul, Opcode::Add}, Confusion{Opcode::Min, Opcode::Max},
                                           Confusion{Opcode::Lt, Opcode::Le}, Confusion{Opcode::ArgMax, Opcode::ArgMin}, Confusion{Opcode::Floor, Opcode::Ceil},
                                           Confusion{Opcode::Sin, Opcode::Cos}, Confusion{Opcode::Exp, Opcode::Exp2}, Confusion{Opcode::Neg, Opcode::Abs}),
                         [](const auto& info) { return std::string(mnemonic_of(info.param.from)); });

TEST(Harness, SeesAStoreThatIsMissing) {
  const auto target = transformed_reference([](const Program& program) {
    Program wrong = program;
    std::vector<program::OpId>& ops = wrong.body.ops;
    const auto last = std::find_if(ops.rbegin(), ops.rend(), [&](program::OpId id) { return wrong.ops[id].opcode == Opcode::Store; });
    if (last != ops.rend()) ops.erase(std::next(last).base());
    return wrong;
  });
  int seen = 0, judged = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Outcome outcome = check(generate(seed), *target);
    judged += outcome.kind != Outcome::Skipped;
    seen += outcome.failed();
  }
  EXPECT_GE(judged, 60);
  EXPECT_GE(5 * seen, 4 * judged) << seen << " of " << judged;
}

TEST(Minimiser, KeepsWhatFails) {
  const auto target = transformed_reference([](const Program& program) { return confused(program, Opcode::Sin, Opcode::Cos); });
  const auto fails = [&](const Case& test) { return check(test, *target).kind == Outcome::Differs; };
  int tried = 0;
  for (std::uint64_t seed = 0; seed < 1000 && tried < 5; ++seed) {
    const Case test = generate(seed);
    if (!contains(test.program, Opcode::Sin) || !fails(test)) continue;
    ++tried;
    const Case small = minimise(test, fails);
    EXPECT_TRUE(fails(small));
    EXPECT_TRUE(contains(small.program, Opcode::Sin));
    EXPECT_NO_THROW(program::verify(small.program));
    EXPECT_LE(small.program.ops.size(), 16u) << "seed " << seed << "\n" << to_text(small.program);
    EXPECT_LT(small.program.ops.size(), test.program.ops.size());
  }
  EXPECT_EQ(tried, 5);
}

}  // namespace
}  // namespace tilewright::fuzz
