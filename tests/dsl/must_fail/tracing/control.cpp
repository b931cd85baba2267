// Control flow that cannot be traced, and Vars that are not what they were.
#include "tests/dsl/must_fail/must_fail.h"

#include <stdexcept>
#include <vector>

namespace must_fail {

using namespace tilewright;

struct BreakOutOfRange {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    for (Index i : range(0, x.size(0), 8)) {  // error[TW1404]:25 a range is left before its end
      store(y, {i, 0}, load(x, {i, 0}, {8, 8}));
      break;
    }
  }
};
MUST_FAIL(BreakOutOfRange, ({}), "x", "y")

struct ReturnOutOfRange {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    for (Index i : range(0, x.size(0), 8)) {
      for (Index j : range(i)) {  // error[TW1404]:27 break, return and goto happen while tracing
        store(y, {i, j}, 0.0);
        return;
      }
    }
  }
};
MUST_FAIL(ReturnOutOfRange, ({}), "x", "y")

struct SwallowedException {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    try {
      for (Index i : range(0, x.size(0), 8)) {  // error[TW1405]:27 an exception left this region and was caught inside the kernel
        store(y, {i, 0}, 0.0);
        throw std::runtime_error("stop");
      }
    } catch (const std::runtime_error&) {
    }
  }
};
MUST_FAIL(SwallowedException, ({}), "x", "y")

struct EscapesRange {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    std::vector<Tile> kept;
    for (Index i : range(0, 8)) kept.push_back(load(x, {i, 0}, {8}));
    store(y, {0, 0}, kept[0] + 1);  // error[TW1401]:32 a value is used outside the region it was made in
  }
};
MUST_FAIL(EscapesRange, ({}), "x", "y")

struct EscapesWhen {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    std::vector<Tile> kept;
    when(program_id(0) < 4, [&] { kept.push_back(load(x, {0, 0}, {8})); });
    store(y, {0, 0}, exp(kept[0]));  // error[TW1401]:25 carry it out in a Var declared before
  }
};
MUST_FAIL(EscapesWhen, ({}), "x", "y")

struct OtherBranch {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    std::vector<Tile> kept;
    when(program_id(0) < 4, [&] { kept.push_back(load(x, {0, 0}, {8})); },
         [&] { store(y, {0, 0}, -kept[0]); });  // error[TW1401]:40 outside the region
  }
};
MUST_FAIL(OtherBranch, ({}), "x", "y")

struct VarChangesDtype {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var total = zeros(f32, {8});
    for (Index i : range(8)) {
      Tile next = cast(load(x, {i, 0}, {8}), f64);  // error[TW1403]:23 a Var changes its type: it is 8xf32 and is assigned 8xf64
      total = next;
    }
    store(y, {0, 0}, total);
  }
};
MUST_FAIL(VarChangesDtype, ({}), "x", "y")

struct VarChangesShape {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var total = zeros(f32, {8});
    total = total(None, _);  // error[TW1403]:18 a Var keeps the shape of its first value
    store(y, {0, 0}, total);
  }
};
MUST_FAIL(VarChangesShape, ({}), "x", "y")

struct ContainerGrows {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    std::vector<Var> parts;
    parts.reserve(1);
    parts.push_back(zeros(f32, {8}));
    for (Index i : range(8)) parts.push_back(load(x, {i, 0}, {8}));  // error[TW1406]:25 a Var from outside is gone when 'range' ends
    store(y, {0, 0}, parts[0]);
  }
};
MUST_FAIL(ContainerGrows, ({}), "x", "y")

struct TileAsCondition {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8});
    when(a < 0, [&] { store(y, {0, 0}, a); });  // error[TW1402]:9 the condition of 'when' is 8xbool, not one bool
  }
};
MUST_FAIL(TileAsCondition, ({}), "x", "y")

struct NumberAsCondition {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var i = scalar(i64, 8);
    while_([&] { return i; }, [&] { i -= 1; });  // error[TW1402]:11 the condition of 'while_' is i64, not one bool
    store(y, {i, 0}, load(x, {i, 0}, {8}));
  }
};
MUST_FAIL(NumberAsCondition, ({}), "x", "y")

struct StoreInCondition {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var i = scalar(i64, 0);
    while_(
        [&] {
          store(y, {0, 0}, load(x, {0, 0}, {8}));  // error[TW1407]:16 'store' is not possible in the condition of while_
          return i < 4;
        },
        [&] { i += 1; });
  }
};
MUST_FAIL(StoreInCondition, ({}), "x", "y")

struct AssignInCondition {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var i = scalar(i64, 0);
    while_(
        [&] {
          i = i + 1;  // error[TW1412]:19 a Var is assigned in the condition of while_
          return i < 4;
        },
        [&] { store(y, {i, 0}, load(x, {i, 0}, {8})); });
  }
};
MUST_FAIL(AssignInCondition, ({}), "x", "y")

struct BoundsOfFloats {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile n = load(x, {0, 0});
    for (Index i : range(n)) store(y, {i, 0}, 0.0);  // error[TW1221]:25 the upper bound of 'range' is f32, not an integer scalar
  }
};
MUST_FAIL(BoundsOfFloats, ({}), "x", "y")

struct StepOfZero {
  Const<int> step{"step"};
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    for (Index i : range(0, x.size(0), step)) store(y, {i, 0}, 0.0);  // error[TW1410]:25 the step of 'range' is 0
  }
};
MUST_FAIL(StepOfZero, ({{"step", 0}}), "x", "y")

struct NoStages {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    for (Index i : range(0, x.size(0), 8, Pipeline{0})) store(y, {i, 0}, 0.0);  // error[TW1411]:25 'range' has 0 pipeline stages
  }
};
MUST_FAIL(NoStages, ({}), "x", "y")

struct CombinerUsesOutside {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y, Scalar decay) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, scan(a, 1, [&](Tile l, Tile r) { return l * decay + r; }));  // error[TW1409]:66 a combiner uses a value from outside
  }
};
MUST_FAIL(CombinerUsesOutside, ({}), "x", "y", "decay")

struct CombinerChangesDtype {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile a = load(x, {0, 0}, {8, 8});
    store(y, {0, 0}, reduce(a, 1, [](Tile l, Tile r) { return l < r; }));  // error[TW1408]:28 the combiner gives bool where it takes f32
  }
};
MUST_FAIL(CombinerChangesDtype, ({}), "x", "y")

struct CombinerAssigns {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Var last = scalar(f32, 0);
    Tile a = load(x, {0, 0}, {8, 8});
    Tile b = reduce(a, 1, [&](Tile l, Tile r) {
      last = l + r;  // error[TW1412]:18 a Var is assigned in a combiner
      return l + r;
    });
    store(y, {0, 0}, b);
  }
};
MUST_FAIL(CombinerAssigns, ({}), "x", "y")

}  // namespace must_fail
