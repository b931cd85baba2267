// The generator tested against the reference alone: programs are well formed, the same on every run, and keep their results in canonical form.
#include "compiler/reference/interpreter.h"
#include "dsl/program/canonical.h"
#include "dsl/program/roles.h"
#include "dsl/program/verify.h"
#include "tests/fuzz/fault.h"
#include "tests/fuzz/generator.h"
#include "tests/fuzz/run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace tilewright::fuzz {
namespace {

TEST(Generator, ProgramsAreWellFormed) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Case test = generate(seed);
    ASSERT_NO_THROW(program::verify(test.program)) << "seed " << seed;
    ASSERT_EQ(test.program.params.size(), test.arguments.size());
    ASSERT_EQ(to_text(test.program), to_text(generate(seed).program)) << "seed " << seed;
  }
}

TEST(Generator, UsesEveryOperation) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    for (const program::Op& op : generate(seed).program.ops) seen.insert(std::string(mnemonic_of(op.opcode)));
  }
  for (int opcode = 0; opcode <= static_cast<int>(Opcode::Assert); ++opcode) {
    if (static_cast<Opcode>(opcode) == Opcode::Print || static_cast<Opcode>(opcode) == Opcode::NumPrograms) continue;
    if (static_cast<Opcode>(opcode) == Opcode::Extern) continue;  // the reference cannot run it
    if (program::is_of_schedules(static_cast<Opcode>(opcode))) continue;  // schedules are of few targets, and have tests of their own
    const std::string name(program::mnemonic_of(static_cast<Opcode>(opcode)));
    EXPECT_TRUE(seen.count(name)) << name;
  }
}

TEST(Generator, CanonicalProgramsComputeTheSame) {
  const auto target = transformed_reference(program::canonicalize);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Case test = generate(seed);
    const Outcome outcome = check(test, *target);
    ASSERT_FALSE(outcome.failed()) << "seed " << seed << "\n" << outcome.text << to_text(test.program);
  }
}

}  // namespace
}  // namespace tilewright::fuzz
