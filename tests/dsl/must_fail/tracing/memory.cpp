// Loads and stores that do not fit their view.
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

struct TooFewIndices {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0}, {8}));  // error[TW1301]:26 'load' has 1 indices for a view of rank 2
  }
};
MUST_FAIL(TooFewIndices, ({}), "x", "y")

struct TooManyAxes {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {2, 8, 8}));  // error[TW1303]:26 a tile of 2x8x8 has more axes than the view
  }
};
MUST_FAIL(TooManyAxes, ({}), "x", "y")

struct StoreToInput {
  Grid grid(In) const { return {1}; }
  void body(In x, Out) const {
    store(x, {0, 0}, load(x, {0, 0}, {8, 8}));  // error[TW1304]:10 'x' is an In and cannot be stored to
  }
};
MUST_FAIL(StoreToInput, ({}), "x", "y")

struct LoadFromOutput {
  Grid grid(In) const { return {1}; }
  void body(In, Out y) const {
    store(y, {0, 0}, load(y.narrow(0, 0, 8), {0, 0}, {8, 8}));  // error[TW1305]:26 'y' is an Out and cannot be loaded from
  }
};
MUST_FAIL(LoadFromOutput, ({}), "x", "y")

struct StoreDtype {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, cast(load(x, {0, 0}, {8, 8}), f16));  // error[TW1308]:10 'store' of 8x8xf16 to a view of f32
  }
};
MUST_FAIL(StoreDtype, ({}), "x", "y")

struct StoreShape {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {span(0, 4), span(0, 8)}, load(x, {0, 0}, {8, 8}));  // error[TW1308]:10 'store' of a tile of 8x8 to a place of 4x8
  }
};
MUST_FAIL(StoreShape, ({}), "x", "y")

struct MaskShape {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile mask = arange(9) < 4;
    store(y, {0, 0}, load(x, {0, 0}, {8}, mask));  // error[TW1204]:26 tile shapes do not match in 'load': 8 and 9
  }
};
MUST_FAIL(MaskShape, ({}), "x", "y")

struct MaskOfNumbers {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {0, 0}, {8}, arange(8)));  // error[TW1306]:26 the mask of 'load' is 8xi32, not bool
  }
};
MUST_FAIL(MaskOfNumbers, ({}), "x", "y")

struct FloatIndex {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    Tile i = load(x, {0, 0});
    store(y, {0, 0}, load(x, {i, 0}, {8}));  // error[TW1221]:26 an index of 'load' is f32, not an integer scalar
  }
};
MUST_FAIL(FloatIndex, ({}), "x", "y")

struct LeadingIndexTile {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {arange(8), 0}, {8}));  // error[TW1302]:26 a leading index of 'load' is a tile of 8
  }
};
MUST_FAIL(LeadingIndexTile, ({}), "x", "y")

struct SpanAndExtents {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    store(y, {0, 0}, load(x, {span(0, 4), span(0, 8)}, {4, 8}));  // error[TW1309]:35 'load' has both span(...) and extents
  }
};
MUST_FAIL(SpanAndExtents, ({}), "x", "y")

struct AtomicOnInput {
  Grid grid(In) const { return {1}; }
  void body(In x, Out) const {
    atomic_add(x, {0, 0}, 1);  // error[TW1304]:15 'x' is an In and cannot be stored to
  }
};
MUST_FAIL(AtomicOnInput, ({}), "x", "y")

struct AtomicOnOutput {
  Grid grid(In) const { return {1}; }
  void body(In x, Out y) const {
    atomic_max(y, {0, 0}, load(x, {0, 0}, {8, 8}));  // error[TW1305]:15 'y' is an Out and cannot be loaded from
  }
};
MUST_FAIL(AtomicOnOutput, ({}), "x", "y")

struct AtomicKindOfFloats {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const {
    atomic_and(y, {0, 0}, load(x, {0, 0}, {8, 8}));  // error[TW1310]:15 'atomic_and' does not work on elements of f32
  }
};
MUST_FAIL(AtomicKindOfFloats, ({}), "x", "y")

struct AtomicDtype {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const {
    atomic_add(y, {0, 0}, cast(load(x, {0, 0}, {8, 8}), i32));  // error[TW1308]:15 'atomic_add' of 8x8xi32 to a view of f32
  }
};
MUST_FAIL(AtomicDtype, ({}), "x", "y")

struct AtomicShape {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const {
    atomic_exchange(y, {span(0, 4), span(0, 8)}, load(x, {0, 0}, {8, 8}));  // error[TW1308]:20 'atomic_exchange' of a tile of 8x8 to a place of 4x8
  }
};
MUST_FAIL(AtomicShape, ({}), "x", "y")

struct AtomicExpected {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const {
    atomic_compare_exchange(y, {0, 0}, load(x, {0, 0}, {4, 8}), load(x, {0, 0}, {8, 8}));  // error[TW1308]:28 'atomic_compare_exchange' expects 4x8xf32
  }
};
MUST_FAIL(AtomicExpected, ({}), "x", "y")

struct AtomicInCondition {
  Grid grid(In) const { return {1}; }
  void body(In, InOut y) const {
    while_([&] { return atomic_add(y, {0, 0}, 1) < 8; }, [] {});  // error[TW1407]:35 'atomic' is not possible in the condition of while_
  }
};
MUST_FAIL(AtomicInCondition, ({}), "x", "y")

struct RelaxedFence {
  Grid grid(In) const { return {1}; }
  void body(In, InOut) const {
    fence(Order::Relaxed);  // error[TW1311]:10 this 'fence' orders nothing
  }
};
MUST_FAIL(RelaxedFence, ({}), "x", "y")

struct FenceInCondition {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut) const {
    while_([&] { fence(Order::Acquire); return load(x, {0, 0}) < 8; }, [] {});  // error[TW1407]:23 'fence' is not possible in the condition of while_
  }
};
MUST_FAIL(FenceInCondition, ({}), "x", "y")

}  // namespace must_fail
