// The evaluation of grids: every operation at every integer type, and what must not stand in a grid.
#include "runtime/grid.h"

#include "dsl/program/builder.h"
#include "tests/runtime/errors.h"

#include <gtest/gtest.h>

#include <limits>

namespace tilewright::testing {
namespace {

using program::Builder;
using program::Opcode;
using program::ParamKind;
using program::ValueId;

// Evaluates one operation of two scalar parameters; results that are not i64 are cast to it.
std::int64_t evaluate(Opcode opcode, DType type, std::uint64_t a, std::uint64_t b, bool unary = false) {
  Builder builder("k");
  const ValueId x = builder.add_param("x", ParamKind::Scalar, {type, {}, false}), y = builder.add_param("y", ParamKind::Scalar, {type, {}, false});
  builder.begin_grid();
  const ValueId result = unary ? builder.op(opcode, {x}) : builder.op(opcode, {x, y});
  builder.end_grid({builder.cast(result, DType::I64)});
  const std::uint64_t slots[] = {a, b};
  return GridExpression(std::move(builder).finish()).evaluate(slots)[0];
}

template <class T>
std::uint64_t bits(T value) {
  return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(value));
}

// The definitions of opcodes.def, in wide arithmetic.
template <class T>
void check_type(DType type) {
  using U = std::make_unsigned_t<T>;
  constexpr int width = 8 * sizeof(T);
  const T values[] = {0, 1, 2, 3, 7, 100, static_cast<T>(-1), static_cast<T>(-7), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  const auto expect = [&](Opcode opcode, T x, T y, T expected) {
    EXPECT_EQ(evaluate(opcode, type, bits(x), bits(y)), static_cast<std::int64_t>(expected))
        << name_of(type) << " " << program::mnemonic_of(opcode) << " " << +x << " " << +y;
  };
  for (T x : values) {
    for (T y : values) {
      const __int128 wide_x = x, wide_y = y;
      expect(Opcode::Add, x, y, static_cast<T>(wide_x + wide_y));
      expect(Opcode::Sub, x, y, static_cast<T>(wide_x - wide_y));
      expect(Opcode::Mul, x, y, static_cast<T>(static_cast<unsigned __int128>(wide_x) * static_cast<unsigned __int128>(wide_y)));
      expect(Opcode::Div, x, y, y == 0 ? T{0} : static_cast<T>(wide_x / wide_y));
      expect(Opcode::Rem, x, y, y == 0 ? x : static_cast<T>(wide_x % wide_y));
      expect(Opcode::Min, x, y, std::min(x, y));
      expect(Opcode::Max, x, y, std::max(x, y));
      expect(Opcode::And, x, y, x & y);
      expect(Opcode::Or, x, y, x | y);
      expect(Opcode::Xor, x, y, x ^ y);
      const int amount = static_cast<int>(static_cast<U>(y) % width);
      expect(Opcode::Shl, x, y, static_cast<T>(static_cast<U>(static_cast<U>(x) << amount)));
      expect(Opcode::Shr, x, y, static_cast<T>(x >> amount));
      expect(Opcode::Eq, x, y, x == y);
      expect(Opcode::Ne, x, y, x != y);
      expect(Opcode::Lt, x, y, x < y);
      expect(Opcode::Le, x, y, x <= y);
      expect(Opcode::Gt, x, y, x > y);
      expect(Opcode::Ge, x, y, x >= y);
    }
    EXPECT_EQ(evaluate(Opcode::Neg, type, bits(x), 0, true), static_cast<std::int64_t>(static_cast<T>(-static_cast<U>(x)))) << name_of(type) << " " << +x;
    EXPECT_EQ(evaluate(Opcode::Not, type, bits(x), 0, true), static_cast<std::int64_t>(static_cast<T>(~x))) << name_of(type) << " " << +x;
    EXPECT_EQ(evaluate(Opcode::Abs, type, bits(x), 0, true), static_cast<std::int64_t>(x < 0 ? static_cast<T>(-static_cast<U>(x)) : x)) << name_of(type) << " " << +x;
  }
}

TEST(Grid, SignedIntegers) {
  check_type<std::int8_t>(DType::I8);
  check_type<std::int16_t>(DType::I16);
  check_type<std::int32_t>(DType::I32);
  check_type<std::int64_t>(DType::I64);
}

TEST(Grid, UnsignedIntegers) {
  check_type<std::uint8_t>(DType::U8);
  check_type<std::uint16_t>(DType::U16);
  check_type<std::uint32_t>(DType::U32);
  check_type<std::uint64_t>(DType::U64);
}

TEST(Grid, Bools) {
  for (std::uint64_t a : {0, 1}) {
    EXPECT_EQ(evaluate(Opcode::Not, DType::Bool, a, 0, true), a == 0);
    for (std::uint64_t b : {0, 1}) {
      EXPECT_EQ(evaluate(Opcode::And, DType::Bool, a, b), a && b);
      EXPECT_EQ(evaluate(Opcode::Or, DType::Bool, a, b), a || b);
      EXPECT_EQ(evaluate(Opcode::Xor, DType::Bool, a, b), a != b);
      EXPECT_EQ(evaluate(Opcode::Eq, DType::Bool, a, b), a == b);
    }
  }
}

TEST(Grid, SizesConstantsAndChoices) {
  Builder b("k");
  const ValueId skipped = b.add_param("skipped", ParamKind::Input, {DType::F32, {-1, -1, -1}, true});
  const ValueId factor = b.add_param("factor", ParamKind::Scalar, {DType::F32, {}, false});
  const ValueId q = b.add_param("q", ParamKind::Input, {DType::F16, {-1, -1}, true});
  const ValueId causal = b.add_param("causal", ParamKind::Scalar, {DType::Bool, {}, false});
  (void)factor;
  b.begin_grid();
  const ValueId rows = b.op(Opcode::ViewSize, {q}, {1}), sixty_four = b.integer(DType::I64, 64);
  const ValueId blocks = b.op(Opcode::Div, {b.op(Opcode::Add, {rows, b.integer(DType::I64, 63)}), sixty_four});
  b.end_grid({blocks, b.op(Opcode::ViewSize, {skipped}, {2}), b.op(Opcode::Select, {causal, b.op(Opcode::ViewSize, {q}, {0}), b.integer(DType::I64, 3)})});
  const GridExpression grid(std::move(b).finish());
  std::uint64_t slots[] = {0, 2, 3, 5, 15, 5, 1, 0x3f800000, 0, 8, 1000, 1000, 1, 1};
  EXPECT_EQ(grid.evaluate(slots), (GridSize{16, 5, 8}));
  slots[13] = 0;
  slots[10] = 0;
  EXPECT_EQ(grid.evaluate(slots), (GridSize{0, 5, 3}));
}

TEST(Grid, MissingExtentsAreOne) {
  Builder b("k");
  EXPECT_EQ(GridExpression(std::move(b).finish()).evaluate({}), (GridSize{1, 1, 1}));
}

TEST(Grid, ManyOperations) {
  Builder b("k");
  ValueId n = b.add_param("n", ParamKind::Scalar, {DType::I64, {}, false});
  b.begin_grid();
  for (int i = 0; i < 500; ++i) n = b.op(Opcode::Add, {n, b.integer(DType::I64, i)});
  b.end_grid({n});
  const std::uint64_t slots[] = {7};
  EXPECT_EQ(GridExpression(std::move(b).finish()).evaluate(slots)[0], 7 + 499 * 500 / 2);
}

TEST(Grid, FloatingPointIsTheAuthorsError) {
  Builder b("k");
  const ValueId x = b.add_param("x", ParamKind::Scalar, {DType::F32, {}, false});
  b.begin_grid();
  b.at("grid.cpp", 12, 5);
  const ValueId root = b.op(Opcode::Sqrt, {x});
  b.end_grid({b.cast(root, DType::I64)});
  const program::Program program = std::move(b).finish();
  expect_error(1901, {"'sqrt'", "'k'", "grid.cpp:12:5"}, [&] { GridExpression{program}; });
}

TEST(Grid, LoadsAreTheAuthorsError) {
  Builder b("k");
  const ValueId lengths = b.add_param("lengths", ParamKind::Input, {DType::I64, {-1}, true});
  b.begin_grid();
  const program::Type scalar{DType::I64, {}, false};
  ValueId value = program::kNone;
  try {
    value = b.load(lengths, {b.integer(DType::I64, 0)}, {program::kMapPoint}, {});
  } catch (const Error&) {
    return;  // the builder refuses it already
  }
  b.end_grid({value});
  const program::Program program = std::move(b).finish();
  expect_error(1901, {"'load'"}, [&] { GridExpression{program}; });
}

TEST(Grid, MalformedProgramsAreOurError) {
  program::Program program;
  program.name = "k";
  EXPECT_EQ(error_code([&] { GridExpression{program}; }), 9201);  // yields nothing
  program.values.push_back({{DType::I64, {}, false}, program::kNone});
  program.grid.yields = {0, 0, 0};
  EXPECT_EQ(error_code([&] { GridExpression{program}; }), 9201);  // a value that nothing defines
}

}  // namespace
}  // namespace tilewright::testing
