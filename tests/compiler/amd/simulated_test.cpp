// Products on simulated machines whose matrix instructions have the fragments of MFMA and WMMA, against the reference: layouts of the operands, copies in them, and the way to them.
#include "compiler/targets/amd/fragments.h"
#include "tests/gpu/simulated.h"
#include "tests/op_grid/grid.h"

#include <gtest/gtest.h>

#include <string>

namespace tilewright::amd {
namespace {

class SimulatedDot : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Amd, SimulatedDot, ::testing::ValuesIn(std::vector<const char*>{"gfx942", "gfx1100"}), [](const auto& info) { return std::string(info.param); });

TEST_P(SimulatedDot, EqualsTheReference) {
  const AmdTarget target = resolve_target(GetParam());
  const gpu::MatrixInstruction& instruction = matrix_instruction(target.matrices);
  const simt::Configuration configuration{.name = target.name, .lanes = target.lanes, .instructions = {{"f16", instruction}, {"bf16", instruction}}};
  const auto simulated = simt::simulated_target(configuration);
  int products = 0;
  for (const op_grid::Entry& entry : op_grid::all_entries()) {
    const auto is_of = [&](const char* dtype) { return entry.name.starts_with(std::string("dot_") + dtype); };
    if (!is_of("f16") && !is_of("bf16") && !is_of("f8")) continue;
    const fuzz::Outcome outcome = fuzz::check(entry.test, *simulated);
    EXPECT_FALSE(outcome.failed()) << entry.name << ": " << outcome.text;
    ++products;
  }
  EXPECT_GE(products, 4);
}

}  // namespace
}  // namespace tilewright::amd
