// The builder: result types, broadcasting, and the errors it gives with their positions.
#include "dsl/program/builder.h"
#include "dsl/program/verify.h"
#include "tests/dsl/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tilewright::program {
namespace {

using ::testing::HasSubstr;

const Type kIndex{DType::I64, {}};

Type tile(DType dtype, Shape shape) { return {dtype, std::move(shape)}; }

struct BuilderTest : ::testing::Test {
  Builder b{"k"};
  ValueId in = b.add_param("in", ParamKind::Input, {DType::F32, {-1, -1}, true});
  ValueId out = b.add_param("out", ParamKind::Output, {DType::F32, {-1, -1}, true});

  ValueId zeros(Shape shape, DType dtype = DType::F32) { return is_float(dtype) ? b.real(dtype, 0, shape) : b.integer(dtype, 0, shape); }
  ValueId index(std::int64_t i) { return b.integer(DType::I64, i); }

  template <class Action>
  void expect_error(int code, const std::string& words, Action action) {
    b.at("kernel.cpp", 41, 23);
    try {
      action();
      ADD_FAILURE() << "no error; expected TW" << code;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_EQ(error.where().file, "kernel.cpp");
      EXPECT_EQ(error.where().line, 41u);
      EXPECT_EQ(error.where().column, 23u);
    }
  }
};

TEST_F(BuilderTest, InfersTypes) {
  const ValueId a = zeros({4, 8}, DType::F16), c = zeros({8, 6}, DType::F16);
  EXPECT_EQ(b.type(b.dot(a, c)), tile(DType::F32, {4, 6}));
  EXPECT_EQ(b.type(b.transpose(a, {1, 0})), tile(DType::F16, {8, 4}));
  EXPECT_EQ(b.type(b.reduce(ReduceKind::Max, a, 1)), tile(DType::F16, {4}));
  EXPECT_EQ(b.type(b.scan(ReduceKind::Sum, a, 1)), tile(DType::F16, {4, 8}));
  EXPECT_EQ(b.type(b.op(Opcode::ArgMax, {a}, {0})), tile(DType::I32, {8}));
  EXPECT_EQ(b.type(b.elementwise(Opcode::Lt, {a, a})), tile(DType::Bool, {4, 8}));
  EXPECT_EQ(b.type(b.op(Opcode::Concat, {a, a}, {1})), tile(DType::F16, {4, 16}));
  EXPECT_EQ(b.type(b.slice(a, 1, 2, 3)), tile(DType::F16, {4, 3}));
  const auto top = b.ops(Opcode::TopK, {a}, {1, 3, 1});
  EXPECT_EQ(b.type(top[0]), tile(DType::F16, {4, 3}));
  EXPECT_EQ(b.type(top[1]), tile(DType::I32, {4, 3}));
}

TEST_F(BuilderTest, BroadcastsLikeNumpy) {
  EXPECT_EQ(b.type(b.elementwise(Opcode::Add, {zeros({4, 1}), zeros({8})})), tile(DType::F32, {4, 8}));
  EXPECT_EQ(b.type(b.elementwise(Opcode::Add, {zeros({}), zeros({3, 5})})), tile(DType::F32, {3, 5}));
  EXPECT_EQ(b.type(b.elementwise(Opcode::Select, {zeros({1, 5}, DType::Bool), zeros({}), zeros({3, 1})})), tile(DType::F32, {3, 5}));
}

TEST_F(BuilderTest, NamesBothShapes) {
  expect_error(1204, "tile shapes do not match in '+': 64x128 and 128x64", [&] { b.elementwise(Opcode::Add, {zeros({64, 128}), zeros({128, 64})}); });
}

TEST_F(BuilderTest, NamesBothDtypes) {
  expect_error(1202, "dtypes do not match in '*': f32 and bf16", [&] { b.elementwise(Opcode::Mul, {zeros({4}), zeros({4}, DType::BF16)}); });
}

TEST_F(BuilderTest, RefusesWrongOperands) {
  expect_error(1201, "'exp' takes floats, not 4xi32", [&] { b.op(Opcode::Exp, {zeros({4}, DType::I32)}); });
  expect_error(1201, "use & | ^", [&] { b.elementwise(Opcode::Add, {zeros({4}, DType::Bool), zeros({4}, DType::Bool)}); });
  expect_error(1203, "takes tiles, not a view", [&] { b.op(Opcode::Exp, {in}); });
  expect_error(1205, "axis 2 does not exist in 'sum' of 4x8xf32", [&] { b.reduce(ReduceKind::Sum, zeros({4, 8}), 2); });
  expect_error(1206, "extent 0 of axis 1", [&] { zeros({4, 0}); });
  expect_error(1207, "300 does not fit u8", [&] { b.integer(DType::U8, 300); });
  expect_error(1209, "4x8 cannot be broadcast to 4x9", [&] { b.broadcast(zeros({4, 8}), {4, 9}); });
  expect_error(1210, "4x8 (32 elements) cannot be reshaped to 5x7 (35)", [&] { b.reshape(zeros({4, 8}), {5, 7}); });
  expect_error(1211, "{0, 0}", [&] { b.transpose(zeros({4, 8}), {0, 0}); });
  expect_error(1212, "along axis 1", [&] { b.op(Opcode::Concat, {zeros({4, 8}), zeros({5, 8})}, {1}); });
  expect_error(1213, "a slice from 6", [&] { b.slice(zeros({4, 8}), 1, 6, 4); });
  expect_error(1214, "4x8 and 4x8", [&] { b.dot(zeros({4, 8}), zeros({4, 8})); });
  expect_error(1215, "'dot' does not multiply i64", [&] { b.dot(zeros({4, 8}, DType::I64), zeros({8, 4}, DType::I64)); });
  expect_error(1216, "not an integer tile", [&] { b.op(Opcode::Take, {zeros({4}), zeros({4})}, {0}); });
  expect_error(1217, "cannot be bitcast", [&] { b.op(Opcode::Bitcast, {zeros({4})}, {}, tile(DType::I64, {4})); });
  expect_error(1218, "the 9 first of 8", [&] { b.ops(Opcode::TopK, {zeros({4, 8})}, {1, 9, 1}); });
}

TEST_F(BuilderTest, ChecksLoadsAndStores) {
  const ValueId loaded = b.load(in, {index(3), index(0)}, {kMapPoint, 0}, {16});
  EXPECT_EQ(b.type(loaded), tile(DType::F32, {16}));
  const ValueId rows = zeros({4}, DType::I32);
  EXPECT_EQ(b.type(b.load(in, {rows, index(0)}, {0, 1}, {4, 16})), tile(DType::F32, {4, 16}));
  b.store(out, {index(3), index(0)}, {kMapPoint, 0}, loaded);
  expect_error(1302, "the index of dimension 0 in 'load' is a tile of 4, its axis has extent 5", [&] {
    b.load(in, {rows, index(0)}, {0, 1}, {5, 16});
  });
  expect_error(1303, "axis 0 of the tile stands for two dimensions", [&] { b.load(in, {index(0), index(0)}, {0, 0}, {4}); });
  expect_error(1303, "stands for no dimension", [&] { b.load(in, {index(0), index(0)}, {kMapPoint, 1}, {4, 16}); });
  expect_error(1306, "the mask of 'load' is 15, the tile 16", [&] {
    b.load(in, {index(0), index(0)}, {kMapPoint, 0}, {16}, zeros({15}, DType::Bool));
  });
  expect_error(1308, "'store' of 16xf16 to a view of f32", [&] { b.store(out, {index(0), index(0)}, {kMapPoint, 0}, zeros({16}, DType::F16)); });
}

TEST_F(BuilderTest, ChecksControl) {
  expect_error(1402, "the condition of 'when' is 4xbool, not one bool", [&] { b.begin_if(zeros({4}, DType::Bool)); });
  expect_error(1410, "the step of 'range' is 0", [&] { b.begin_for(index(0), index(8), index(0), {}); });
  expect_error(1411, "0 pipeline stages", [&] { b.begin_for(index(0), index(8), index(1), {}, 0); });
  const ValueId zero = zeros({4});
  b.begin_for(index(0), index(8), index(1), {zero});
  const ValueId inside = zeros({5});
  expect_error(1403, "a carried value changes its type in 'range': 4xf32 becomes 5xf32", [&] { b.end_for({inside}); });
  b.abandon();
  expect_error(1401, "a value is used outside the region", [&] { b.op(Opcode::Exp, {inside}); });
}

TEST_F(BuilderTest, KeepsCombinersClosed) {
  const ValueId x = zeros({4, 8}), decay = b.load(in, {index(0), index(0)}, {kMapPoint, kMapPoint}, {});
  const auto args = b.begin_combiner(Opcode::Reduce, {x}, 1);
  ASSERT_EQ(args.size(), 2u);
  expect_error(1409, "a combiner uses a value from outside", [&] { b.op(Opcode::Mul, {args[0], decay}); });
  expect_error(1407, "'load' is not possible in a combiner", [&] { b.load(in, {index(0), index(0)}, {kMapPoint, kMapPoint}, {}); });
  expect_error(1408, "the combiner gives i64 where it takes f32", [&] { b.end_combiner({index(0)}); });
  const auto results = b.end_combiner({b.op(Opcode::Add, {args[0], args[1]})});
  EXPECT_EQ(b.type(results[0]), tile(DType::F32, {4}));
}

TEST_F(BuilderTest, KeepsEffectsOutOfConditions) {
  const ValueId one = b.real(DType::F32, 1);
  b.begin_while({});
  expect_error(1407, "'store' is not possible in the condition of while_", [&] { b.store(out, {index(0), index(0)}, {kMapPoint, kMapPoint}, one); });
}

TEST_F(BuilderTest, GridsAreComputedFromSizes) {
  b.begin_grid();
  const ValueId n = b.op(Opcode::ViewSize, {in}, {0});
  expect_error(1503, "'program_id' is not possible in a grid", [&] { b.op(Opcode::ProgramId, {}, {0}); });
  b.end_grid({n});
  const Program program = std::move(b).finish();
  EXPECT_EQ(program.grid.yields.size(), 3u);
  EXPECT_NO_THROW(verify(program));
}

TEST_F(BuilderTest, GridValuesStayInTheGrid) {
  b.begin_grid();
  const ValueId n = b.op(Opcode::ViewSize, {in}, {0});
  b.end_grid({n});
  expect_error(1401, "outside the region", [&] { b.elementwise(Opcode::Add, {n, n}); });
}

}  // namespace
}  // namespace tilewright::program
