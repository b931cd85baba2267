// Schedules: when they take the place of a kernel's body, what they trace to, and that the reference finds roles that do not fit together.
#include "compiler/reference/interpreter.h"
#include "compiler/reference/slots.h"
#include "dsl/program/canonical.h"
#include "dsl/program/roles.h"
#include "dsl/program/verify.h"
#include "runtime/support/error.h"
#include "tests/dsl/kernels/schedules.h"
#include "tests/dsl/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tilewright {
namespace {

using program::ArgumentFacts;
using program::Opcode;
using program::Program;
using test_kernels::ChosenSums;
using test_kernels::ScheduledAttention;
using test_kernels::ScheduledProduct;
using test_kernels::TeamsProduct;
using ::testing::HasSubstr;

constexpr ArgumentFacts kBoxes{.unit_inner_stride = true, .aligned16 = true, .fits32 = true};

program::CallFacts call(std::size_t views, DType dtype, ArgumentFacts facts = kBoxes) {
  program::CallFacts call;
  call.types.assign(views, view_type(dtype, 2));
  call.facts.assign(views, facts);
  call.explicit_levels = {"nvidia::sm90"};
  return call;
}

std::int64_t binding(const Program& program, const char* name) {
  for (const auto& [bound, value] : program.bindings)
    if (bound == name) return value;
  return -1;
}

TEST(Schedule, TakesThePlaceOfTheBodyWhereTheTargetOffersItsLevel) {
  const auto& kernel = kernel_of<ScheduledProduct>();
  const Program chosen = kernel.trace(call(3, DType::BF16));
  EXPECT_TRUE(has_roles(chosen));
  EXPECT_EQ(binding(chosen, "schedule"), 1);

  program::CallFacts elsewhere = call(3, DType::BF16);
  elsewhere.explicit_levels = {"another::level"};
  EXPECT_FALSE(has_roles(kernel.trace(elsewhere)));
  EXPECT_EQ(binding(kernel.trace(elsewhere), "schedule"), 0);

  program::CallFacts off = call(3, DType::BF16);
  off.settings["schedule"] = 0;
  EXPECT_FALSE(has_roles(kernel.trace(off)));
}

TEST(Schedule, LeavesCallsToTheBodyThatItIsNotWrittenFor) {
  const auto& kernel = kernel_of<ScheduledProduct>();
  EXPECT_FALSE(has_roles(kernel.trace(call(3, DType::F32)))) << "what it requires does not hold";
  EXPECT_FALSE(has_roles(kernel.trace(call(3, DType::BF16, {.unit_inner_stride = true})))) << "the tensors have no boxes";
}

TEST(Schedule, IsASettingOfTheKernel) {
  const auto& settings = kernel_of<ScheduledProduct>().settings();
  const auto found = std::find_if(settings.begin(), settings.end(), [](const auto& setting) { return setting.name == "schedule"; });
  ASSERT_NE(found, settings.end());
  EXPECT_TRUE(found->is_tunable);
  EXPECT_EQ(found->default_value, 1);
  EXPECT_EQ(found->candidates, (std::vector<std::int64_t>{1, 0}));
}

TEST(Schedule, TracesRolesInTheirOrder) {
  const Program program = kernel_of<ScheduledProduct>().trace(call(3, DType::BF16));
  const auto roles = std::find_if(program.ops.begin(), program.ops.end(), [](const program::Op& op) { return op.opcode == Opcode::Roles; });
  ASSERT_NE(roles, program.ops.end());
  const auto opcodes = [&](const program::Region& role) {
    std::vector<Opcode> found;
    for (program::OpId id : role.ops) {
      if (program.ops[id].opcode != Opcode::For) continue;
      for (program::OpId inner : program.ops[id].regions[0].ops)
        if (program::class_of(program.ops[inner].opcode) == program::OpClass::Write) found.push_back(program.ops[inner].opcode);
    }
    return found;
  };
  EXPECT_THAT(opcodes(roles->regions[0]), ::testing::ElementsAre(Opcode::Send, Opcode::Send));
  EXPECT_THAT(opcodes(roles->regions[1]), ::testing::ElementsAre(Opcode::Receive, Opcode::Receive, Opcode::GroupProduct, Opcode::Release, Opcode::Release));
  EXPECT_TRUE(std::none_of(program.body.ops.begin(), program.body.ops.end(), [&](program::OpId id) {
    return std::any_of(program.ops[id].results.begin(), program.ops[id].results.end(), [&](program::ValueId v) { return program.type(v).is_tile() && program.type(v).rank() > 0; });
  })) << "constants stay in their role";
  EXPECT_EQ(to_text(canonicalize(program)), to_text(program));
}

// Runs a program on matrices of f16 with small integers; gives the last one.
std::vector<float> run(const Program& program, const std::vector<std::pair<std::int64_t, std::int64_t>>& shapes) {
  std::vector<std::vector<std::uint16_t>> matrices;
  std::vector<std::uint64_t> slots;
  for (auto [rows, columns] : shapes) {
    auto& matrix = matrices.emplace_back(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = reference::half_from(static_cast<float>((i * 7 + matrices.size()) % 5) - 2.0f).bits;
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::int64_t sizes[] = {shapes[i].first, shapes[i].second}, strides[] = {shapes[i].second, 1};
    reference::append_view(slots, matrices[i].data(), sizes, strides);
  }
  reference::Interpreter(program).run_all(slots.data());
  std::vector<float> result;
  for (std::uint16_t bits : matrices.back()) result.push_back(reference::to_float(reference::Half{bits}));
  return result;
}

template <class K>
void expect_equal_to_body(std::size_t views, const std::vector<std::pair<std::int64_t, std::int64_t>>& shapes, std::map<std::string, std::int64_t> settings) {
  program::CallFacts facts = call(views, DType::F16);
  facts.settings = std::move(settings);
  const Program scheduled = kernel_of<K>().trace(facts);
  ASSERT_TRUE(has_roles(scheduled));
  facts.settings["schedule"] = 0;
  const std::vector<float> expected = run(kernel_of<K>().trace(facts), shapes), actual = run(scheduled, shapes);
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(expected[i], actual[i], 1e-3) << "element " << i;
}

TEST(Schedule, ComputesOnTheReferenceWhatTheBodyDoes) {
  expect_equal_to_body<ScheduledProduct>(3, {{70, 200}, {200, 90}, {70, 90}}, {{"stages", 3}});
  expect_equal_to_body<ScheduledProduct>(3, {{70, 200}, {90, 200}, {70, 90}}, {{"b_transposed", 1}});
  expect_equal_to_body<ScheduledAttention>(4, {{100, 64}, {150, 64}, {150, 64}, {100, 64}}, {{"stages", 2}});
}

// Sums of tiles of f16 chosen by lists of i32; gives y.
std::vector<float> chosen_sums(bool scheduled, std::map<std::string, std::int64_t> settings, const std::vector<std::int32_t>& choices, std::int64_t rows) {
  constexpr std::int64_t kTiles = 16, kHeight = 64, kWidth = 64;
  program::CallFacts facts = call(3, DType::F16);
  facts.types[1] = view_type(DType::I32, 2);
  facts.types[2] = view_type(DType::F32, 2);
  facts.settings = std::move(settings);
  facts.settings["schedule"] = scheduled;
  const Program program = kernel_of<ChosenSums>().trace(facts);
  EXPECT_EQ(has_roles(program), scheduled);
  EXPECT_EQ(to_text(canonicalize(program)), to_text(program));
  std::vector<std::uint16_t> x(kTiles * kHeight * kWidth);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = reference::half_from(static_cast<float>(i / (kHeight * kWidth) * 3 + i % 7)).bits;
  std::vector<std::int32_t> chosen = choices;
  std::vector<float> y(rows * kHeight * kWidth, -1);
  std::vector<std::uint64_t> slots;
  const std::int64_t most = static_cast<std::int64_t>(choices.size()) / rows;
  const std::int64_t x_sizes[] = {kTiles * kHeight, kWidth}, y_sizes[] = {rows * kHeight, kWidth}, strides[] = {kWidth, 1}, c_sizes[] = {rows, most}, c_strides[] = {most, 1};
  reference::append_view(slots, x.data(), x_sizes, strides);
  reference::append_view(slots, chosen.data(), c_sizes, c_strides);
  reference::append_view(slots, y.data(), y_sizes, strides);
  reference::Interpreter(program).run_all(slots.data());
  return y;
}

TEST(Schedule, TeamsTakeWhatIsTheirsFromOneList) {
  const std::vector<std::int32_t> choices = {0, 3, 5, -1, 3, 5, 7, 15, -1, -1, -1, -1, 1, 2, 3, 4, 15, 0, -1, 3, 6, 7, 8, 9, 3, -1, -1, -1, 2, 5, 3, 11, 0, 1, 14, 3, 9, 8, -1, -1, 4, 3, 2, 1};  // eleven rows
  for (const std::int64_t teams : {4, 8, 12}) {
    const std::map<std::string, std::int64_t> settings = {{"teams", teams}, {"warps", 1}};
    const std::vector<float> expected = chosen_sums(false, settings, choices, 11), actual = chosen_sums(true, settings, choices, 11);
    EXPECT_EQ(expected, actual) << teams << " teams";
    EXPECT_TRUE(std::none_of(actual.begin(), actual.end(), [](float each) { return each < 0; }));
  }
}

TEST(Schedule, TeamsMultiplyWhatAllReceive) {
  for (const std::int64_t left : {0, 1, 2}) {
    expect_equal_to_body<TeamsProduct>(3, {{300, 200}, {200, 130}, {300, 130}}, {{"left", left}, {"warps", 4}, {"teams", 3}});
  }
  expect_equal_to_body<TeamsProduct>(3, {{150, 200}, {200, 130}, {150, 130}}, {{"left", 2}, {"warps", 1}, {"teams", 8}});
}

TEST(Schedule, TeamsArePartOfTheProgram) {
  program::CallFacts facts = call(3, DType::F16);
  facts.settings = {{"left", 2}, {"warps", 1}, {"teams", 8}};
  const Program program = kernel_of<TeamsProduct>().trace(facts);
  EXPECT_THAT(to_text(program), ::testing::AllOf(HasSubstr("roles() [0, 0, 8]"), HasSubstr(":i64 = team()"), HasSubstr(":64x64xf16 = shared_load(")));
  Program fewer = program;
  for (program::Op& op : fewer.ops)
    if (op.opcode == Opcode::Roles) op.ints.pop_back();
  EXPECT_THROW(verify(fewer), Error);
}

// Roles that do not fit together.
struct Unequal {
  Const<int> sent{"sent"}, received{"received"}, held{"held", 1};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    const nvidia::SharedTile left = nvidia::shared_tile(x.dtype(), {64, 64});
    nvidia::roles({}, [&] { for (Index i : range(0, sent)) nvidia::send(tiles, x, {i * 64, 0}); },
                  [&] {
                    nvidia::write(left, zeros(x.dtype(), {64, 64}));
                    for (Index i : range(0, received / held)) {
                      std::vector<nvidia::SharedTile> taken;
                      Var sum = zeros(f32, {64, 64});
                      for (int n = 0; n < held; ++n) taken.push_back(nvidia::receive(tiles));
                      for (const nvidia::SharedTile& tile : taken) sum = nvidia::group_dot(left, tile, sum);
                      for (const nvidia::SharedTile& tile : taken) nvidia::release(tile);
                      store(y, {i * 64, 0}, cast(sum, y.dtype()));
                    }
                  });
  }
};
TW_KERNEL(Unequal, "unequal", "x", "y")

std::string problem_of(std::int64_t sent, std::int64_t received, std::int64_t held = 1) {
  program::CallFacts facts = call(2, DType::F16);
  facts.settings = {{"sent", sent}, {"received", received}, {"held", held}};
  try {
    run(kernel_of<Unequal>().trace(facts), {{64, 64}, {64, 64}});
  } catch (const Error& error) {
    EXPECT_NE(error.where().line, 0u);
    return error.what();
  }
  return "";
}

TEST(Schedule, TheReferenceFindsRolesThatWaitForEver) {
  EXPECT_EQ(problem_of(4, 4), "");
  EXPECT_EQ(problem_of(4, 4, 2), "");
  EXPECT_THAT(problem_of(2, 3), HasSubstr("TW3412"));
  EXPECT_THAT(problem_of(6, 6, 3), HasSubstr("TW3412")) << "three tiles are held where two have room";
  EXPECT_THAT(problem_of(3, 2), HasSubstr("TW3413"));
}

// Eight teams, of which the fourth does something else than the others.
struct UnlikeTeams {
  Const<int> received{"received", 4}, held{"held", 1}, index{"index", 0};
  Const<bool> writes{"writes", true}, matrix_first{"matrix_first", false};
  Tune<int> warps{"warps", {1}};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
  void schedule(nvidia::Sm90, In x, Out y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2), lists = nvidia::channel(i32, {8}, 2), late = nvidia::channel(x.dtype(), {64, 64}, 2);
    const nvidia::SharedTile kept = nvidia::shared_tile(x.dtype(), {64, 64});
    nvidia::roles(
        {.teams = 8},
        [&] {
          for (Index i : range(0, 4)) nvidia::send(tiles, x, {i * 64, 0});
          for (Index i : range(0, 3)) nvidia::send(lists, cast(i, i32) + arange(8));
          nvidia::send(late, x, {0, 0});
        },
        [&] {
          const Tile is_other = nvidia::team() == 3;
          const auto take = [&](int count) {
            std::vector<nvidia::SharedTile> taken;
            for (int n = 0; n < count; ++n) taken.push_back(nvidia::receive(tiles));
            for (const nvidia::SharedTile& tile : taken) nvidia::release(tile);
          };
          when(is_other, [&] { for (Index i : range(0, received, held)) take(held); }, [&] { for (Index i : range(0, 4)) take(1); });
          when(writes ? nvidia::team() >= 0 : !is_other, [&] { nvidia::write(kept, load(x, {0, 0}, {64, 64})); });
          const auto take_late = [&] { nvidia::release(nvidia::receive(late)); };
          if (matrix_first) when(is_other, take_late);
          for (Index i : range(0, 3)) {
            const nvidia::SharedTile list = nvidia::receive(lists);
            const Tile element = nvidia::element(list, where(is_other, Index(index), 0));
            store(y, {0, 0}, nvidia::read(kept) + cast(element, y.dtype()));
            nvidia::release(list);
          }
          if (matrix_first) when(!is_other, take_late);
          else take_late();
        });
  }
};
TW_KERNEL(UnlikeTeams, "unlike_teams", "x", "y")

std::string problem_of_teams(std::map<std::string, std::int64_t> settings) {
  program::CallFacts facts = call(2, DType::F16);
  facts.settings = std::move(settings);
  try {
    run(kernel_of<UnlikeTeams>().trace(facts), {{64, 64}, {64, 64}});
  } catch (const Error& error) {
    EXPECT_NE(error.where().line, 0u);
    return error.what();
  }
  return "";
}

TEST(Schedule, TheReferenceFindsTheTeamThatDoesNotFit) {
  EXPECT_EQ(problem_of_teams({}), "");
  EXPECT_EQ(problem_of_teams({{"held", 2}, {"index", 7}}), "");
  EXPECT_THAT(problem_of_teams({{"received", 5}}), ::testing::AllOf(HasSubstr("TW3412"), HasSubstr("this waits for ever"), HasSubstr("(team 3)")));
  EXPECT_THAT(problem_of_teams({{"received", 1}}), ::testing::AllOf(HasSubstr("TW3412"), HasSubstr("to a channel that is full"), HasSubstr("(team 3)"))) << "the fourth tile has no room, and what comes behind it is waited for";
  EXPECT_THAT(problem_of_teams({{"received", 3}}), ::testing::AllOf(HasSubstr("TW3413"), HasSubstr("1 tile that team 3 does not receive")));
  EXPECT_THAT(problem_of_teams({{"held", 4}}), ::testing::AllOf(HasSubstr("TW3412"), HasSubstr("(team 3)"))) << "four tiles are held where two have room";
  EXPECT_THAT(problem_of_teams({{"matrix_first", 1}}), ::testing::AllOf(HasSubstr("TW3412"), HasSubstr("(team 3)"))) << "three lists are sent before, and two have room";
  EXPECT_THAT(problem_of_teams({{"writes", 0}}), ::testing::AllOf(HasSubstr("TW3414"), HasSubstr("(team 3)"))) << "each team has a shared tile of its own";
  EXPECT_THAT(problem_of_teams({{"index", 8}}), ::testing::AllOf(HasSubstr("TW3414"), HasSubstr("element 8 of a list of 8 (team 3)")));
  EXPECT_THAT(problem_of_teams({{"index", -1}}), HasSubstr("TW3414"));
}

}  // namespace
}  // namespace tilewright
