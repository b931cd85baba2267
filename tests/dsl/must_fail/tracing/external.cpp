// Calls of functions in another language that cannot be meant.
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

namespace {
const char* const kSource = "__device__ float gelu(float x) { return x; }";
const ExternFunction gelu = extern_cuda(kSource, "gelu", f32), nameless = extern_cuda(kSource, "", f32), phrase = extern_cuda(kSource, "gelu(x)", f32),
                     halves = extern_cuda(kSource, "gelu::", f32), sourceless = extern_cuda(" \n", "gelu", f32);
}  // namespace

struct ExternWithoutName {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, nameless(load(x, {0, 0}, {8, 8})));  // error[TW1230]:30 an external function has no name
  }
};
MUST_FAIL(ExternWithoutName, ({}), "x", "y")

struct ExternNameIsACall {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, phrase(load(x, {0, 0}, {8, 8})));  // error[TW1230]:28 'gelu(x)' is not the name of a function
  }
};
MUST_FAIL(ExternNameIsACall, ({}), "x", "y")

struct ExternNameIsHalf {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, halves(load(x, {0, 0}, {8, 8})));  // error[TW1230]:28 'gelu::' is not the name of a function
  }
};
MUST_FAIL(ExternNameIsHalf, ({}), "x", "y")

struct ExternWithoutSource {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, sourceless(load(x, {0, 0}, {8, 8})));  // error[TW1230]:32 the source of external function 'gelu' is empty
  }
};
MUST_FAIL(ExternWithoutSource, ({}), "x", "y")

struct ExternShapes {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8}), b = load(x, {0, 0}, {4, 8});
    store(y, {0, 0}, gelu(a, b));  // error[TW1204]:26 tile shapes do not match in 'gelu': 8x8 and 4x8
  }
};
MUST_FAIL(ExternShapes, ({}), "x", "y")

struct ExternOfFloat8 {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, gelu(cast(load(x, {0, 0}, {8, 8}), f8e4m3)));  // error[TW1201]:26 'gelu' does not compute with 8x8xf8e4m3
  }
};
MUST_FAIL(ExternOfFloat8, ({}), "x", "y")

struct ExternInGrid {
  Grid grid(In x) const { return {Index(cast(gelu(cast(x.size(0), f32)), i64))}; }  // error[TW1503]:50 'extern' is not possible in a grid
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {8, 8})); }
};
MUST_FAIL(ExternInGrid, ({}), "x", "y")

}  // namespace must_fail
