// The flash attention kernel, traced: its interface, what its loop carries, and what constants and tunables change.
#include "tests/dsl/kernels/flash_forward.h"

#include "tests/dsl/trace.h"

#include <gtest/gtest.h>

namespace tilewright {
namespace {

using program::Op;
using program::Opcode;
using program::ParamKind;
using program::Program;

Program flash(std::map<std::string, std::int64_t> settings = {{"head_dim", 64}}) {
  const auto tensor = view_type(DType::BF16, 3);
  return trace<example::FlashForward>({tensor, tensor, tensor, tensor, scalar_type(DType::F32)}, std::move(settings));
}

const Op& the(const Program& program, Opcode opcode) {
  for (const Op& op : program.ops) {
    if (op.opcode == opcode) return op;
  }
  throw std::out_of_range("no such operation");
}

TEST(FlashForward, DescribesItself) {
  const program::TraceableKernel& kernel = kernel_of<example::FlashForward>();
  EXPECT_EQ(kernel.name(), "flash_forward");
  ASSERT_EQ(kernel.params().size(), 5u);
  EXPECT_EQ(kernel.params()[3].name, "o");
  EXPECT_EQ(kernel.params()[3].kind, ParamKind::Output);
  EXPECT_EQ(kernel.params()[4].kind, ParamKind::Scalar);
  ASSERT_EQ(kernel.settings().size(), 5u);
  const auto& block_q = kernel.settings()[0];
  EXPECT_EQ(block_q.name, "block_q");
  EXPECT_TRUE(block_q.is_tunable);
  EXPECT_EQ(block_q.default_value, 64);
  EXPECT_EQ(block_q.candidates, (std::vector<std::int64_t>{64, 128}));
  EXPECT_FALSE(kernel.settings()[3].has_default);
  EXPECT_TRUE(kernel.settings()[4].has_default);
  EXPECT_EQ(&kernel, &kernel_of<example::FlashForward>());
}

TEST(FlashForward, GridIsAnExpressionOverSizes) {
  const Program program = flash();
  ASSERT_EQ(program.grid.yields.size(), 3u);
  const auto made_by = [&](int axis) { return program.ops[program.values[program.grid.yields[axis]].def].opcode; };
  EXPECT_EQ(made_by(0), Opcode::Div);
  EXPECT_EQ(made_by(1), Opcode::ViewSize);
  EXPECT_EQ(made_by(2), Opcode::Constant);
}

TEST(FlashForward, CarriesThreeValues) {
  const Program program = flash();
  const Op& loop = the(program, Opcode::For);
  EXPECT_EQ(loop.results.size(), 3u);
  EXPECT_EQ(loop.ints[0], 2);
  EXPECT_EQ(count(program, Opcode::For), 1);
  EXPECT_EQ(count(program, Opcode::Dot), 2);
  EXPECT_EQ(count(program, Opcode::Load), 3);
  EXPECT_EQ(count(program, Opcode::Store), 1);
}

TEST(FlashForward, SettingsChooseShapesAndBranches) {
  const Program program = flash({{"head_dim", 96}, {"block_q", 32}, {"stages", 3}, {"causal", 0}});
  EXPECT_EQ(program.type(the(program, Opcode::Load).results[0]).shape, (program::Shape{32, 96}));
  EXPECT_EQ(the(program, Opcode::For).ints[0], 3);
  EXPECT_EQ(count(program, Opcode::Le), 0);
  EXPECT_EQ(program.bindings[0], (std::pair<std::string, std::int64_t>{"block_q", 32}));
}

TEST(FlashForward, KeepsPositions) {
  const Program program = flash();
  const Op& store = the(program, Opcode::Store);
  EXPECT_NE(program.files[store.loc.file].find("flash_forward.h"), std::string::npos);
  EXPECT_EQ(store.loc.line, 32u);
  EXPECT_EQ(the(program, Opcode::For).loc.line, 21u);
}

TEST(FlashForward, TracesAlikeEveryTime) { EXPECT_EQ(to_text(flash()), to_text(flash())); }

}  // namespace
}  // namespace tilewright
