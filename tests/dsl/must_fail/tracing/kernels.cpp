// Kernels whose interface or grid is wrong.
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

struct GridLoads {
  Grid grid(In x) const {
    return {cast(load(x, {0, 0}), i64)};  // error[TW1503]:22 'load' is not possible in a grid
  }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {8})); }
};
MUST_FAIL(GridLoads, ({}), "x", "y")

struct GridOfFloats {
  Grid grid(In, Out, Scalar n) const {
    return {n};  // error[TW1221]:14 an extent of the grid is f32, not an integer scalar
  }
  void body(In x, Out y, Scalar) const { store(y, {0, 0}, load(x, {0, 0}, {8})); }
};
MUST_FAIL(GridOfFloats, ({}), "x", "y", "n")

struct ProgramAxis {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Index i = program_id(3);  // error[TW1205]:25 axis 3 does not exist in 'program_id'
    store(y, {i, 0}, load(x, {i, 0}, {8}));
  }
};
MUST_FAIL(ProgramAxis, ({}), "x", "y")

struct HelperReportsItsCaller {
  static Tile centred(Tile x, Loc at = Loc::current()) {
    CallSite here(at);
    return x - sum(x, 1);
  }
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {64, 128});
    store(y, {0, 0}, centred(a));  // error[TW1204]:29 tile shapes do not match in '-': 64x128 and 64
  }
};
MUST_FAIL(HelperReportsItsCaller, ({}), "x", "y")

struct TwoSettingsOfOneName {
  Tune<int> a{"block", {8}}, b{"block", {16}};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {a})); }
};
MUST_FAIL(TwoSettingsOfOneName, ({}), "x", "y")  // error[TW1506] has two settings named 'block'

struct NoCandidates {
  Tune<int> block{"block", {}};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {block})); }
};
MUST_FAIL(NoCandidates, ({}), "x", "y")  // error[TW1504] tunable 'block' has no candidates

struct ParametersOfOneName {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {8})); }
};
MUST_FAIL(ParametersOfOneName, ({}), "x", "x")  // error[TW1505] has two parameters named 'x'

struct GridTakesOthers {
  Grid grid(Out) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {8})); }
};
MUST_FAIL(GridTakesOthers, ({}), "x", "y")  // error[TW1502] does not take the first parameters of body

struct MissingConstant {
  Const<int> n{"n"};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {n})); }
};
MUST_FAIL(MissingConstant, ({}), "x", "y")  // error[TW3502] needs a value for the constant 'n'

struct UnknownSetting {
  Tune<int> block{"block", {8}};
  Const<bool> causal{"causal", false};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {block})); }
};
MUST_FAIL(UnknownSetting, ({{"blok", 8}}), "x", "y")  // error[TW3501] it has: block, causal

struct SettingOutOfRange {
  Const<bool> causal{"causal", false};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const { store(y, {0, 0}, load(x, {0, 0}, {8})); }
};
MUST_FAIL(SettingOutOfRange, ({{"causal", 2}}), "x", "y")  // error[TW3503] is 2, outside 0 to 1

}  // namespace must_fail
