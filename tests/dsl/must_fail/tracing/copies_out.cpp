// Schedules whose copies to memory break a rule.
#include "dsl/nvidia/sm90.h"
#include "tests/dsl/must_fail/must_fail.h"

namespace must_fail {

using namespace tilewright;

namespace {

// The parts that a schedule has beside its mistake.
struct Copies {
  Grid grid(In) const { return {1}; }
  void body(In x, InOut y) const { store(y, {0, 0}, load(x, {0, 0}, {64, 64})); }
};

nvidia::SharedTile room() { return nvidia::shared_tile(bf16, {64, 64}); }

}  // namespace

struct CopyOfReceived : Copies {
  void schedule(nvidia::Sm90, In x, InOut y) const {
    const nvidia::Channel tiles = nvidia::channel(x.dtype(), {64, 64}, 2);
    nvidia::roles({}, [&] { nvidia::send(tiles, x, {0, 0}); }, [&] {
      const nvidia::SharedTile tile = nvidia::receive(tiles);
      nvidia::copy_out(y, {0, 0}, tile);  // error[TW1611]:23 'copy_out' of a tile that was received
      nvidia::release(tile);
    });
  }
};
MUST_FAIL_SCHEDULE(CopyOfReceived, ({}), "x", "y")

struct CopyToAnIn : Copies {
  void schedule(nvidia::Sm90, In x, InOut) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(x, {0, 0}, tile);  // error[TW1611]:23 'copy_out' to 'x', which is an In
    });
  }
};
MUST_FAIL_SCHEDULE(CopyToAnIn, ({}), "x", "y")

struct CopyToAPart : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::add_out(y.narrow(0, 0, 64), {0, 0}, tile);  // error[TW1611]:22 'add_out' to a part of a tensor
    });
  }
};
MUST_FAIL_SCHEDULE(CopyToAPart, ({}), "x", "y")

struct CopyBesideStore : Copies {
  void schedule(nvidia::Sm90, In x, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(y, {0, 0}, tile);
      store(y, {64, 0}, load(x, {0, 0}, {64, 64}));  // error[TW1611]:12 'store' of a parameter of 'copy_out'
    });
  }
};
MUST_FAIL_SCHEDULE(CopyBesideStore, ({}), "x", "y")

struct LoadBesideCopy : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::write(tile, load(y, {0, 0}, {64, 64}));  // error[TW1611]:31 'load' of a parameter of 'add_out'
      nvidia::add_out(y, {0, 0}, tile);
    });
  }
};
MUST_FAIL_SCHEDULE(LoadBesideCopy, ({}), "x", "y")

struct CopyAndAdd : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(y, {0, 0}, tile);
      nvidia::add_out(y, {0, 0}, tile);  // error[TW1611]:22 'add_out' to a parameter of 'copy_out'
    });
  }
};
MUST_FAIL_SCHEDULE(CopyAndAdd, ({}), "x", "y")

struct FenceBesideCopy : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(y, {0, 0}, tile);
      fence(Order::Release);  // error[TW1611]:12 'fence' beside 'copy_out'
    });
  }
};
MUST_FAIL_SCHEDULE(FenceBesideCopy, ({}), "x", "y")

struct CopyInATurn : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    const nvidia::Turns turns = nvidia::turns();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::take_turn(turns);
      nvidia::copy_out(y, {0, 0}, tile);  // error[TW1609]:23 'copy_out' in a turn
      nvidia::pass_turn(turns);
    });
  }
};
MUST_FAIL_SCHEDULE(CopyInATurn, ({}), "x", "y")

struct CopyByTheProducer : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] { nvidia::copy_out(y, {0, 0}, tile); }, [&] {});  // error[TW1602]:45 'copy_out' is not for the producer
  }
};
MUST_FAIL_SCHEDULE(CopyByTheProducer, ({}), "x", "y")

struct CopyTransposed : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = room();
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(y, {0, 0}, nvidia::trans(tile));  // error[TW1611]:23 'copy_out' of a transposed tile
    });
  }
};
MUST_FAIL_SCHEDULE(CopyTransposed, ({}), "x", "y")

struct CopyOfAnotherDtype : Copies {
  void schedule(nvidia::Sm90, In, InOut y) const {
    const nvidia::SharedTile tile = nvidia::shared_tile(f32, {64, 64});
    nvidia::roles({}, [&] {}, [&] {
      nvidia::copy_out(y, {0, 0}, tile);  // error[TW1611]:23 'copy_out' of shared<64x64xf32> to view<?x?xbf16>
    });
  }
};
MUST_FAIL_SCHEDULE(CopyOfAnotherDtype, ({}), "x", "y")

}  // namespace must_fail
