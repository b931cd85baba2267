// What range, when and while_ make of an author's Vars, and how positions, settings and threads behave.
#include "tests/dsl/run_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace tilewright {
namespace {

using program::Op;
using program::Opcode;
using program::Program;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Op* find(const Program& program, Opcode opcode) {
  for (const Op& op : program.ops) {
    if (op.opcode == opcode) return &op;
  }
  return nullptr;
}

TEST(Control, RangeCarriesAssignedVarsOnly) {
  const Program program = traced_body([](InOut x, InOut y, Scalar s) {
    Var total = zeros(f32, {8}), untouched = load(x, {0, 0}, {8}), unread = scalar(i64, 0);
    for (Index i : range(0, x.size(0))) {
      total += load(x, {i, 0}, {8}) * untouched * s;
      unread += 1;
    }
    store(y, {0, 0}, total + untouched);
  });
  ASSERT_NE(find(program, Opcode::For), nullptr);
  EXPECT_EQ(find(program, Opcode::For)->results.size(), 1u);
}

TEST(Control, RangeHasEveryForm) {
  EXPECT_THAT(run_body(1, 1, 1, 5,
                       [](InOut, InOut y, Scalar) {
                         Var a = scalar(i64, 0), b = scalar(i64, 0), c = scalar(i64, 0), d = scalar(i64, 0), e = scalar(i64, 0);
                         for (Index i : range(4)) a += i;
                         for (Index i : range(2, 4)) b += i;
                         for (Index i : range(2, 4, Pipeline{3})) c += i;
                         for (Index i : range(0, 5, 2)) d += i;
                         for (Index i : range(0, y.size(1), 3, Pipeline{2})) e += i;
                         const Tile sums[] = {a, b, c, d, e};
                         for (int cell = 0; cell < 5; ++cell) store(y, {0, cell}, cast(sums[cell], f32));
                       }),
              ElementsAre(6, 5, 5, 6, 3));
}

TEST(Control, PipelinesAreKept) {
  const auto ints = [](Pipeline pipeline) {
    const Program program = traced_body([pipeline](InOut x, InOut y, Scalar) {
      for (Index i : range(0, x.size(0), 8, pipeline)) store(y, {i, 0}, load(x, {i, 0}, {8, 8}));
    });
    return find(program, Opcode::For)->ints;
  };
  EXPECT_THAT(ints({3}), ElementsAre(3, 1));
  EXPECT_THAT(ints({.stages = 2, .warp_specialize = false}), ElementsAre(2, 0));
}

TEST(Control, WhenMergesBranches) {
  const auto body = [](int limit) {
    return [limit](InOut x, InOut y, Scalar) {
      Var a = load(x, {0, 1}), b = load(x, {0, 2});
      when(
          load(x, {0, 3}) < limit, [&] { a = a + 10; }, [&] { b = a * 2; });
      when(a > 5, [&] { a = b; });
      store(y, {0, 0}, a);
      store(y, {0, 1}, b);
    };
  };
  EXPECT_THAT(run_body(1, 4, 1, 2, body(4)), ElementsAre(2, 2));
  EXPECT_THAT(run_body(1, 4, 1, 2, body(3)), ElementsAre(1, 2));
}

TEST(Control, WhileRunsOnData) {
  EXPECT_THAT(run_body(1, 8, 1, 1,
                       [](InOut x, InOut y, Scalar) {
                         Var i = scalar(i64, 0), total = scalar(f32, 0);
                         while_(
                             [&] {
                               return load(x, {0, i}) < 5;
                             },
                             [&] {
                               total += load(x, {0, i});
                               i += 1;
                             });
                         store(y, {0, 0}, total);
                       }),
              ElementsAre(10));
}

TEST(Control, NestsAndKeepsLocalVars) {
  EXPECT_THAT(run_body(4, 4, 1, 1,
                       [](InOut x, InOut y, Scalar) {
                         Var total = scalar(f32, 0);
                         for (Index i : range(4)) {
                           Var row = scalar(f32, 0);
                           for (Index j : range(i + 1)) {
                             when((i + j) % 2 == 0, [&] { row += load(x, {i, j}); });
                           }
                           total += row;
                         }
                         store(y, {0, 0}, total);
                       }),
              ElementsAre(0 + 5 + (8 + 10) + (13 + 15)));
}

TEST(Control, CopiesOfVarsAreVariablesOfTheirOwn) {
  EXPECT_THAT(run_body(1, 4, 1, 3,
                       [](InOut x, InOut y, Scalar) {
                         Var a = load(x, {0, 1});
                         Var b = a;
                         Tile before = a;
                         std::optional<Var> c(a);
                         for (Index i : range(2)) {
                           b += 1;
                           *c = *c * 3;
                         }
                         a = b;
                         store(y, {0, 0}, a);
                         store(y, {0, 1}, before);
                         store(y, {0, 2}, *c);
                       }),
              ElementsAre(3, 1, 9));
}

TEST(Control, CxxControlFlowLeavesNoTrace) {
  const Program program = traced_body([](InOut x, InOut y, Scalar) {
    for (int i = 0; i < 3; ++i) {
      if (i != 1) store(y, {i, 0}, load(x, {i, 0}, {8}));
    }
  });
  EXPECT_EQ(count(program, Opcode::Store), 2);
  EXPECT_EQ(count(program, Opcode::For), 0);
}

Tile twice(Tile x, Loc at = Loc::current()) {
  CallSite here(at);
  return x + x;
}

TEST(Control, CallSitesReportTheCaller) {
  const unsigned line = __LINE__ + 1;
  const Program program = traced_body([](InOut x, InOut y, Scalar) { store(y, {0, 0}, twice(load(x, {0, 0}, {8})) * 2); });
  EXPECT_EQ(find(program, Opcode::Add)->loc.line, line);
  EXPECT_EQ(find(program, Opcode::Mul)->loc.line, line);
}

TEST(Control, ThreadsTraceIndependently) {
  static const body_under_test::Body body = [](InOut x, InOut y, Scalar) {
    Var total = zeros(f32, {8});
    for (Index i : range(0, x.size(0))) total += load(x, {i, 0}, {8});
    store(y, {0, 0}, total);
  };
  const std::string expected = to_text(traced_body(body));
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  const auto matrix = view_type(DType::F32, 2);
  for (std::string& text : texts) {
    threads.emplace_back([&] { text = to_text(trace<body_under_test::LambdaKernel>({matrix, matrix, scalar_type(DType::F32)})); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) EXPECT_EQ(text, expected);
}

TEST(Control, TheLanguageNeedsAKernel) {
  try {
    arange(8);
    ADD_FAILURE() << "arange works outside of a kernel";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 1501);
    EXPECT_THAT(error.where().file, HasSubstr("control_test.cpp"));
  }
}

TEST(Control, ValuesBelongToOneTrace) {
  std::optional<Tile> kept;
  traced_body([&](InOut x, InOut y, Scalar) {
    kept.emplace(load(x, {0, 0}, {8}));
    store(y, {0, 0}, *kept);
  });
  try {
    traced_body([&](InOut, InOut y, Scalar) { store(y, {0, 0}, *kept + 1); });
    ADD_FAILURE() << "a value of another trace is accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 1507);
    EXPECT_NE(error.where().line, 0u);
  }
}

}  // namespace
}  // namespace tilewright
