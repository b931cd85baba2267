// Shapes and dtypes that do not go together.
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

struct AddShapes {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {64, 128}), b = load(x, {0, 0}, {128, 64});
    store(y, {0, 0}, a + b);  // error[TW1204]:26 tile shapes do not match in '+': 64x128 and 128x64
  }
};
MUST_FAIL(AddShapes, ({}), "x", "y")

struct RowWithoutAxis {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {64, 128});
    store(y, {0, 0}, a - sum(a, 1));  // error[TW1204]:34 add an axis where it belongs
  }
};
MUST_FAIL(RowWithoutAxis, ({}), "x", "y")

struct MixedFloats {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, a * cast(a, bf16));  // error[TW1202]:38 dtypes do not match in '*': f32 and bf16
  }
};
MUST_FAIL(MixedFloats, ({}), "x", "y")

struct IndexMeetsFloat {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, a + program_id(0));  // error[TW1202]:38 an Index is an i64 scalar; cast it: cast(index, f32)
  }
};
MUST_FAIL(IndexMeetsFloat, ({}), "x", "y")

struct ExpOfIntegers {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, exp(arange(8)));  // error[TW1201]:25 'exp' takes floats, not 8xi32
  }
};
MUST_FAIL(ExpOfIntegers, ({}), "x", "y")

struct NotOfIntegers {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, cast(!arange(8), f32));  // error[TW1201]:36 '!' takes bools, not 8xi32
  }
};
MUST_FAIL(NotOfIntegers, ({}), "x", "y")

struct AddFloat8 {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = cast(load(x, {0, 0}, {8, 8}), f8e4m3);
    store(y, {0, 0}, cast(a + a, f32));  // error[TW1201]:31 '+' does not compute with 8x8xf8e4m3
  }
};
MUST_FAIL(AddFloat8, ({}), "x", "y")

struct CompareFloat8 {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = cast(load(x, {0, 0}, {8, 8}), f8e5m2);
    store(y, {0, 0}, cast(a == a, f32));  // error[TW1201]:32 cast to f32 first
  }
};
MUST_FAIL(CompareFloat8, ({}), "x", "y")

struct SumOfFloat8 {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0}, cast(sum(cast(load(x, {0, 0}, {8, 8}), f8e5m2), 1), f32));  // error[TW1201]:27 'sum' does not compute with 8x8xf8e5m2
  }
};
MUST_FAIL(SumOfFloat8, ({}), "x", "y")

struct Float8MeetsHalf {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, dot(cast(a, f8e4m3), cast(a, f16)));  // error[TW1202]:25 dtypes do not match in 'dot': f8e4m3 and f16
  }
};
MUST_FAIL(Float8MeetsHalf, ({}), "x", "y")

struct AddBools {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile m = arange(8) < 4;
    store(y, {0, 0}, cast(m + m, f32));  // error[TW1201]:31 use & | ^ ! on bools
  }
};
MUST_FAIL(AddBools, ({}), "x", "y")

struct ConditionOfNumbers {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, where(a, a, 0.0));  // error[TW1201]:27 the condition of 'where' is 8x8xf32, not bool
  }
};
MUST_FAIL(ConditionOfNumbers, ({}), "x", "y")

struct RealMeetsIntegers {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, cast(arange(8) * 2.5, f32));  // error[TW1208]:39 the C++ floating-point number 2.500000 does not become i32
  }
};
MUST_FAIL(RealMeetsIntegers, ({}), "x", "y")

struct NumberTooLarge {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile bytes = zeros(u8, {8});
    store(y, {0, 0}, cast(bytes + 300, f32));  // error[TW1207]:35 300 does not fit u8
  }
};
MUST_FAIL(NumberTooLarge, ({}), "x", "y")

struct NumbersOnly {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, where(arange(8) < 4, 1.0, 0.0));  // error[TW1220]:27 'where' has C++ numbers only
  }
};
MUST_FAIL(NumbersOnly, ({}), "x", "y")

struct DotShapes {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {64, 32});
    store(y, {0, 0}, dot(a, a));  // error[TW1214]:25 dot(a, trans(b)) fits
  }
};
MUST_FAIL(DotShapes, ({}), "x", "y")

struct DotAccumulator {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = cast(load(x, {0, 0}, {64, 64}), bf16);
    store(y, {0, 0}, cast(dot(a, a, a), f32));  // error[TW1215]:30 the accumulator of 'dot' is 64x64xbf16
  }
};
MUST_FAIL(DotAccumulator, ({}), "x", "y")

struct AxisTooFar {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, sum(a, 2));  // error[TW1205]:25 axis 2 does not exist in 'sum' of 8x8xf32
  }
};
MUST_FAIL(AxisTooFar, ({}), "x", "y")

struct AxesMiscounted {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, a(None, _)(0, _));  // error[TW1205]:23 x(...) names 1 axes of 8x8xf32
  }
};
MUST_FAIL(AxesMiscounted, ({}), "x", "y")

struct ReshapeCount {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, reshape(load(x, {0, 0}, {8, 8}), {4, 8}));  // error[TW1210]:29 a tile of 8x8 (64 elements) cannot be reshaped to 4x8 (32)
  }
};
MUST_FAIL(ReshapeCount, ({}), "x", "y")

struct PermuteTwice {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, permute(load(x, {0, 0}, {8, 8}), {1, 1}));  // error[TW1211]:29 {1, 1} is not an order of the axes
  }
};
MUST_FAIL(PermuteTwice, ({}), "x", "y")

struct SplitUnevenly {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, split(load(x, {0, 0}, {8, 10}), 1, 4)[0]);  // error[TW1213]:27 'split' of 10 elements into 4 parts
  }
};
MUST_FAIL(SplitUnevenly, ({}), "x", "y")

struct EmptyTile {
  Const<int> n{"n"};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, zeros(f32, {8, n}));  // error[TW1206]:27 extent 0 of axis 1 in 'full' is not positive
  }
};
MUST_FAIL(EmptyTile, ({{"n", 0}}), "x", "y")

struct TopTooMany {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, top_k(load(x, {0, 0}, {8, 8}), 9, 1).values);  // error[TW1218]:27 the 9 first of 8 elements
  }
};
MUST_FAIL(TopTooMany, ({}), "x", "y")

struct BitcastWidth {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, cast(bitcast(load(x, {0, 0}, {8, 8}), i64), f32));  // error[TW1217]:34 8x8xf32 cannot be bitcast to 8x8xi64
  }
};
MUST_FAIL(BitcastWidth, ({}), "x", "y")

}  // namespace must_fail
