// Tiles that go from one layout to another by way of shared memory.
#include "tests/gpu/cases.h"
#include "tests/gpu/simt_target.h"
#include "tests/gpu/simulated.h"

#include <gtest/gtest.h>

namespace tilewright::simt {
namespace {

using program::Builder;
using program::ParamKind;
using program::ValueId;

// Every lane of a row holds its position, and what it holds beyond the tile is its own: rows of five are spread over four warps, two a thread, and go to memory in pairs.
TEST(Conversion, CopiesNeedNotAgreeBeyondTheTile) {
  fuzz::Case test;
  Builder b("positions");
  const ValueId values = add_view(b, test, "values", ParamKind::Input, DType::U16, {4, 5, 7});
  const ValueId out = add_view(b, test, "out", ParamKind::InOut, DType::I32, {4, 5});
  const ValueId zero = b.integer(DType::I64, 0);
  const ValueId positions = b.op(program::Opcode::ArgMin, {b.load(values, {zero, zero, zero}, {0, 1, 2}, {4, 5, 7})}, {2});
  b.store(out, {zero, zero}, {0, 1}, b.elementwise(program::Opcode::Max, {b.load(out, {zero, zero}, {0, 1}, {4, 5}), positions}));
  test.program = std::move(b).finish();
  for (const Configuration& configuration : configurations()) {
    const auto target = simulated_target(configuration);
    const fuzz::Outcome outcome = fuzz::check(test, *target);
    EXPECT_FALSE(outcome.failed()) << configuration.name << ": " << outcome.text;
  }
}

}  // namespace
}  // namespace tilewright::simt
