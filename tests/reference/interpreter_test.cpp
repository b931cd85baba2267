// Whole programs on the reference interpreter: arguments, grid, control flow, combiners, effects, single-stepping.
#include "compiler/reference/interpreter.h"

#include "compiler/reference/slots.h"
#include "dsl/program/builder.h"
#include "runtime/support/error.h"
#include "tests/reference/tiles.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace tilewright::reference {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using program::Builder;
using program::kMapPoint;
using program::ParamKind;
using program::Program;
using program::Type;

const Type kVector{DType::I64, {-1}, true};

template <class T>
void add_vector(std::vector<std::uint64_t>& slots, std::vector<T>& values) {
  const std::int64_t size = static_cast<std::int64_t>(values.size()), stride = 1;
  append_view(slots, values.data(), {&size, 1}, {&stride, 1});
}

// Runs a program whose single parameter is an i64 vector, once.
void run_on(const Program& program, std::vector<std::int64_t>& memory, Hooks hooks = {}) {
  std::vector<std::uint64_t> slots;
  add_vector(slots, memory);
  Interpreter(program, std::move(hooks)).run_all(slots.data());
}

class OneVector : public ::testing::Test {
 protected:
  OneVector() : b("test"), memory_view(b.add_param("memory", ParamKind::InOut, kVector)) {}

  ValueId number(std::int64_t value) { return b.integer(DType::I64, value); }
  ValueId read(ValueId at) { return b.load(memory_view, {at}, {kMapPoint}, {}); }
  void write(ValueId at, ValueId value) { b.store(memory_view, {at}, {kMapPoint}, value); }
  ValueId add(ValueId x, ValueId y) { return b.op(Opcode::Add, {x, y}); }

  Builder b;
  ValueId memory_view;
};

TEST(Interpreter, AddsVectorsOverAGrid) {
  Builder b("vector_add");
  const Type view{DType::F32, {-1}, true};
  const ValueId x = b.add_param("x", ParamKind::Input, view), y = b.add_param("y", ParamKind::Input, view);
  const ValueId out = b.add_param("out", ParamKind::Output, view), scale = b.add_param("scale", ParamKind::Scalar, {DType::F32, {}});
  b.begin_grid();
  const ValueId size = b.op(Opcode::ViewSize, {x}, {0});
  b.end_grid({b.op(Opcode::Div, {b.op(Opcode::Add, {size, b.integer(DType::I64, 15)}), b.integer(DType::I64, 16)})});
  const ValueId row = b.op(Opcode::Mul, {b.op(Opcode::ProgramId, {}, {0}), b.integer(DType::I64, 16)});
  const ValueId sum = b.op(Opcode::Add, {b.load(x, {row}, {0}, {16}), b.load(y, {row}, {0}, {16})});
  b.store(out, {row}, {0}, b.elementwise(Opcode::Mul, {sum, scale}));
  const Program program = std::move(b).finish();

  std::vector<float> left(37), right(37), result(40, -1);
  std::iota(left.begin(), left.end(), 0.0f);
  std::iota(right.begin(), right.end(), 100.0f);
  std::vector<std::uint64_t> slots;
  add_vector(slots, left);
  add_vector(slots, right);
  const std::int64_t out_size = 37, stride = 1;
  append_view(slots, result.data(), {&out_size, 1}, {&stride, 1});
  append_scalar(slots, 0.5f);
  Interpreter interpreter(program);
  EXPECT_EQ(interpreter.grid(slots.data()), (GridIndex{3, 1, 1}));
  interpreter.run_all(slots.data());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(result[i], i < 37 ? 50.0f + i : -1);
}

TEST_F(OneVector, ForCarriesValues) {
  const auto loop = b.begin_for(number(2), number(11), number(3), {number(0), number(1)});
  const ValueId sum = add(loop[1], loop[0]);
  const auto results = b.end_for({sum, loop[1]});  // the second carries the sum of one turn before
  write(number(0), results[0]);
  write(number(1), results[1]);
  std::vector<std::int64_t> memory(2);
  run_on(std::move(b).finish(), memory);
  EXPECT_THAT(memory, ElementsAre(2 + 5 + 8, 2 + 5));
}

TEST_F(OneVector, ForWithoutTurnsYieldsItsInits) {
  b.begin_for(number(5), number(5), number(1), {number(42)});
  write(number(0), b.end_for({number(7)})[0]);
  std::vector<std::int64_t> memory(1);
  run_on(std::move(b).finish(), memory);
  EXPECT_THAT(memory, ElementsAre(42));
}

TEST_F(OneVector, ForStopsAtTheGreatestInteger) {
  const auto loop = b.begin_for(number(INT64_MAX - 3), number(INT64_MAX), number(2), {number(0)});
  write(number(0), b.end_for({add(loop[1], number(1))})[0]);
  std::vector<std::int64_t> memory(1);
  run_on(std::move(b).finish(), memory);
  EXPECT_THAT(memory, ElementsAre(2));
}

TEST_F(OneVector, ForRefusesAStepThatIsNotPositive) {
  b.at("kernel.cpp", 12, 7);
  b.begin_for(number(0), number(5), read(number(0)), {});
  b.end_for({});
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{0};
  try {
    run_on(program, memory);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 3410);
    EXPECT_EQ(error.where().line, 12u);
  }
}

TEST_F(OneVector, IfTakesOneBranch) {
  const ValueId condition = b.op(Opcode::Gt, {read(number(0)), number(10)});
  b.begin_if(condition);
  const ValueId then = number(1);
  write(number(1), number(100));
  b.begin_else();
  const ValueId otherwise = number(2);
  write(number(2), b.end_if({then}, {otherwise})[0]);
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{11, 0, 0};
  run_on(program, memory);
  EXPECT_THAT(memory, ElementsAre(11, 100, 1));
  memory = {10, 0, 0};
  run_on(program, memory);
  EXPECT_THAT(memory, ElementsAre(10, 0, 2));
}

TEST_F(OneVector, WhileRunsWhileItsConditionHolds) {
  const auto before = b.begin_while({read(number(0)), number(0)});  // Collatz steps
  const auto inside = b.begin_while_body(b.op(Opcode::Ne, {before[0], number(1)}));
  const ValueId odd = b.op(Opcode::Eq, {b.op(Opcode::Rem, {inside[0], number(2)}), number(1)});
  const ValueId next = b.op(Opcode::Select, {odd, add(b.op(Opcode::Mul, {inside[0], number(3)}), number(1)), b.op(Opcode::Div, {inside[0], number(2)})});
  write(number(1), b.end_while({next, add(inside[1], number(1))})[1]);
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{27, 0};
  run_on(program, memory);
  EXPECT_EQ(memory[1], 111);
  memory = {1, -1};
  run_on(program, memory);
  EXPECT_EQ(memory[1], 0);
}

TEST_F(OneVector, NarrowedViewsKeepTheirOwnCoordinates) {
  const ValueId tail = b.op(Opcode::ViewNarrow, {memory_view, number(3), number(2)}, {0});
  b.store(tail, {number(0)}, {0}, b.integer(DType::I64, -1, {4}));
  write(number(0), b.op(Opcode::ViewSize, {tail}, {0}));
  std::vector<std::int64_t> memory(7, 5);
  run_on(std::move(b).finish(), memory);
  EXPECT_THAT(memory, ElementsAre(2, 5, 5, -1, -1, 5, 5));
}

// The pair (value, index) of the largest value: the combiner of an argmax.
std::vector<ValueId> larger_pair(Builder& b, const std::vector<ValueId>& args) {
  const ValueId left = b.op(Opcode::Ge, {args[0], args[2]});
  return {b.op(Opcode::Select, {left, args[0], args[2]}), b.op(Opcode::Select, {left, args[1], args[3]})};
}

TEST_F(OneVector, CustomReductionsRunLiftedAndStepped) {
  const ValueId values = b.load(memory_view, {number(0)}, {0}, {6});
  const ValueId matrix = b.reshape(values, {2, 3}), places = b.broadcast(b.op(Opcode::Arange, {}, {0}, Type{DType::I64, {3}}), {2, 3});
  const auto args = b.begin_combiner(Opcode::Reduce, {matrix, places}, 1);
  const auto best = b.end_combiner(larger_pair(b, args));
  b.store(memory_view, {number(6)}, {0}, best[0]);
  b.store(memory_view, {number(8)}, {0}, best[1]);
  const Program program = std::move(b).finish();
  const std::vector<std::int64_t> start{3, 9, 9, 7, 1, 2, 0, 0, 0, 0};
  std::vector<std::int64_t> lifted = start, stepped = start;
  run_on(program, lifted);
  int steps = 0;
  run_on(program, stepped, {.print = {}, .step = [&](const Interpreter&, OpId) { ++steps; }});
  EXPECT_THAT(lifted, ElementsAre(3, 9, 9, 7, 1, 2, 9, 7, 1, 0));
  EXPECT_EQ(stepped, lifted);
  EXPECT_GT(steps, 12);
}

// (a, b) stands for x -> a*x + b; the left of a combiner is applied first.
TEST_F(OneVector, CustomScansKeepTheirOrder) {
  const ValueId values = b.load(memory_view, {number(0)}, {0}, {3});
  const ValueId factors = b.integer(DType::I64, 2, {3});
  for (const bool reverse : {false, true}) {
    const auto args = b.begin_combiner(Opcode::Scan, {factors, values}, 0, reverse);
    const ValueId factor = b.op(Opcode::Mul, {args[0], args[2]});
    const auto results = b.end_combiner({factor, add(b.op(Opcode::Mul, {args[1], args[2]}), args[3])});
    b.store(memory_view, {number(reverse ? 6 : 3)}, {0}, results[1]);
  }
  std::vector<std::int64_t> memory{1, 10, 100, 0, 0, 0, 0, 0, 0};
  run_on(std::move(b).finish(), memory);
  EXPECT_THAT(memory, ElementsAre(1, 10, 100, 1, 12, 124, 421, 210, 100));
}

TEST_F(OneVector, AssertNamesItsTextAndPlace) {
  const ValueId values = b.load(memory_view, {number(0)}, {0}, {6});
  const ValueId positive = b.reshape(b.elementwise(Opcode::Gt, {values, number(0)}), {2, 3});
  b.at("author.cpp", 30, 5);
  b.ops(Opcode::Assert, {positive}, {}, nullptr, "values are positive");
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{1, 2, 3, 4, 5, 6};
  run_on(program, memory);
  memory[4] = 0;
  try {
    run_on(program, memory);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 3401);
    EXPECT_THAT(error.message(), HasSubstr("values are positive"));
    EXPECT_EQ(error.where().file, "author.cpp");
    EXPECT_EQ(error.where().line, 30u);
    EXPECT_THAT(error.what(), HasSubstr("[1, 1] of 2x3"));
  }
}

TEST_F(OneVector, PrintGoesToItsHook) {
  const ValueId values = b.load(memory_view, {number(0)}, {0}, {3});
  b.ops(Opcode::Print, {values, number(4)}, {}, nullptr, "values");
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{1, -2, 3};
  std::vector<std::string> lines;
  run_on(program, memory, {.print = [&](std::string_view line) { lines.emplace_back(line); }, .step = {}});
  EXPECT_THAT(lines, ElementsAre("(0, 0, 0) values 3xi64 [1, -2, 3], 4"));
}

TEST(Print, ShortensLongAxes) {
  EXPECT_EQ(to_text(arange(DType::I32, 100, 0)), "100xi32 [0, 1, 2, ..., 97, 98, 99]");
  EXPECT_EQ(to_text(tile(DType::F32, {2, 2}, {0.1, -0.0, 1e30, 1})), "2x2xf32 [[0.1, -0], [1e+30, 1]]");
  EXPECT_EQ(to_text(tile(DType::F16, {}, {0.1})), "0.099975586");
  EXPECT_EQ(to_text(tile(DType::Bool, {2}, {0, 1})), "2xbool [false, true]");
}

TEST_F(OneVector, StepsSeeValuesAndMayStop) {
  const ValueId sum = add(read(number(0)), number(1));
  write(number(1), sum);
  const Program program = std::move(b).finish();
  std::vector<std::int64_t> memory{41, 0};
  struct Stop {};
  std::int64_t seen = 0;
  const auto step = [&](const Interpreter& at, OpId op) {
    if (at.program().ops[op].opcode != Opcode::Store) return;
    seen = at.tile(sum).integer(0);
    throw Stop{};
  };
  EXPECT_THROW(run_on(program, memory, {.print = {}, .step = step}), Stop);
  EXPECT_EQ(seen, 42);
  EXPECT_EQ(memory[1], 0);
}

TEST(Interpreter, RefusesANegativeGrid) {
  Builder b("grid");
  const ValueId extent = b.add_param("extent", ParamKind::Scalar, {DType::I64, {}});
  b.begin_grid();
  b.end_grid({extent});
  const Program program = std::move(b).finish();
  std::vector<std::uint64_t> slots;
  append_scalar<std::int64_t>(slots, -1);
  Interpreter interpreter(program);
  EXPECT_THROW(interpreter.grid(slots.data()), Error);
  slots = {0};
  EXPECT_EQ(interpreter.grid(slots.data())[0], 0);
}

}  // namespace
}  // namespace tilewright::reference
